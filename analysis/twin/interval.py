"""What a recording leaves open of a quantile, apart from what the simulation itself does."""

from __future__ import annotations

import math

import numpy as np

from recording.arrays import Floats

_SURELY = 0.5
"""Of the noise, what is taken off: its estimate, and the whole's, have errors of their own."""
_LEAST_MS = 1.0
"""Quantiles differ by ratios, and below this by their difference: many are zero."""


def left_open(estimate_ms: float, parts_ms: Floats) -> tuple[float, float]:
    """Lowest and highest of what the plays say, without the noise of playing.

    ``parts_ms`` has a row for each play, with the quantile in each of its parts. Parts of one play
    share what was drawn of the recording and nothing else, so their variance tells the noise from
    the rest (one-way analysis of variance, random effects: Fisher, 1925); rows are drawn
    together until little more than that is left. Where one grows without end, nothing is known
    above zero.
    """
    if np.isinf(parts_ms).any():
        return 0.0, math.inf
    logs = np.log(parts_ms + _LEAST_MS)
    rows = logs.mean(axis=1)
    rows -= np.median(rows)
    between = float(rows.var(ddof=1))
    noise = _SURELY * float(logs.var(axis=1, ddof=1).mean()) / parts_ms.shape[1]
    kept = np.sqrt(max(0.0, between - noise) / between) if between > 0 else 0.0
    spread = np.exp(kept * rows)
    low, high = ((estimate_ms + _LEAST_MS) * float(s) for s in (spread.min(), spread.max()))
    return max(0.0, low - _LEAST_MS), high - _LEAST_MS
