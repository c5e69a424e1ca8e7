"""A level of a search as a line of its table."""

from dataclasses import dataclass
from math import nan

import numpy as np

from analysis.capacity.asked import CONFIRMATION, stage_of
from analysis.capacity.trials import confirmed
from analysis.levels.seen import Seen
from recording.profile import JOURNEY

HELD, BROKE, SPOILT, IDLE = "held", "broke", "spoilt", ""
"""What became of a level."""


@dataclass(frozen=True, slots=True)
class LevelRow:
    """``p99_ms`` is that of the slowest step, ``utilization`` of the fullest pool, in %."""

    number: int
    stage: str
    load: float
    counted_s: float
    requests_per_s: float
    outcome: str
    p99_ms: float
    slowest: str
    utilization: float
    fullest: str
    broken: tuple[str, ...]
    spoilt: tuple[str, ...]


def level_row(one: Seen) -> LevelRow:
    """Of one level."""
    p99_ms, slowest = _slowest(one)
    utilization, fullest = _fullest(one)
    rows = (f"{r.measurement.subject} {r.rule} ({r.measurement.shown})" for r in one.broken)
    return LevelRow(
        one.level.number,
        stage_of(one),
        one.level.load,
        one.level.counted_s,
        one.samples[JOURNEY].n / one.level.counted_s,
        _outcome(one),
        p99_ms,
        slowest,
        utilization,
        fullest,
        tuple(rows) if one.level.load else (),
        tuple(map(str, one.spoilt)) if one.level.load else (),
    )


def _outcome(one: Seen) -> str:
    if not one.level.load:
        return IDLE
    if one.spoilt:
        return SPOILT
    held = confirmed(one) if stage_of(one) == CONFIRMATION else one.holds
    return HELD if held else BROKE


def _slowest(one: Seen) -> tuple[float, str]:
    found = [
        (sample.measure("p99").value, name)
        for name, sample in one.samples.items()
        if name != JOURNEY and sample.n
    ]
    return max(found, default=(nan, ""))


def _fullest(one: Seen) -> tuple[float, str]:
    found = [
        (peak, f"{subject} {pool.label}")
        for subject, pools in one.case.pools.items()
        for pool in pools
        if not np.isnan(peak := pool.series.utilization_peak_percent)
    ]
    return max(found, default=(nan, ""))
