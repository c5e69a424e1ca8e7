"""A small open-loop HTTP driver: sends at a fixed rate and watches one process's CPU time.

    python -m benchmarks.figures.driver PLAN URL PID [--rate 500] [--warmup 10] [--seconds 20]

Bare asyncio connections and httptools, so that the driver needs little of the box's CPU. PLAN
names a mix of ``benchmarks.figures.traffic``. Prints one JSON object.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httptools
import psutil
import uvloop

from benchmarks.figures.traffic import PLANS, Plan, Request

CONNECTIONS = 300
TICK_S = 0.01
"""Requests are due in batches this far apart: finer pacing would cost more than the requests."""


@dataclass(slots=True)
class Tally:
    """What came back while measuring."""

    statuses: Counter[int] = field(default_factory=Counter)
    behind: int = 0


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, driver: "Driver") -> None:
        self._driver = driver
        self._body: list[bytes] = []
        self._request: Request | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by class
        self._parser = httptools.HttpResponseParser(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._driver.lost(self._request is not None)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def send(self, request: Request) -> None:
        """Send a request; the connection comes back to the driver with its answer."""
        self._request = request
        self._body.clear()
        self._transport.write(request.data)

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        request, self._request = self._request, None
        status = self._parser.get_status_code()
        self._parser = httptools.HttpResponseParser(self)
        assert request is not None
        self._driver.answered(self, request, status, b"".join(self._body))


class Driver:
    """Paces the requests of a plan over a fixed set of connections."""

    def __init__(self, plan: Plan, rate: float) -> None:
        self._plan = plan
        self._rate = rate
        self._idle: deque[Connection] = deque()
        self.tally = Tally()
        self.failures = 0

    async def connect(self, host: str, port: int, connections: int = CONNECTIONS) -> None:
        """Open all connections."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: Connection(self), host, port)
            self._idle.append(connection)

    async def drive(self, seconds: float) -> None:
        """Send at the rate for ``seconds``; what finds no idle connection is counted, not sent."""
        began_s = time.perf_counter()
        due = 0
        while (passed_s := time.perf_counter() - began_s) < seconds:
            while due < passed_s * self._rate:
                due += 1
                if self._idle:
                    self._idle.popleft().send(self._plan.next())
                else:
                    self.tally.behind += 1
            await asyncio.sleep(TICK_S)

    def answered(self, connection: Connection, request: Request, status: int, body: bytes) -> None:
        """Count an answer and let the plan learn from it."""
        self.tally.statuses[status] += 1
        self._idle.append(connection)
        self._plan.learn(request, status, body)

    def lost(self, working: bool) -> None:
        """A connection is gone."""
        self.failures += working


async def run(options: argparse.Namespace) -> dict[str, object]:
    """Warm up, then measure."""
    where = urlsplit(options.url)
    assert where.hostname is not None
    assert where.port is not None
    driver = Driver(PLANS[options.plan](where.netloc), options.rate)
    await driver.connect(where.hostname, where.port)
    await driver.drive(options.warmup)
    driver.tally = Tally()
    process = psutil.Process(options.pid)
    before_s, began_s = _cpu_s(process), time.perf_counter()
    await driver.drive(options.seconds)
    return {
        "cpu_s": _cpu_s(process) - before_s,
        "seconds": time.perf_counter() - began_s,
        "requests": sum(driver.tally.statuses.values()),
        "statuses": {str(status): n for status, n in driver.tally.statuses.items()},
        "behind": driver.tally.behind,
        "lost": driver.failures,
        "rss_bytes": process.memory_info().rss,
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main(argv: list[str]) -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.figures.driver", description=__doc__
    )
    parser.add_argument("plan", choices=tuple(PLANS))
    parser.add_argument("url")
    parser.add_argument("pid", type=int)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--warmup", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    print(json.dumps(uvloop.run(run(parser.parse_args(argv)))))


if __name__ == "__main__":
    main(sys.argv[1:])
