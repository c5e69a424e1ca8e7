"""Who goes on to a step and who pays by a card to be declined: by chance, or dealt exactly."""

from collections import defaultdict
from random import Random

BEGUN = 0.5
"""Half-way, so that after n questions the count is n * share, rounded."""
ROUNDING = 1e-9


class Shares:
    """Of one Locust process, and in a paired run of one arm: all its users share the deal.

    Chance makes a random walk of what adds up over hours: abandoned checkouts that fill a pool.
    Dealt (Bresenham's accumulator), one in eleven is every eleventh.
    """

    def __init__(self, dealt: bool) -> None:
        self._dealt = dealt
        self._owed: defaultdict[str, float] = defaultdict(lambda: BEGUN)

    def hit(self, question: str, share: float, random: Random) -> bool:
        """Whether this time the answer to a question is yes, which it is in such a share."""
        if not self._dealt:
            return random.random() < share
        owed = self._owed[question] + share
        hit = owed >= 1.0 - ROUNDING
        self._owed[question] = owed - hit
        return hit
