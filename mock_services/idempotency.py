"""Idempotency keys: the same request sent twice has one effect and one answer.

After Stripe's rules: the answer of a request that began to execute is stored with its status,
declines included. What is refused before it executes (429) or cut off by the gateway in front
(504) is not stored, so a retry with the same key may succeed. Our own 500s and 503s are made
before the charge executes and are not stored either. Stripe answers a second request that
comes while the first is still running with 409; here it waits for the first one's answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body, and whether it may be stored."""

    status: int
    body: bytes
    final: bool


class KeyReusedError(Exception):
    """The key came before, with another request."""


@dataclass(frozen=True, slots=True)
class _Entry:
    request: Hashable
    answer: asyncio.Future[Answer]


class IdempotencyStore:
    """The last `keys_max` keys with their requests and answers."""

    def __init__(self, keys_max: int) -> None:
        self.keys_max = keys_max
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    async def run(
        self, key: str, request: Hashable, execute: Callable[[], Awaitable[Answer]]
    ) -> tuple[Answer, bool]:
        """The answer to a request, and whether it is a replay.

        Raises KeyReusedError when `key` belongs to another request.
        """
        while (entry := self._entries.get(key)) is not None:
            if entry.request != request:
                raise KeyReusedError(key)
            answer = await asyncio.shield(entry.answer)
            if answer.final:
                return answer, True
            # The first one's answer is not stored: this one, or another that waited, executes.
        return await self._execute(key, request, execute), False

    async def _execute(
        self, key: str, request: Hashable, execute: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        entry = _Entry(request, asyncio.get_running_loop().create_future())
        self._entries[key] = entry
        if len(self._entries) > self.keys_max:
            self._entries.popitem(last=False)
        answer = Answer(500, b"", final=False)  # what waiters see if `execute` fails
        try:
            answer = await execute()
        finally:
            if not answer.final and self._entries.get(key) is entry:
                del self._entries[key]
            entry.answer.set_result(answer)
        return answer
