"""An event loop whose time passes only when nothing is left to do: hours in seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers, and no sockets: instead of waiting for the next timer it jumps there."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__()
        self._selector.select = self._jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now_s

    def _jump(self, timeout_s: float | None) -> list[Any]:
        assert timeout_s is not None, "nothing will ever happen again"
        self._now_s += timeout_s
        return []


def play(scenario: Coroutine[Any, Any, Any]) -> Any:
    """What the scenario returns, in virtual time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(scenario)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
