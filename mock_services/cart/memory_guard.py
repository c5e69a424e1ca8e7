"""What a runtime and its container do about memory: evict, collect at a limit, kill past it."""

import asyncio
import gc
import os
import time
from collections.abc import Callable

from mock_services.cart.session_cache import SessionCache
from mock_services.cart.settings import CartSettings
from mock_services.kit.events import EventLog
from mock_services.kit.runtime import give_memory_back, rss_bytes

OOM_EXIT_CODE = 137
"""128 + SIGKILL, what Kubernetes reports of a container killed for its memory."""
COLLECTION_PAUSE_S = 5.0
"""Least time between two collections: one that frees nothing must not eat the CPU."""
TRIM_FROM_BYTES = 8 * 1024**2


class MemoryGuard:
    """Looks after one cache's memory."""

    def __init__(
        self,
        cache: SessionCache,
        events: EventLog,
        settings: Callable[[], CartSettings],
        measure: Callable[[], int] = rss_bytes,
        kill: Callable[[int], object] = os._exit,
    ) -> None:
        self._cache = cache
        self._events = events
        self._settings = settings
        self._measure = measure
        self._kill = kill
        self._collected_s = -COLLECTION_PAUSE_S
        self.collected = False
        """Whether memory was ever collected."""
        self._swept_s = time.monotonic()

    async def run(self) -> None:
        """Look at it at intervals, for ever."""
        while True:
            settings = self._settings()
            await asyncio.sleep(min(settings.memory_check_interval_s, settings.eviction_interval_s))
            self.look(time.monotonic())

    def look(self, now_s: float) -> None:
        """One look: evict when it is time, collect at the limit's share, end past the limit."""
        settings = self._settings()
        if now_s - self._swept_s >= settings.eviction_interval_s:
            self._swept_s = now_s
            lazy = settings.eviction == "lazy"
            if (self._cache.evict() if lazy else self._cache.collect()) > TRIM_FROM_BYTES:
                give_memory_back()
        rss = self._measure()
        share_bytes = settings.gc_at_share * settings.memory_limit_bytes
        if rss >= share_bytes and now_s - self._collected_s >= COLLECTION_PAUSE_S:
            self._collected_s = now_s
            rss = self._collect(rss)
        if rss > settings.memory_limit_bytes and settings.oom_kill:
            self._events.write(
                "oom_killed", rss_bytes=rss, memory_limit_bytes=settings.memory_limit_bytes
            )
            self._kill(OOM_EXIT_CODE)

    def _collect(self, rss_before_bytes: int) -> int:
        self._cache.collect()
        self.collected = True
        self._cache.leaks.share = self._settings().lost_share(collected=True)
        gc.collect()
        give_memory_back()
        rss_after_bytes = self._measure()
        self._events.write(
            "gc",
            cause="memory_limit",
            rss_before_bytes=rss_before_bytes,
            rss_after_bytes=rss_after_bytes,
            reclaimed_bytes=rss_before_bytes - rss_after_bytes,
        )
        return rss_after_bytes
