"""A token bucket."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass, and what its X-RateLimit headers say."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: int
    retry_after_s: int


class TokenBucket:
    """`rate_per_s` requests a second on average, at most one second's worth at once."""

    __slots__ = ("_clock", "_filled_s", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rate_per_s = rate_per_s
        self._tokens = self._capacity()
        self._filled_s = clock()

    def set_rate(self, rate_per_s: float) -> None:
        """Change the rate; what is in the bucket stays, as far as it fits."""
        self._fill()
        self._rate_per_s = rate_per_s
        self._tokens = min(self._tokens, self._capacity())

    def take(self, requests: int = 1) -> Decision:
        """Ask for a request; for none, just how much is left.

        `reset_s`: seconds until the bucket is full again.
        """
        self._fill()
        allowed = self._tokens >= requests
        if allowed:
            self._tokens -= requests
        missing = self._capacity() - self._tokens
        return Decision(
            allowed=allowed,
            limit=math.ceil(self._rate_per_s),
            remaining=int(self._tokens),
            reset_s=math.ceil(missing / self._rate_per_s),
            retry_after_s=max(1, math.ceil((1.0 - self._tokens) / self._rate_per_s)),
        )

    def _capacity(self) -> float:
        return max(1.0, self._rate_per_s)

    def _fill(self) -> None:
        now_s = self._clock()
        gained = (now_s - self._filled_s) * self._rate_per_s
        self._tokens = min(self._capacity(), self._tokens + gained)
        self._filled_s = now_s
