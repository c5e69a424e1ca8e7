"""What is done to a service's answers on their way, in Toxiproxy's words: a class for each kind.

A toxic belongs to one connection. Its attributes are those of ``recording/faults.py``; times are
seconds.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from recording.shares import Deal

Pieces = AsyncIterator[bytes]
BYTES_PER_KB = 1000
TICK_S = 0.1
"""Bandwidth is dealt out in pieces of this long."""


class Link(Protocol):
    """What a toxic knows of its connection."""

    arrived_s: float
    """When the piece that is on its way came from the service."""

    def begins_answer(self) -> bool:
        """Whether these are the first bytes since the client asked for something."""

    def close(self) -> None:
        """End it."""

    def reset(self) -> None:
        """End it with a RST."""


class CutError(Exception):
    """The connection ends here."""


class Toxic:
    """Lets everything pass; each kind says what it does otherwise."""

    def __init__(self) -> None:
        self._lifted = asyncio.Event()

    async def strike(self, link: Link) -> None:
        """Once for each connection: when it opens, or when the toxic comes."""

    def through(self, link: Link, pieces: Pieces) -> Pieces:
        """What becomes of an answer's bytes."""
        return pieces

    async def before_close(self) -> None:
        """The service has closed the connection, and its client is not told yet."""

    def lift(self, link: Link) -> None:
        """The toxic is over: whatever it holds back goes on at once."""
        self._lifted.set()

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the toxic is lifted."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._lifted.wait()


class Latency(Toxic):
    """Every piece is late by the same time, give or take the jitter."""

    def __init__(self, latency: float, jitter: float) -> None:
        super().__init__()
        self._latency_s, self._jitter_s = latency, jitter

    async def through(self, link: Link, pieces: Pieces) -> Pieces:
        async for piece in pieces:
            late_s = self._latency_s + random.uniform(-self._jitter_s, self._jitter_s)
            await self.pause(link.arrived_s + late_s - asyncio.get_running_loop().time())
            yield piece


class Bandwidth(Toxic):
    """No more than so many KB/s."""

    def __init__(self, rate: int) -> None:
        super().__init__()
        self._bytes_per_s = rate * BYTES_PER_KB

    async def through(self, link: Link, pieces: Pieces) -> Pieces:
        most = max(1, round(self._bytes_per_s * TICK_S))
        async for piece in pieces:
            for start in range(0, len(piece), most):
                part = piece[start : start + most]
                await self.pause(len(part) / self._bytes_per_s)
                yield part


class Slicer(Toxic):
    """Answers come in small slices, with a pause between them."""

    def __init__(self, average_size: int, size_variation: int, delay: float) -> None:
        super().__init__()
        self._sizes = average_size - size_variation, average_size + size_variation
        self._delay_s = delay

    async def through(self, link: Link, pieces: Pieces) -> Pieces:
        async for piece in pieces:
            start = 0
            while start < len(piece):
                end = start + random.randint(*self._sizes)
                yield piece[start:end]
                start = end
                await self.pause(self._delay_s)


class SlowClose(Toxic):
    """A client hears late that its connection was closed."""

    def __init__(self, delay: float) -> None:
        super().__init__()
        self._delay_s = delay

    async def before_close(self) -> None:
        await self.pause(self._delay_s)


class Timeout(Toxic):
    """Nothing gets through, and after a while the connection is closed; at 0 with the toxic."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout_s = timeout

    async def strike(self, link: Link) -> None:
        if self._timeout_s:
            await self.pause(self._timeout_s)
            link.close()

    async def through(self, link: Link, pieces: Pieces) -> Pieces:
        async for piece in pieces:
            yield piece[:0]

    def lift(self, link: Link) -> None:
        super().lift(link)
        link.close()  # what was dropped is missing, so nothing that follows makes sense


class ResetPeer(Toxic):
    """The connection is reset (RST), at once or after a while."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout_s = timeout

    async def strike(self, link: Link) -> None:
        await self.pause(self._timeout_s)
        if not self._lifted.is_set():
            link.reset()


class LimitData(Toxic):
    """So many bytes, and the connection is closed."""

    def __init__(self, bytes: int) -> None:
        super().__init__()
        self._left = bytes

    async def through(self, link: Link, pieces: Pieces) -> Pieces:
        async for piece in pieces:
            if self._left:
                yield piece[: self._left]
            self._left = max(0, self._left - len(piece))
            if not self._left:
                raise CutError


class AnswerLost(Toxic):
    """The service has done the work, and its answer is not passed on: the connection is closed."""

    def __init__(self, deal: Deal, share: float) -> None:
        super().__init__()
        self._deal, self._share = deal, share

    async def through(self, link: Link, pieces: Pieces) -> Pieces:
        async for piece in pieces:
            if link.begins_answer() and self._deal.hit(self._share):
                raise CutError
            yield piece


KINDS: Mapping[str, Callable[..., Toxic]] = {
    "latency": Latency,
    "bandwidth": Bandwidth,
    "slicer": Slicer,
    "slow_close": SlowClose,
    "timeout": Timeout,
    "reset_peer": ResetPeer,
    "limit_data": LimitData,
}
"""Those that strike a share of connections; of answers: `AnswerLost`."""


def maker(kind: str, attributes: Mapping[str, Any], toxicity: float) -> Callable[[], Toxic | None]:
    """Makes the toxic of each connection in turn; None for those that it leaves alone."""
    deal = Deal()
    if kind == "answer_lost":
        return lambda: AnswerLost(deal, toxicity)
    return lambda: KINDS[kind](**attributes) if deal.hit(toxicity) else None
