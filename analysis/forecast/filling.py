"""How full a service's pools were while the load and their size stood, replicas added up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

import numpy as np

from analysis.evidence.resources import Pool
from analysis.evidence.stretches import Stretch
from recording.arrays import Floats

_SAME_PASS = 3
"""Decimals of a second: samples of one pass share a time, up to the writing of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """A pool between two changes of load or size, up to its first exhaustion there.

    ``used`` are connections at ``t_s``, ascending from ``start_s`` on, of the ``size`` that all
    replicas have together. ``dry_s`` is when it was exhausted, None where it was not.
    """

    subject: str
    pool: str
    start_s: float
    t_s: Floats
    used: Floats
    size: float
    dry_s: float | None

    @property
    def percent(self) -> Floats:
        """How full, %."""
        return 100.0 * self.used / self.size

    def until(self, t_s: float) -> "Filling":
        """What was known of it at a moment."""
        there = self.t_s <= t_s
        dry_s = None if self.dry_s is None or self.dry_s > t_s else self.dry_s
        return replace(self, t_s=self.t_s[there], used=self.used[there], dry_s=dry_s)


def fillings(pools: Sequence[Pool], stretches: Sequence[Stretch]) -> tuple[Filling, ...]:
    """Of one service, in order of time."""
    return tuple(
        filling
        for _, replicas in groupby(sorted(pools, key=_name), key=_name)
        for filling in _of_one(list(replicas), stretches)
    )


def _name(pool: Pool) -> str:
    """Without the replica."""
    return pool.label.partition("/")[0]


def _of_one(replicas: Sequence[Pool], stretches: Sequence[Stretch]) -> Iterator[Filling]:
    t_s, used, size = _added_up(replicas)
    dry = [window.start_s for pool in replicas for window in pool.windows]
    for stretch in stretches:
        inside = np.flatnonzero((t_s >= stretch.start_s) & (t_s <= stretch.end_s) & (size > 0))
        cuts = np.flatnonzero(np.diff(size[inside])) + 1
        for first, stop in pairwise([0, *cuts.tolist(), inside.size]):
            here = inside[first:stop]
            if here.size:
                yield _cut(replicas[0], t_s[here], used[here], float(size[here[0]]), dry)


def _cut(pool: Pool, t_s: Floats, used: Floats, size: float, dry: Sequence[float]) -> Filling:
    """Without what comes after it ran dry."""
    dry_s = min((at_s for at_s in dry if t_s[0] <= at_s <= t_s[-1]), default=None)
    kept = t_s < dry_s if dry_s is not None else np.full(t_s.size, True)
    start_s = float(t_s[0])
    return Filling(pool.subject, _name(pool), start_s, t_s[kept], used[kept], size, dry_s)


def _added_up(replicas: Sequence[Pool]) -> tuple[Floats, Floats, Floats]:
    """Times of the passes in which a size was told, connections in use, and size."""
    t_s = np.round(np.concatenate([pool.series.t_s for pool in replicas]), _SAME_PASS)
    used = np.concatenate([pool.series.active for pool in replicas])
    size = np.concatenate([pool.series.size for pool in replicas])
    times, place = np.unique(t_s, return_inverse=True)
    return (
        np.asarray(times),
        np.bincount(place, used, times.size).astype(float),
        np.bincount(place, size, times.size).astype(float),
    )
