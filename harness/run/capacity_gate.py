"""Two whole searches in turn, base's and head's, in an order that is drawn: is head's load less?

Each has a run directory of its own, and services that are up only while it searches.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from analysis.limits.thresholds import Thresholds
from harness.run.conduct import Order, record
from harness.run.searches import Limits, asked_of, order_of, searchable
from harness.scene import preflight
from harness.scene.arms import PreparedArm, check_differ, prepared, seeded
from harness.scene.scene import OpenScene, Scene, installed, single
from harness.scene.seeds import seeded_load
from harness.scene.services import start_services
from harness.screen.live import LiveView
from harness.screen.plain import Screen
from harness.system.scratch import sweep
from recording.clock import RunClock
from recording.profile import Profile
from recording.rundir import RunDir
from recording.slots import ARMS, BASE, HEAD, Arm
from recording.written import Written

Arms = Mapping[Arm, tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class AskedOfArms:
    """The command line, read. ``arms`` are what each is, and what is set of its services."""

    profile: Profile
    written: Written
    arms: Arms
    overrides: Sequence[str]
    seed: int
    same_draws: bool
    labels: Mapping[str, str]
    equal_allowed: bool = False


def search_both(
    asked: AskedOfArms, thresholds: Thresholds, limits: Limits, runs: Path, console: Screen
) -> dict[Arm, RunDir]:
    """Raises ConfigError or RefusedError before anything is started."""
    preflight.check_safety(asked.profile)
    sweep()
    found: dict[Arm, RunDir] = {}
    with ExitStack() as arms:
        ready = {
            arm: seeded(
                arms.enter_context(prepared(arm, what, told, asked.profile, asked.written)),
                asked.seed,
                "both" if asked.same_draws else arm,
            )
            for arm, (what, told) in asked.arms.items()
        }
        check_differ(ready[BASE].facts, ready[HEAD].facts, allowed=asked.equal_allowed)
        order = list(ARMS)
        Random(asked.seed).shuffle(order)
        for arm in order:
            searched = _order(ready[arm], asked, thresholds, limits)
            console.print(f"{arm}: {asked.arms[arm][0]}", soft_wrap=True)
            with LiveView(console, f"loadgate gate --capacity ({arm})") as view:
                found[arm] = record(searched, runs, view)
    return found


def _order(arm: PreparedArm, asked: AskedOfArms, thresholds: Thresholds, limits: Limits) -> Order:
    wanted = asked_of(asked.profile, arm.settings, limits, asked.seed)
    plan = searchable(asked.profile, asked.written.name, limits, wanted.required)
    plan = seeded_load(plan, asked.seed)
    if arm.urls:
        own = {"urls": arm.urls} if plan.scenario.module else dict(arm.urls)
        plan = plan.model_copy(update={"target": plan.target.model_copy(update=own)})
        scene = single(plan, {}, "127.0.0.1")
    elif arm.checkout is not None:
        scene = installed(replace(arm.checkout, arm=""))
    else:
        plan = plan.model_copy(update={"services": arm.settings})
        scene = _alone(arm)
    return order_of(plan, scene, asked.overrides, thresholds, wanted, asked.seed, asked.labels)


def _alone(arm: PreparedArm) -> OpenScene:
    """Its services under their own names, as in a run."""

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        services = start_services(arm.settings, clock, run, origin=replace(arm.origin, arm=""))
        return Scene(services, services.urls, services.by_subject)

    return open_scene
