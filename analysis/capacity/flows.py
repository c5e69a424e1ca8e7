"""What was taken from a pool and given back, over a whole search: its cumulative curves.

A slot is short. What is held no longer than its cut is in equilibrium when it begins to count; what
is held longer is slow, and is followed through all slots by its cumulative curves (Newell,
Applications of Queueing Theory, 1982): how much was taken, how much came back, how old that was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from analysis.evidence.resources import Pool, carried, named
from analysis.levels.seen import Seen
from recording.arrays import Floats
from recording.metric_names import POOL_HOLD_BUCKET, POOL_HOLD_COUNT, POOL_HOLD_SUM


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """A pool of a service, its replicas together, at the samples in what counts of all slots.

    ``active`` and ``size`` are connections. ``taken`` counts the slow ones that were taken since
    the first sample, ``back`` those of them that came back. ``passing`` is the mean number of
    those in use that are not slow, in each slot; ``slot`` says which one a sample is of.
    """

    subject: str
    pool: str
    t_s: Floats
    active: Floats
    size: Floats
    taken: Floats
    back: Floats
    passing: Floats
    slot: Floats

    @property
    def age_s(self) -> Floats:
        """How long the oldest slow one in use had been held; 0 while there was none."""
        taken = np.maximum.accumulate(self.taken)
        rising = np.append(True, np.diff(taken) > 0)
        since = np.interp(self.back, taken[rising], self.t_s[rising])
        return np.where(taken - self.back > 0.5, self.t_s - since, 0.0)


def flows(seen: Sequence[Seen], slow_s: float) -> list[Flow]:
    """Of every pool whose hold times are recorded; ``slow_s`` is the least that is slow.

    None of a service that was started again meanwhile.
    """
    names = {
        (subject, pool.label.partition("/")[0])
        for one in seen
        for subject, pools in one.case.pools.items()
        for pool in pools
    }
    found = (_flow(seen, subject, pool, slow_s) for subject, pool in sorted(names))
    return [flow for flow in found if flow is not None]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Of one slot: counters since the service began; ``soon_s`` is the mean hold of the quick."""

    t_s: Floats
    active: Floats
    size: Floats
    back: Floats
    late: Floats
    soon_s: float

    @property
    def passing(self) -> float:
        """Quick ones in use at a time (Little's law)."""
        span_s = self.t_s[-1] - self.t_s[0]
        soon = self.back - self.late
        return float(soon[-1] - soon[0]) / span_s * self.soon_s if span_s > 0 else 0.0


def _flow(seen: Sequence[Seen], subject: str, pool: str, slow_s: float) -> Flow | None:
    made = (_part(one, subject, pool, slow_s) for one in seen)
    parts = [part for part in made if part is not None]
    if not parts:
        return None
    back = np.concatenate([part.back for part in parts])
    late = np.concatenate([part.late for part in parts])
    if np.any(np.diff(back) < 0) or np.any(np.diff(late) < 0):
        return None
    active = np.concatenate([part.active for part in parts])
    passing = np.concatenate([np.full(part.t_s.size, part.passing) for part in parts])
    since = late - late[0]
    return Flow(
        subject,
        pool,
        np.concatenate([part.t_s for part in parts]),
        active,
        np.concatenate([part.size for part in parts]),
        since + np.maximum(0.0, active - passing),
        since,
        passing,
        np.concatenate([np.full(part.t_s.size, float(i)) for i, part in enumerate(parts)]),
    )


def _part(one: Seen, subject: str, pool: str, slow_s: float) -> _Part | None:
    replicas = [p for p in one.case.pools.get(subject, ()) if p.label.partition("/")[0] == pool]
    counted = [_holds(one, replica, slow_s) for replica in replicas]
    if not replicas or any(found is None for found in counted):
        return None
    least = min(replica.series.t_s.size for replica in replicas)
    if least < 2:
        return None
    known = [found for found in counted if found is not None]
    quick = sum(found[2] for found in known)
    return _Part(
        replicas[0].series.t_s[-least:],
        _sum(replica.series.active[-least:] for replica in replicas),
        _sum(replica.series.size[-least:] for replica in replicas),
        _sum(found[0][-least:] for found in known),
        _sum(found[1][-least:] for found in known),
        sum(found[3] for found in known) / quick if quick else 0.0,
    )


def _sum(arrays: Iterable[Floats]) -> Floats:
    return np.asarray(np.sum(list(arrays), axis=0))


def _holds(one: Seen, pool: Pool, slow_s: float) -> tuple[Floats, Floats, float, float] | None:
    """Given back by each sample, of those the slow, the number of quick ones, their time in all.

    None where the service does not say how long connections are held.
    """
    resources, t_s = one.case.evidence.resources, pool.series.t_s
    prefix = named(POOL_HOLD_BUCKET, pool.label) + "/"
    bounds = sorted(
        (float(name.removeprefix(prefix)), name)
        for name in resources.metrics(pool.subject)
        if name.startswith(prefix)
    )
    quick = [(bound, name) for bound, name in bounds if bound <= slow_s]
    back = _carried(one, pool, named(POOL_HOLD_COUNT, pool.label))
    if not quick or bounds[-1][0] != inf or not t_s.size:
        return None
    columns = [_carried(one, pool, name) for _, name in quick]
    grown = np.diff([0.0, *(float(column[-1]) for column in columns)])
    middles = np.array([b for b, _ in quick]) * 0.75  # bounds double from one to the next
    late, spent_s = back - columns[-1], float(grown @ middles)
    total_s = _carried(one, pool, named(POOL_HOLD_SUM, pool.label))
    if total_s[-1] and late[-1] == late[0]:  # then the sum is theirs alone, and exact
        return back, late, float(back[-1] - back[0]), float(total_s[-1] - total_s[0])
    return back, late, float(grown.sum()), spent_s


def _carried(one: Seen, pool: Pool, name: str) -> Floats:
    found = carried(*one.case.evidence.resources.get(pool.subject, name), pool.series.t_s)
    return np.nan_to_num(found)
