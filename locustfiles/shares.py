"""Who goes on to a step and who pays by a card to be declined: by chance, or dealt exactly."""

from collections import defaultdict
from random import Random

from recording.shares import Deal


class Shares:
    """Of one Locust process, and in a paired run of one arm: all its users share the deal.

    Chance makes a random walk of what adds up over hours: abandoned checkouts that fill a pool.
    Dealt, one in eleven is every eleventh.
    """

    def __init__(self, dealt: bool) -> None:
        self._dealt = dealt
        self._deals: defaultdict[str, Deal] = defaultdict(Deal)

    def hit(self, question: str, share: float, random: Random) -> bool:
        """Whether this time the answer to a question is yes, which it is in such a share."""
        if not self._dealt:
            return random.random() < share
        return self._deals[question].hit(share)
