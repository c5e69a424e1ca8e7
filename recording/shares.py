"""Shares dealt exactly. The mocks import nothing of ours and have their own."""

BEGUN = 0.5
"""Half-way, so that after n questions the count is n * share, rounded."""
ROUNDING = 1e-9
"""Keeps 0.1 + ... + 0.1 from missing 1."""


class Deal:
    """Says yes to a share of the questions, evenly spread (Bresenham's accumulator)."""

    __slots__ = ("_owed",)

    def __init__(self) -> None:
        self._owed = BEGUN

    def hit(self, share: float) -> bool:
        """Whether this one belongs to the share."""
        self._owed += share
        hit = self._owed >= 1.0 - ROUNDING
        self._owed -= hit
        return hit
