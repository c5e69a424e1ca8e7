"""Which product a shopper looks at: each alike, or a few far more often than the rest (Zipf)."""

from bisect import bisect
from functools import cache
from itertools import accumulate
from random import Random

from recording.journey import Journey


def product_number(journey: Journey, draw: Random) -> int:
    """Of the catalogue, from 1; the k-th is asked for in proportion to 1/k**popularity."""
    if not journey.popularity:
        return draw.randint(1, journey.products)
    up_to = _cumulative(journey.products, journey.popularity)
    return bisect(up_to, draw.random() * up_to[-1], hi=journey.products - 1) + 1


@cache
def _cumulative(products: int, exponent: float) -> tuple[float, ...]:
    """The weights of the first products together, of each number of them."""
    return tuple(accumulate(k**-exponent for k in range(1, products + 1)))
