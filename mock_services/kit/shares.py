"""Shares dealt exactly."""


class Share:
    """Says yes to an exact share of the questions, evenly spread (Bresenham's accumulator).

    Not by coin flips: of 500 requests at 1 % chance gives 5 +- 2.2 errors, and a limit of
    1 % would then pass or fail by luck. Dealt, a configured 1 % is 1 % in a short run too.
    It starts half-way (phase 0.5), so that after n questions the count is n * share rounded.
    """

    __slots__ = ("_sum", "share")

    def __init__(self, share: float) -> None:
        self.share = share
        self._sum = 0.5

    def hit(self) -> bool:
        """Whether this one belongs to the share."""
        self._sum += self.share
        # The tolerance keeps 0.1 + ... + 0.1 from missing 1.0 by a rounding error.
        if self._sum < 1.0 - 1e-9:
            return False
        self._sum -= 1.0
        return True
