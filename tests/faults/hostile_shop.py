"""A small shop on loopback that answers the seven steps at once, and misbehaves as it is told.

In a test (it runs in a thread of its own; `loadgate` is another process)::

    with HostileShop(Quirk("hang", "charge", share=0.01, from_s=5, to_s=10)) as shop:
        run("--set", f"target.checkout={shop.url}", ...)      # or *shop.targets()
        shop.seen["charge"], shop.hit["hang", "charge"]       # the truth: requests, and quirks

By itself; the first line it prints is its url, and on SIGTERM it prints its counts as JSON::

    python -m tests.faults.hostile_shop hang:charge:0.01:5:10 status_201:confirm

A quirk is ``name[:step[:share[:from_s[:to_s]]]]``: the function of ``quirks.py`` of that name,
applied to a share of the requests of a step ("" for each of the seven, "metrics" for the metrics
page), from one time to another since the first request of any step. Shares are dealt exactly,
not by chance.
"""

import asyncio
import json
import signal
import ssl
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import Self

from tests.faults.quirks import QUIRKS, Exchange, HangUp, Request

STEPS = {
    "/api/v2/products": "browse",
    "/api/v2/cart/items": "add_to_cart",
    "/api/v2/checkout/apply-coupon": "apply_coupon",
    "/api/v2/checkout/start": "start_checkout",
    "/api/v2/payments/charge": "charge",
    "/api/v2/orders/confirm": "confirm",
    "/metrics": "metrics",
}
SHOPPING = {*STEPS.values(), "detail"} - {"metrics"}
"""The seven steps; the clock of the quirks starts with the first of their requests."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """What to do wrong, to which step, how often and when (s since the first request)."""

    name: str
    step: str = ""
    share: float = 1.0
    from_s: float = 0.0
    to_s: float = inf

    @classmethod
    def parse(cls, text: str) -> "Quirk":
        """Raises ValueError for a quirk that there is not."""
        name, step, *numbers = [*text.split(":"), ""][: max(2, text.count(":") + 1)]
        if name not in QUIRKS:
            raise ValueError(f"no quirk {name!r}; there are {', '.join(QUIRKS)}")
        return cls(name, step, *map(float, numbers))

    def fits(self, step: str, t_s: float) -> bool:
        """Whether it is about this step at this time."""
        of_step = step == self.step or (not self.step and step in SHOPPING)
        return of_step and self.from_s <= t_s < self.to_s


class HostileShop:
    """Listens on a free port of loopback while it is entered."""

    def __init__(self, *quirks: Quirk, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._quirks = quirks
        self._tls = tls
        self._port = port
        self._dealt = [0.0] * len(quirks)
        self._first_s: float | None = None
        self._cpu_before_s = time.process_time()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: Counter[str] = Counter()
        """Requests that arrived, by step."""
        self.hit: Counter[tuple[str, str]] = Counter()
        """Requests that met a quirk, by quirk and step."""
        self.log: list[tuple[float, str, str]] = []
        """When each request of the seven steps arrived (Unix time), its step, its quirk or ""."""
        self.connections = 0
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the hostile shop did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it, once; its connections end with it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)

    def targets(self) -> list[str]:
        """Options of ``loadgate run`` that send its load here."""
        names = ("checkout", "payment", "cart")
        return [word for name in names for word in ("--set", f"target.{name}={self.url}")]

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(
            self._connected, "127.0.0.1", self._port, backlog=1024, ssl=self._tls
        )
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._listening.set()
        await self._stop.wait()
        server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await self._exchange(await self._read(reader), reader, writer)
        except (HangUp, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        _method, target, _ = head.split(" ", 2)
        length = 0
        for line in head.split("\r\n"):
            if line.lower().startswith("content-length:"):
                length = int(line.split(":")[1])
        body = await reader.readexactly(length)
        path = target.partition("?")[0]
        step = STEPS.get(path, "detail" if path.startswith("/api/v2/products/") else path)
        self.seen[step] += 1
        return Request(step, path, json.loads(body or b"{}"), self.seen[step])

    async def _exchange(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        exchange = Exchange(request, reader, writer)
        quirk = self._quirk_for(request.step)
        if request.step in SHOPPING:
            self.log.append((time.time(), request.step, quirk))
        if quirk:
            await QUIRKS[quirk](exchange)
        elif request.step == "metrics":
            await exchange.answer(200, self._metrics().encode())
        else:
            await exchange.answer(*exchange.good())

    def _quirk_for(self, step: str) -> str:
        """The first quirk that is due for a request of this step; "" for a good answer."""
        now_s = time.monotonic()
        if self._first_s is None and step in SHOPPING:
            self._first_s = now_s
        t_s = now_s - (self._first_s if self._first_s is not None else now_s)
        for place, quirk in enumerate(self._quirks):
            if not quirk.fits(step, t_s):
                continue
            self._dealt[place] += quirk.share
            if self._dealt[place] >= 1 - 1e-9:
                self._dealt[place] -= 1
                self.hit[quirk.name, step] += 1
                return quirk.name
        return ""

    def _metrics(self) -> str:
        counts = "".join(
            f'http_requests_total{{endpoint="{step}",status="200"}} {n}\n'
            for step, n in self.seen.items()
        )
        return (
            f"process_cpu_seconds_total {time.process_time() - self._cpu_before_s}\n"
            f"process_resident_memory_bytes {100 * 2**20}\n"
            'connection_pool_max{pool="requests",replica="0"} 100\n'
            'connection_pool_active{pool="requests",replica="0"} 3\n'
            'connection_pool_waiting{pool="requests",replica="0"} 0\n'
            'connection_pool_timeouts_total{pool="requests",replica="0"} 0\n' + counts
        )


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with HostileShop(*map(Quirk.parse, arguments)) as shop:
        sys.stdout.write(f"{shop.url}\n")
        sys.stdout.flush()
        ended.wait()
        hit = {f"{name}:{step}": n for (name, step), n in shop.hit.items()}
        sys.stdout.write(json.dumps({"seen": shop.seen, "hit": hit}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
