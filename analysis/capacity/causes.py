"""The load from which on each kind of rule breaks: pools too full, latencies, and all others.

Latencies and pools say of each slot by how much they kept their rule, which is sharper than whether
they did. A peak grows with the time in which one looks for it, so how full a pool is at the peak of
a run is not read from a slot's peak: it follows from what was in use on average, and its scatter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, log, nan

import numpy as np

from analysis.capacity.asked import RUN_S
from analysis.levels.margins import Fullness
from analysis.levels.peaks import peak_over_mean, spread_about
from analysis.statistics.crossing import Crossing, crossing
from analysis.statistics.jackknife import jackknife_reach
from analysis.statistics.line import line_through
from analysis.statistics.line_crossing import FEWEST, line_crossing
from recording.arrays import Floats

NEAR, LATENCY_NEAR = 0.35, 0.2
"""Of the logarithm of the load, on either side of the border: so far a margin is nearly a line."""
SURE = 0.95
LATENCY, OTHERWISE = "latency", "otherwise"


@dataclass(frozen=True, slots=True)
class Trial:
    """A load, and whether every rule held at it; otherwise as `analysis.levels.seen.Seen`."""

    load: float
    held: bool
    latency: float = nan
    otherwise: bool = False
    full: Mapping[str, Fullness] = field(default_factory=dict)

    @property
    def x(self) -> float:
        """In which borders are fitted."""
        return log(self.load)

    @property
    def broke(self) -> tuple[str, ...]:
        """What kinds of rule; anything else only where no latency and no full pool explains it."""
        pools = tuple(subject for subject, full in self.full.items() if full.broke)
        known = (*pools, *((LATENCY,) if self.latency >= 0 else ()))
        return known or ((OTHERWISE,) if self.otherwise else ())


def by_causes(trials: Sequence[Trial], about: float) -> Crossing | None:
    """The first of the borders of all causes; None where one broke whose border is not known."""
    near = [trial for trial in trials if abs(trial.x - about) <= NEAR]
    causes = sorted({cause for trial in near for cause in trial.broke})
    found = {cause: border for cause in causes if (border := _border(near, about, cause))}
    known = all(trial.held or not found.keys().isdisjoint(trial.broke) for trial in near)
    if not found or not known:
        return None
    first = min(found.values(), key=lambda border: border.x)
    if abs(first.x - about) > NEAR:
        return None
    low, high = (min(getattr(one, end) for one in found.values()) for end in ("low", "high"))
    return replace(first, low=low, high=high)


def _border(near: Sequence[Trial], about: float, cause: str) -> Crossing | None:
    if cause == OTHERWISE:
        told = [trial for trial in near if trial.held or OTHERWISE in trial.broke]
        held = [trial.held for trial in told]
        return crossing([trial.x for trial in told], held) if len(set(held)) == 2 else None
    if cause == LATENCY:
        known = [t for t in near if isfinite(t.latency) and abs(t.x - about) <= LATENCY_NEAR]
        return line_crossing([trial.x for trial in known], [trial.latency for trial in known])
    return _full_from([(trial.x, trial.full[cause]) for trial in near if cause in trial.full])


def _full_from(near: Sequence[tuple[float, Fullness]]) -> Crossing | None:
    """From where on the peak of a run is more than the pool may have, with a chance of one half.

    Its interval is the jackknife's: slot by slot left out.
    """
    free = [(x, full) for x, full in near if not full.starved]
    n = len(free)
    if n < FEWEST:
        return None
    at, surely_at = _peaks_reach(free)
    left_out = np.array([_peaks_reach(free[:i] + free[i + 1 :])[0] for i in range(n)])
    reach = jackknife_reach(left_out)
    width = (at - surely_at) / log(SURE / (1 - SURE))
    return Crossing(at, at - reach, at + reach, max(width, 1e-9))


def _peaks_reach(free: Sequence[tuple[float, Fullness]]) -> tuple[float, float]:
    """Where the peak of a run reaches what the pool may have: half of the time, and for SURE."""
    x = np.array([x for x, _ in free])
    means = np.array([full.samples.mean() for _, full in free])
    slope, level = _line(x, np.log(means))
    spread = spread_about([full.samples for _, full in free], np.exp(level + slope * x))
    samples = RUN_S * float(np.median([full.per_s for _, full in free]))
    often, surely = (
        -(level + log(peak_over_mean(spread, samples, chance))) / slope for chance in (0.5, SURE)
    )
    return often, surely


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and value at zero. The slope is that of Little's law, one, unless it surely is more."""
    line = line_through(x, y)
    if line.slope > 1.0 and line.differs(1.0):
        return line.slope, line.level
    return 1.0, float(y.mean()) - float(x.mean())
