"""locustfiles/popularity.py: each product alike, or as Zipf's law has it."""

from collections import Counter
from random import Random

import pytest

from locustfiles.popularity import product_number
from recording.journey import Journey

DRAWS = 100_000


def test_by_default_each_is_as_likely_and_drawn_as_before() -> None:
    """The same numbers from the same seed as a plain draw."""
    one, other = Random(5), Random(5)
    drawn = [product_number(Journey(), one) for _ in range(100)]
    assert drawn == [other.randint(1, 10_000) for _ in range(100)]


@pytest.mark.parametrize("exponent", [0.5, 1.1, 3.0])
def test_shares_fall_as_zipfs_law_says(exponent: float) -> None:
    """The five most popular of twenty, each within four standard deviations."""
    draw, journey = Random(1), Journey(products=20, popularity=exponent)
    drawn = Counter(product_number(journey, draw) for _ in range(DRAWS))
    total = sum(k**-exponent for k in range(1, 21))
    for k in range(1, 6):
        share = k**-exponent / total
        deviation = (share * (1 - share) / DRAWS) ** 0.5
        assert drawn[k] / DRAWS == pytest.approx(share, abs=4 * deviation)
    assert set(drawn) <= set(range(1, 21))


def test_the_last_product_is_the_highest_that_can_come() -> None:
    """Also where the draw is as good as one, and sums are rounded."""

    class Highest(Random):
        def random(self) -> float:
            return 1 - 2**-53

    for exponent in (0.3, 1.1, 10.0):
        assert product_number(Journey(products=7, popularity=exponent), Highest()) <= 7
    assert product_number(Journey(products=1, popularity=1.0), Highest()) == 1
