"""``pool``: the time until a pool is full, if the load stays as it was."""

from collections.abc import Iterable
from math import inf, isfinite, isnan, nan

import numpy as np

from analysis.forecast.outlook import HOUR_S, Outlook
from analysis.forecast.words import pace
from analysis.metrics.case import Case
from analysis.metrics.decide import gap
from analysis.metrics.metric import Claim, Decision, Metric
from analysis.metrics.pools import exhaustion, left_out
from analysis.metrics.subjects import is_service
from analysis.words.units import HOURS
from analysis.words.values import NO_DATA, Measurement, Outcome
from recording.metric_names import POOL_ACTIVE, POOL_MAX

NAME = "time_to_exhaustion"


def _measured(case: Case, subject: str) -> Iterable[Measurement]:
    """Of the pool that is full first, from when load and size became constant; never, where none
    climbs.
    """
    worst = _worst(case, subject)
    if worst is None:
        yield Measurement(subject, NAME, nan, "h", 0, note="no pool under a constant load")
        return
    low, high = (each if isfinite(each) else None for each in _within_h(case, worst))
    note = f"pool {worst.filling.pool}" + (f": {worst.because}" if worst.because else "")
    n = worst.filling.t_s.size
    yield Measurement(subject, NAME, _likely_h(case, worst), "h", n, low, high, "run", note)


def _worst(case: Case, subject: str) -> Outlook | None:
    """The one that ran dry first, else is full first, else is known least."""

    def order(one: Outlook) -> tuple[int, float]:
        soonest_s, latest_s = one.within_s
        if isfinite(latest_s):
            return (0 if one.filling.dry_s is not None else 1), soonest_s
        return (2, 0.0) if isnan(soonest_s) else (3, soonest_s)

    return min(case.outlooks[subject], key=order, default=None)


def _since_h(case: Case, one: Outlook, at_s: float) -> float:
    """From when load and size became constant, h of the story where the run tells one."""
    since_s = one.filling.start_s
    return case.evidence.times(since_s) * (at_s - since_s) / HOUR_S


def _within_h(case: Case, one: Outlook) -> tuple[float, float]:
    soonest_s, latest_s = one.within_s
    return _since_h(case, one, soonest_s), _since_h(case, one, latest_s)


def _likely_h(case: Case, one: Outlook) -> float:
    soonest_h, latest_h = _within_h(case, one)
    if one.filling.dry_s is None and one.full is not None:
        return _since_h(case, one, one.full.likely)
    return nan if isnan(soonest_h) else latest_h


def _decided(case: Case, claim: Claim, subject: str, measured: Measurement) -> Decision:
    """By the interval: what is surely too soon breaks it, what is surely late enough keeps it."""
    worst = _worst(case, subject)
    if worst is None:
        return Outcome.INCONCLUSIVE, f"{NO_DATA}: {measured.note}"
    soonest_h, latest_h = _within_h(case, worst)
    if latest_h < inf and not claim.holds(latest_h):
        return Outcome.FAIL, ""
    if claim.holds(soonest_h):
        doubt = gap(case.unsampled.get(subject) or _unknown(case, subject))
        return (Outcome.INCONCLUSIVE if doubt else Outcome.PASS), doubt
    return Outcome.INCONCLUSIVE, measured.note


def _unknown(case: Case, subject: str) -> str:
    """That one of its pools may be fuller than was seen; "" where none may."""
    for pool in case.pools[subject]:
        if pool.unseen or np.isnan(pool.series.size).any():
            return f"pool {pool.label}: {pool.unseen or f'no {POOL_MAX}, or an unlimited one'}"
    return left_out(case.evidence, subject)


def _explained(case: Case, subject: str, _measured: Measurement) -> str:
    worst = _worst(case, subject)
    if worst is None or worst.filling.dry_s is not None:
        return exhaustion(case, subject)
    return f"pool {worst.filling.pool} climbs at constant load, {pace(case.evidence, worst)}"


METRICS = (
    Metric(
        NAME, "pool", "h", HOURS, of=is_service, measure=_measured, decide=_decided,
        explain=_explained, reads=((POOL_ACTIVE,), (POOL_MAX,)),
    ),
)  # fmt: skip
