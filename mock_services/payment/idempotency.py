"""Idempotency keys: the same request sent twice has one effect and one answer.

After Stripe's rules: the answer of a request that began to execute is stored with its status,
declines included. What is refused before it executes (429) or cut off by the gateway in front
(504) is not stored, so a retry with the same key may succeed. Our own 500s and 503s are made
before the charge executes and are not stored either. Stripe answers a second request that
comes while the first is still running with 409; here it waits for the first one's answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body, and whether it may be stored."""

    status: int
    body: bytes
    final: bool


class KeyReusedError(Exception):
    """The key came before, with another request."""


@dataclass(slots=True)
class _Entry:
    """Once answered it holds the answer alone: a future costs more memory than all the rest."""

    request: bytes
    answer: asyncio.Future[Answer] | Answer


class IdempotencyStore:
    """The last `keys_max` keys with their requests and answers."""

    def __init__(self, keys_max: int) -> None:
        self.keys_max = keys_max
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    async def run(
        self, key: str, request: bytes, execute: Callable[[], Awaitable[Answer]]
    ) -> tuple[Answer, bool]:
        """The answer to a request, and whether it is a replay; `request` is its digest.

        Raises KeyReusedError when `key` belongs to another request.
        """
        while (entry := self._entries.get(key)) is not None:
            if entry.request != request:
                raise KeyReusedError(key)
            found = entry.answer
            answer = found if isinstance(found, Answer) else await asyncio.shield(found)
            if answer.final:
                return answer, True
            # The first one's answer is not stored: this one, or another that waited, executes.
        return await self._execute(key, request, execute), False

    async def _execute(
        self, key: str, request: bytes, execute: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        waited_for: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        entry = _Entry(request, waited_for)
        self._entries[key] = entry
        if len(self._entries) > self.keys_max:
            self._entries.popitem(last=False)
        answer = Answer(500, b"", final=False)  # what waiters see if `execute` fails
        try:
            answer = await execute()
        finally:
            if not answer.final and self._entries.get(key) is entry:
                del self._entries[key]
            waited_for.set_result(answer)
            entry.answer = answer
        return answer
