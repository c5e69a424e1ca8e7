"""Replicas that come and go while levels are tried: what one number of them carries is not what
another does.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.evidence.resources import Pool
from analysis.levels.seen import Seen


def changed(seen: Sequence[Seen]) -> Iterator[str]:
    """A sentence for each service that had not the same number of replicas in all slots."""
    counts: dict[str, set[int]] = {}
    for one in seen:
        for subject, pools in one.case.pools.items():
            counts.setdefault(subject, set()).update(_at_once(pools))
    for subject, found in counts.items():
        if len(found) > 1:
            fewest, most = min(found), max(found)
            yield (
                f"{subject} had {fewest} to {most} replicas with pools of their own while levels "
                "were tried: what so many carry, fewer do not"
            )


def _at_once(pools: Sequence[Pool]) -> set[int]:
    """How many replicas had a pool of one name, at any sample."""
    by_name: dict[str, list[np.ndarray]] = {}
    for pool in pools:
        by_name.setdefault(pool.label.partition("/")[0], []).append(pool.series.t_s.round(2))
    every = (np.unique(np.concatenate(t_s), return_counts=True)[1] for t_s in by_name.values())
    return {int(n) for counts in every for n in counts}
