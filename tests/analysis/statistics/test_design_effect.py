import math

import numpy as np
import pytest

from analysis.statistics.design_effect import design_effect

VALUES = np.array([1.0, 2.0, 3.0])
"""The median, above it, and the tail."""


def run(above_median: np.ndarray, tail: np.ndarray, size: int = 200) -> np.ndarray:
    """Blocks of `size` requests, of which so many lie above the median, and in the tail."""
    return np.stack([size - above_median - tail, above_median, tail], axis=1).astype(np.int64)


def independent(rng: np.random.Generator, blocks: int) -> np.ndarray:
    """The lowest value is the median; one in twenty is in the tail."""
    return rng.multinomial(200, (0.55, 0.4, 0.05), size=blocks)


@pytest.mark.parametrize(("blocks", "most"), [(200, 1.5), (60, 2.0)])
def test_doubt_of_independent_requests_costs_half_of_a_width(blocks: int, most: float) -> None:
    """On average an interval is at most half as wide again; that of a minute, twice as wide."""
    rng = np.random.default_rng(1)
    found = [design_effect(VALUES, independent(rng, blocks), 2.0) for _ in range(60)]
    assert 1.0 <= np.sqrt(found).mean() <= most


def test_a_slow_minute_has_a_design_effect() -> None:
    """When all slow requests share a few neighbouring blocks they count as far fewer."""
    tail = np.where((np.arange(60) >= 20) & (np.arange(60) < 26), 60, 4)
    assert design_effect(VALUES, run(np.full(60, 100), tail), 2.0) > 10


def test_the_median_shows_what_the_tail_cannot() -> None:
    """The same tail is worth less where the requests around the median wander."""
    steady = independent(np.random.default_rng(2), 60)
    wandering = steady.copy()
    moved = np.rint(40 * np.sin(np.arange(60) / 60 * math.tau)).astype(np.int64)
    wandering[:, 0] -= moved
    wandering[:, 1] += moved
    calm, wild = (design_effect(VALUES, each, 2.0) for each in (steady, wandering))
    assert wild > 1.2 * calm


def test_few_blocks_say_little() -> None:
    """Of four blocks nobody knows how alike they are; of one block nothing is asked."""
    rng = np.random.default_rng(3)
    found = [design_effect(VALUES, independent(rng, 4), 2.0) for _ in range(40)]
    assert np.sqrt(found).mean() > 2.0
    assert design_effect(VALUES, independent(rng, 1), 2.0) == 1.0


def test_a_higher_confidence_has_more_doubt() -> None:
    """The effect holds the doubt about itself, and of that the outer parts weigh more."""
    counts = independent(np.random.default_rng(4), 60)
    at_90, at_99 = (design_effect(VALUES, counts, 2.0, confidence) for confidence in (0.9, 0.99))
    assert at_99 > at_90
