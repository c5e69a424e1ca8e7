"""Where many functions change their sign, each in a bracket of its own, all at once.

ITP (Oliveira & Takahashi 2021, ACM Trans. Math. Softw. 47(1), 5): interpolates, and takes at worst
a step more than bisection would.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

import numpy as np

from recording.arrays import Floats, Ints

# As the authors recommend: how far an interpolated point is moved towards the middle of a bracket,
# as share of the first bracket; one step of slack over bisection.
TRUNCATION = 0.2
SLACK = 1


def roots(of: Callable[[Floats, Ints], Floats], rows: int, span: float, within: float) -> Floats:
    """The root of each row's function between ±`span`, ±`within`; NaN where its ends agree in sign.

    ``of(x, row)`` gives the values of the functions `row` at `x`.
    """
    every = np.arange(rows)
    low, high = np.full(rows, -span), np.full(rows, span)
    at_low, at_high = of(low, every), of(high, every)
    low[~(np.sign(at_low) * np.sign(at_high) <= 0)] = np.nan
    steps = ceil(log2(span / within)) + SLACK
    while (left := np.flatnonzero(high - low > 2 * within)).size:
        a, b = low[left], high[left]
        x = _between(a, b, at_low[left], at_high[left], span, within * 2.0**steps)
        value = of(x, left)
        below = np.sign(value) == np.sign(at_low[left])
        low[left], at_low[left] = np.where(below, (x, value), (a, at_low[left]))
        high[left], at_high[left] = np.where(below, (b, at_high[left]), (x, value))
        steps -= 1
    return np.asarray((low + high) / 2)


def _between(a: Floats, b: Floats, at_a: Floats, at_b: Floats, span: float, most: float) -> Floats:
    """The next point in each bracket: interpolated, truncated, and projected (hence the name)."""
    middle = (a + b) / 2
    flat = at_a == at_b
    straight = np.where(flat, middle, (at_b * a - at_a * b) / np.where(flat, 1.0, at_b - at_a))
    towards = np.sign(middle - straight)
    moved = TRUNCATION / (2 * span) * (b - a) ** 2
    truncated = np.where(moved <= np.abs(middle - straight), straight + towards * moved, middle)
    radius = most - (b - a) / 2
    return np.where(np.abs(truncated - middle) <= radius, truncated, middle - towards * radius)
