"""The outlook of every pool of a service, and what was foreseen of those that ran dry."""

from collections.abc import Iterator, Sequence
from math import nan

import numpy as np

from analysis.evidence.resources import Pool, counter_growth, named
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch
from analysis.forecast.filling import Filling, fillings
from analysis.forecast.outlook import Outlook, outlook
from recording.metric_names import POOL_HOLD_SUM

_LOOKS = 8
"""Moments of a stretch at which it is asked what was known then; of figures each of them."""


def outlooks(
    evidence: Evidence, pools: Sequence[Pool], stretches: Sequence[Stretch]
) -> tuple[Outlook, ...]:
    """One of each pool of a service and stretch of constant load and size, in order of time."""
    found = fillings(pools, stretches)
    return tuple(_outlook(evidence, pools, filling) for filling in found)


def foreseen(evidence: Evidence, pools: Sequence[Pool], filling: Filling) -> Outlook | None:
    """The first outlook that told when it would be full, by what was known then; None: none did."""
    first_s, last_s = float(filling.t_s[0]), float(filling.t_s[-1])
    moments = np.linspace(first_s, last_s, _LOOKS + 1)[1:]
    if filling.t_s.size <= _LOOKS:
        moments = filling.t_s
    told = (_outlook(evidence, pools, filling.until(float(at_s))) for at_s in moments)
    return next((each for each in told if each.full is not None), None)


def _outlook(evidence: Evidence, pools: Sequence[Pool], filling: Filling) -> Outlook:
    again = sum(_held_again(evidence, pools, filling)) if filling.t_s.size > 1 else nan
    return outlook(filling, again, published=evidence.manifest.source == "imported")


def _held_again(evidence: Evidence, pools: Sequence[Pool], filling: Filling) -> Iterator[float]:
    """By Little's law: the time that those which came back were held, over all of the time."""
    start_s, end_s = float(filling.t_s[0]), float(filling.t_s[-1])
    for pool in pools:
        if pool.label.partition("/")[0] == filling.pool:
            t_s, spent_s = counter_growth(evidence, pool.subject, named(POOL_HOLD_SUM, pool.label))
            inside = spent_s[(t_s > start_s) & (t_s <= end_s)]
            yield float(inside.sum()) / (end_s - start_s) if t_s.size else nan
