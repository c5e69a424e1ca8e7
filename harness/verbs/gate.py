"""``loadgate gate``: is head slower than base?"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from analysis.limits.thresholds import Thresholds as Limits
from analysis.limits.thresholds import load_thresholds
from analysis.paired.look import decided_early
from analysis.statistics.looks import LookPlan, balanced_order
from harness.options import RUNS, Inconclusive, Json, Runs, SameDraws, Seed, Thresholds
from harness.run.conduct import Order, record
from harness.run.early_look import EarlyLooks
from harness.scene import preflight
from harness.scene.arms import PreparedArm, open_arms, prepared, seeded
from harness.scene.seeds import drawn, seeded_load
from harness.screen.judged import finish
from harness.screen.live import LiveView
from harness.screen.plain import Screen, styled
from harness.system import git
from harness.system.paths import find_profile, find_thresholds
from harness.system.scratch import sweep
from recording.clock import RunClock
from recording.durations import format_duration
from recording.errors import ConfigError
from recording.manifest import ArmFacts, PairedRun
from recording.profile import Profile
from recording.profile_file import load_profile
from recording.rundir import RunDir
from recording.slots import ARMS, BASE, HEAD

SLOWEST_REQUEST_S = 2.5
"""Requests still in flight this long after their slot do not wait for an early look."""
SAMPLES_PER_SLOT = 4
"""Two in the later half of the other arm's slot: what a service takes when idle is taken off."""
HELP = """
Load BASE and HEAD in turn, in short slots, and say whether HEAD is slower: PASS, FAIL, or
INCONCLUSIVE with what it would take to tell.

An arm is `.` (this tree), `ref:<git ref>` (its own services are started from that revision), or
`url:<file>` (a TOML file with the urls checkout, payment, cart and, if wanted, inventory_lock).
Without --base it is the merge base of HEAD with the main branch.

Examples:

- `loadgate gate`  (what changed since the main branch, uncommitted changes included)
- `loadgate gate --base ref:v1.4.0 --head ref:HEAD`
- `loadgate gate --base . --head . --head-set services.payment.latency.charge.p99_ms=1068`
- `loadgate gate --base . --head . --seed 7`  (again as it was)
- `loadgate gate --base url:old.toml --head url:new.toml --inconclusive=fail`
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("gate", help=HELP)(gate)


def gate(
    base: Annotated[
        str | None, typer.Option("--base", metavar="ARM", help="Yardstick [the merge base].")
    ] = None,
    head: Annotated[str, typer.Option("--head", metavar="ARM", help="What is judged.")] = ".",
    base_set: Annotated[
        list[str] | None,
        typer.Option("--base-set", metavar="KEY=VALUE", help="services.* of base; repeatable."),
    ] = None,
    head_set: Annotated[
        list[str] | None,
        typer.Option("--head-set", metavar="KEY=VALUE", help="services.* of head; repeatable."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a profile key; repeatable."),
    ] = None,
    profile: Annotated[str, typer.Option("--profile", help="Name or TOML file.")] = "gate",
    seed: Seed = None,
    same_draws: SameDraws = False,
    thresholds: Thresholds = None,
    runs: Runs = RUNS,
    inconclusive: Inconclusive = None,
    as_json: Json = False,
) -> None:
    """Record a paired run and judge it."""
    limits = load_thresholds(find_thresholds(thresholds))
    path = find_profile(profile)
    plan = load_profile(path, overrides or [])
    wanted = base if base is not None else f"ref:{git.merge_base()}"
    asked = Asked(
        seeded_load(plan, seed := drawn(seed)),
        path,
        wanted,
        head,
        base_set or [],
        head_set or [],
        overrides or [],
        seed,
        same_draws,
    )
    recorded = _record(asked, limits, Path(runs), Screen(stderr=as_json))
    finish(recorded, limits, as_json=as_json, inconclusive=inconclusive)


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line, read."""

    profile: Profile
    path: Path
    base: str
    head: str
    base_set: list[str]
    head_set: list[str]
    overrides: list[str]
    seed: int
    same_draws: bool


def _record(asked: Asked, limits: Limits, runs: Path, console: Screen) -> RunDir:
    plan, where = asked.profile, str(asked.path)
    looks = _looks(plan, asked.path)
    preflight.check_safety(plan)
    sweep()
    with ExitStack() as arms:
        ready = (
            arms.enter_context(prepared(BASE, asked.base, asked.base_set, plan, where)),
            arms.enter_context(prepared(HEAD, asked.head, asked.head_set, plan, where)),
        )
        base, head = (
            seeded(one, asked.seed, "both" if asked.same_draws else arm)
            for arm, one in zip(ARMS, ready, strict=True)
        )
        paired = _paired(base, head, looks, asked)
        console.print(_headline(plan, paired), soft_wrap=True)
        order = Order(
            plan,
            open_arms(base, head, plan.target.ca_file),
            overrides=asked.overrides,
            seed=asked.seed,
            paired=paired,
            enough=_early(plan, paired, limits),
        )
        with LiveView(console, f"loadgate {plan.name}") as view:
            for text in _doubts(plan):
                view.note(text)
            return record(order, runs, view)


def _doubts(profile: Profile) -> Iterator[str]:
    gate = profile.gate
    assert gate is not None
    every_s, most_s = profile.sampling.interval, gate.slot / SAMPLES_PER_SLOT
    if every_s > most_s:
        yield (
            f"CPU per request may stay unknown: sampling.interval = {every_s:g} s is more than "
            f"a quarter of gate.slot ({most_s:g} s)"
        )


def _looks(profile: Profile, path: Path) -> LookPlan:
    if profile.gate is None:
        raise ConfigError(f"{path}: no [gate] section, so it cannot be gated; try --profile gate")
    if profile.target.urls:
        raise ConfigError(f"{path}: name services by --base url:<file> and --head, not in [target]")
    if profile.load.model != "users":
        raise ConfigError(f"{path}: load.model = {profile.load.model!r}: a gate needs 'users'")
    return LookPlan(profile.gate.looks)


def _paired(base: PreparedArm, head: PreparedArm, looks: LookPlan, asked: Asked) -> PairedRun:
    return PairedRun(
        base=base.facts,
        head=head.facts,
        seed=asked.seed,
        head_first=balanced_order(looks, asked.seed),
        same_draws=asked.same_draws,
    )


def _early(
    profile: Profile, paired: PairedRun, limits: Limits
) -> Callable[[RunDir, RunClock], str]:
    assert profile.gate is not None
    settle_s = profile.recording.interval + SLOWEST_REQUEST_S
    decide = partial(decided_early, limits)
    return EarlyLooks(profile.gate, paired, settle_s, decide).enough


def _headline(profile: Profile, paired: PairedRun) -> Text:
    gate = profile.gate
    assert gate is not None
    arms = " against ".join(_arm(facts) for facts in (paired.head, paired.base))
    longest = format_duration(round(profile.load.duration_s))
    return styled(profile.name, "bold") + styled(
        f": {arms}; {' or '.join(map(str, gate.looks))} rounds of 2 x {gate.slot:g} s, "
        f"at most {longest}; seed {paired.seed}{', same draws' if paired.same_draws else ''}",
        "",
    )


def _arm(facts: ArmFacts) -> str:
    what = facts.what
    if facts.revision:
        what += f" ({facts.revision[:10]}{', changed' if facts.dirty else ''})"
    return " ".join([what, *facts.overrides])
