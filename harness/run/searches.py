"""Makes, of a profile, the order of a search for the largest load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.capacity.asked import KIND, RUN_S, Asked, Unit
from analysis.limits.thresholds import Thresholds
from harness.generator.generator import expected_rate
from harness.run.capacity import CapacityChooser
from harness.run.conduct import Order, checked
from harness.run.search import Apply, Search
from harness.scene.own_file import too_few_rows
from harness.scene.scene import OpenScene, Scene, single
from harness.scene.seeds import derived, seeded_load, seeded_services
from mock_services.table import SERVICES
from recording.errors import ConfigError
from recording.manifest import Searched
from recording.profile import Profile
from recording.profile_file import build

NARROW, NARROW_OF_GATE = 0.05, 0.02
"""Width of an interval that is narrow enough; a ratio has those of two searches."""
FINEST_S = 0.5
"""Interval of recording and samples: a slot has a dozen of them."""
WITHIN_S = 310.0
"""For all levels: with start, end and verdict a search takes six minutes at most."""
SPARE_S = 60.0
"""Beyond the levels: what the recording needs between them."""
FROM = 0.5
"""Share of the load that is to fit, at which a search starts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the command line says of a search. ``require`` None: the profile's own load."""

    users: bool
    require: float | None
    within_s: float
    narrow: float = NARROW


def capacity_order(
    profile: Profile,
    where: str,
    overrides: Sequence[str],
    thresholds: Thresholds,
    limits: Limits,
    seed: int,
    labels: Mapping[str, str],
) -> Order:
    """What to run. Raises ConfigError or RefusedError before anything is started."""
    settings = seeded_services(checked(profile, where), seed)
    asked = asked_of(profile, settings, limits, seed)
    plan = searchable(profile, where, limits, asked.required)
    resolved = seeded_load(plan, seed)
    if profile.starts_mocks:
        resolved = resolved.model_copy(update={"services": settings})
    scene = single(resolved, settings, "127.0.0.1")
    return order_of(resolved, scene, overrides, thresholds, asked, seed, labels)


def order_of(
    plan: Profile,
    scene: OpenScene,
    overrides: Sequence[str],
    thresholds: Thresholds,
    asked: Asked,
    seed: int,
    labels: Mapping[str, str],
) -> Order:
    """Of a profile that can be searched, against services that are resolved."""
    chooser = CapacityChooser(
        asked, thresholds, plan.journey, len(plan.flow.order), FROM * asked.required
    )
    search = Search(Searched(kind=KIND, asked=asked.table()), chooser, thresholds, _untold)
    return Order(plan, scene, overrides, seed=seed, search=search, labels=labels)


def _untold(_scene: Scene) -> Apply:
    """The services are told nothing between levels."""
    return lambda _settings, _over: None


def asked_of(
    profile: Profile, settings: Mapping[str, Mapping[str, Any]], limits: Limits, seed: int
) -> Asked:
    """What is looked for, and what must fit."""
    unit: Unit = "users" if limits.users else "arrivals/s"
    if limits.require is not None and not 0 < limits.require < 1e6:
        raise ConfigError(f"--require {limits.require:g}: write a load above 0 and below a million")
    return Asked(
        unit=unit,
        required=limits.require or own_load(profile, unit),
        required_by="--require" if limits.require else "the profile's own load",
        within_s=limits.within_s,
        narrow=limits.narrow,
        confirm_s=RUN_S,
        seed=derived(seed, KIND),
        holds_s=_holds_s(settings) if profile.starts_mocks else {},
    )


def own_load(profile: Profile, unit: Unit) -> float:
    """Of a profile, in either unit; from one to the other by Little's law."""
    load = profile.load
    per_s = expected_rate(profile.model_copy(update={"gate": None}))
    journeys_per_s = per_s / profile.requests_per_journey
    if unit == "arrivals/s":
        return load.peak_arrivals_per_s if load.model == "arrivals" else journeys_per_s
    if load.model == "users":
        return float(load.peak_users)
    return journeys_per_s * _cycle_s(profile)


def _cycle_s(profile: Profile) -> float:
    """From one of a user's journeys to the next."""
    phase = profile.load.phases[0].model_copy(update={"users": 1})
    one = profile.load.model_copy(update={"model": "users", "phases": (phase,)})
    of_one = expected_rate(profile.model_copy(update={"load": one, "gate": None}))
    return profile.requests_per_journey / of_one


def _holds_s(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """How long at most a lock keeps its connection: the less of what is asked for and given."""
    told = [
        build(SERVICES[name].settings, settings.get(name, {}), f"services.{name}").model_dump()
        for name in ("inventory_lock", "checkout")
    ]
    if told[0]["hold"] != "until_release":
        return {}
    return {SERVICES["inventory_lock"].subject: float(min(own["lock_ttl_s"] for own in told))}


def searchable(profile: Profile, where: str, limits: Limits, required: float) -> Profile:
    """The same journey and services, with one phase in which levels follow each other.

    Raises ConfigError for a profile whose faults would strike some levels and not others.
    """
    if profile.faults:
        raise ConfigError(
            f"{where}: [[faults]] are for `loadgate run`: a search compares its levels"
        )
    if profile.scenario.locustfile:
        raise ConfigError(
            f"{where}: scenario.locustfile is for `loadgate run` and `gate`: a search has to know "
            "what a journey is, as a scenario.module says"
        )
    if profile.load.tells_services:
        raise ConfigError(
            f"{where}: phases that tell services are for `loadgate run`: a search has one phase"
        )
    model = "users" if limits.users else "arrivals"
    key = "users" if limits.users else "arrivals_per_s"
    phase = {
        "name": "search",
        "duration": limits.within_s + SPARE_S,
        key: max(1, round(required)) if limits.users else required,
        "measured": True,
    }
    table = profile.model_dump()
    table["load"] |= {"model": model, "phases": [phase], "bursts": []}
    for section in ("recording", "sampling"):
        table[section]["interval"] = min(FINEST_S, table[section]["interval"])
    table["gate"] = None
    plan = Profile.model_validate(table)
    too_few_rows(plan)
    return plan
