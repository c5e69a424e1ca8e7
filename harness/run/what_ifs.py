"""What would have prevented what a run found, by the mechanisms of the mocks and by the twin."""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.levels.margins import UPPER, UTILIZATION
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.tuning.asked import Asked, Setting
from analysis.tuning.predicted import twin
from analysis.tuning.what_if import LockPool, WhatIf, of_cart, of_locks, of_twin
from analysis.words.units import format_elapsed
from analysis.words.values import Verdict
from harness.scene.lock_plan import LOCKS, changed, plan_of
from harness.scene.tunable import full_settings
from mock_services.table import SERVICES
from recording.errors import ConfigError

HEADROOM = 0.1
"""Share of a limit that is to be left, as `loadgate tune` leaves it."""
LARGEST = 20
"""Times today's size up to which the twin looks for a larger pool."""
CART = "cart"
_TWINNED = ("checkout", "payment")
Said = WhatIf | str
"""A change, or a sentence on what the changes rest on."""


def what_ifs(case: Case, verdict: Verdict, limits: Thresholds) -> Iterator[Said]:
    """Of each service that broke a rule of its pool or memory, or climbs.

    Only what a mechanism covers: of a pool nobody modelled, or services whose settings this
    loadgate does not know, nothing is said.
    """
    profile = case.evidence.manifest.profile
    try:
        told = full_settings(profile.services, "the recording's profile")
    except ConfigError as error:
        yield f"no what-if: {error}"
        return
    filled = _filled(case, verdict)
    if SERVICES[LOCKS].subject in filled and _sweeps(told[LOCKS]):
        found, rests_on = of_locks(_lock_pool(case, limits), _elapsed)
        yield from found
        yield rests_on
    if profile.starts_mocks:
        yield from _of_other_pools(case, limits, told, filled)
    if memory := case.memory.get(SERVICES[CART].subject):
        yield from of_cart(memory, CART, told[CART])


def _elapsed(since_s: float) -> str:
    return format_elapsed(60 * round(since_s / 60) if since_s >= 3600 else since_s)


def _filled(case: Case, verdict: Verdict) -> set[str]:
    broke = {breach.subject for breach in verdict.breaches}
    pools = {row.subject for row in verdict.rows if row.kind == "pool"}
    return broke & pools | {s for s, each in case.outlooks.items() if any(o.climbs for o in each)}


def _sweeps(locks: Mapping[str, Any]) -> bool:
    """Whether locks are held until a sweeper frees them: what the mechanism is of."""
    return locks["hold"] == "until_release" and bool(locks["expiry_per_s"])


def _lock_pool(case: Case, limits: Thresholds) -> LockPool:
    subject, profile = SERVICES[LOCKS].subject, case.evidence.manifest.profile
    rules = (rule for rule in limits.rules.get(subject, ()) if rule.op in UPPER)
    most = min((rule.limit for rule in rules if rule.metric.name == UTILIZATION), default=100.0)
    dry = [window.start_s for pool in case.pools.get(subject, ()) for window in pool.windows]
    return LockPool(
        subject,
        LOCKS,
        plan_of(profile),
        lambda name, value: changed(profile, name, value),
        most,
        HEADROOM,
        min(dry) - case.evidence.load_start_s if dry else None,
        case.evidence.load_end_s - case.evidence.load_start_s,
    )


def _of_other_pools(
    case: Case, limits: Thresholds, told: Mapping[str, Mapping[str, Any]], filled: set[str]
) -> Iterator[Said]:
    for key in _TWINNED:
        subject, today = SERVICES[key].subject, told[key].get("pool_max")
        if subject in filled and isinstance(today, int):
            setting = Setting(f"{key}.pool_max", 1, LARGEST * today, today)
            asked = Asked((setting,), 0.0, headroom=HEADROOM, services=told)
            found = twin(case.evidence, asked, limits, (1.0,), None)
            larger = tuple(of_twin(subject, setting.key, found, today))
            yield from larger
            if larger or found.missing:
                yield found.missing or f"by the twin of {subject}'s pool, from its recorded holds"
