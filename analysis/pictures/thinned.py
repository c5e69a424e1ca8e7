"""Long lines become short ones in which nothing that stands out is lost."""

import numpy as np

from recording.arrays import Bools, Floats, Ints

MOST = 1000
"""Points of a line: two for each bucket, and few charts are 500 pixels wide."""


def thinned(x: Floats, y: Floats, most: int = MOST) -> tuple[Floats, Floats]:
    """At most ``most`` points: of each bucket of neighbours the lowest and the highest.

    Ends of the line stay, and so does a gap (nan) where a bucket has nothing else. What lies on a
    level stretch between others is left out first: the line is the same.
    """
    turns = _turns(y)
    x, y = x[turns], y[turns]
    if x.size <= most:
        return x, y
    buckets = np.array_split(np.arange(1, x.size - 1), most // 2 - 1)
    inner = np.concatenate([_extremes(y, bucket) for bucket in buckets])
    kept = np.concatenate(([0], inner, [x.size - 1]))
    return x[kept], y[kept]


def _turns(y: Floats) -> Bools:
    """Points that differ from a neighbour, and the first and last."""
    kept = np.ones(y.size, bool)
    if y.size > 2:
        same = (y[1:] == y[:-1]) | (np.isnan(y[1:]) & np.isnan(y[:-1]))
        kept[1:-1] = ~(same[:-1] & same[1:])
    return kept


def _extremes(y: Floats, bucket: Ints) -> Ints:
    known = bucket[np.isfinite(y[bucket])]
    if not known.size:
        return bucket[:1]
    return np.unique([known[y[known].argmin()], known[y[known].argmax()]])
