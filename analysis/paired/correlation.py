"""Do the slow requests of both arms come together?

What both slots of a round have in common cancels, and so it should where it is the host's. But
services that answer in step (from one seed, one recording, one backend behind both) differ by less
within a round than two that answer for themselves, and intervals are too narrow for those. The
figure, and what that of *different* steps tells (a host slows all steps at once, common draws are
common to one step), is that of ``docs/statistics.md``, "Draws": 0, give or take
1 / sqrt(rounds x steps), where services draw for themselves on a quiet host.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from analysis.regression.data import GateData
from recording.arrays import Floats, Ints
from recording.manifest import PairedRun

TELLING = 0.5
"""Past this the variance of a difference is less than half of that of independent arms."""
_TAIL = 0.95
_FEWEST_ROUNDS = 3
WHAT_SAME_DRAWS_MEAN = "sharper for a change of code, no evidence about services"


@dataclass(frozen=True, slots=True)
class Correlation:
    """Of base's slots with head's over the rounds; None where nothing varies."""

    same_step: float | None = None
    other_steps: float | None = None

    @property
    def telling(self) -> bool:
        """Whether it changes what the intervals mean."""
        return self.same_step is not None and self.same_step > TELLING

    @property
    def of_the_host(self) -> bool:
        """Whether different steps move together nearly as much: then something slows them all."""
        same, other = self.same_step or 0.0, self.other_steps or 0.0
        return other > same / 2


NOT_MEASURED = Correlation()


def arms_correlation(data: GateData) -> Correlation:
    """How base's and head's shares of slow requests go together over the rounds."""
    steps = [i for i, name in enumerate(data.endpoints) if name not in data.derived]
    base, head = ([_slow_shares(data, arm, step) for step in steps] for arm in (0, 1))
    same = [_pearson(b, h) for b, h in zip(base, head, strict=True)]
    pairs = product(range(len(steps)), repeat=2)
    other = [_pearson(base[i], head[j]) for i, j in pairs if i != j]
    return Correlation(_mean(same), _mean(other))


def _slow_shares(data: GateData, arm: int, step: int) -> Floats:
    """Per round, the share above the p95 of both arms together; NaN without a request."""
    both: tuple[Ints, Ints] = (data.base[:, step], data.head[:, step])
    total = (both[0] + both[1]).sum(axis=0).cumsum()
    p95 = int(np.searchsorted(total, _TAIL * total[-1]))
    n = both[arm].sum(axis=1)
    shares: Floats = both[arm][:, p95 + 1 :].sum(axis=1) / np.where(n, n, np.nan)
    return shares


def _pearson(a: Floats, b: Floats) -> float:
    seen = np.isfinite(a) & np.isfinite(b)
    a, b = a[seen], b[seen]
    if len(a) < _FEWEST_ROUNDS or not a.std() or not b.std():
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _mean(found: Sequence[float]) -> float | None:
    known = [r for r in found if np.isfinite(r)]
    return float(np.mean(known)) if known else None


def same_draws(paired: PairedRun | None) -> str:
    """``same draws``, or those of which services; "" where both arms drew for themselves."""
    common = paired.common_draws if paired else ()
    if not paired or not common:
        return ""
    every = common == tuple(sorted(paired.base.seeds))
    return "same draws" if every else f"same draws of {', '.join(common)}"


def remarks(found: Correlation, paired: PairedRun | None) -> Iterator[str]:
    """What must be known of the arms' draws before the intervals are read."""
    if common := same_draws(paired):
        yield f"{common} in both arms: {WHAT_SAME_DRAWS_MEAN}"
    if not found.telling:
        return
    said = f"slow requests of both arms come together: correlation {found.same_step:.2f} by rounds"
    others = f"({found.other_steps or 0:.2f} between different steps)"
    if common:
        yield f"{said} {others}: the intervals hold for these draws, and not for other ones"
    elif found.of_the_host:
        yield f"{said} {others}: the host slowed both slots of a round, which the rounds take out"
    else:
        yield (
            f"{said} {others}: the services of both arms answer in step, as from one seed or one "
            "backend; the intervals are too narrow for services that do not"
        )
