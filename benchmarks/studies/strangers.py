"""Ids never seen before, at every endpoint, over many connections: does a table grow for ever?

    python -m benchmarks.studies.strangers [--connections 10000] [--rate 400] [--seconds 600]

Connections and requests per second are shared by the four services. What is bounded by time alone
lives for 30 s here, so that all is full by half-time; from there to the end no service's resident
memory may grow by more than 2 %. Exit code 3 when one's does.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import uvloop

from analysis.words.units import BYTES_PER_MB
from benchmarks.figures.driver import Driver
from benchmarks.figures.traffic import Plan, Request
from harness.scene.services import Service, start_services
from mock_services.kit.runtime import raise_descriptor_limit
from recording.clock import RunClock

GROWTH_SHARE = 0.02
SAMPLE_S = 1.0
SHOWN = 12
"""Samples of a service's memory that are printed."""
ID = "{id}"
"""Stands for a new id."""
POST, GET = "POST", "GET"
ASKED: Mapping[str, tuple[tuple[str, str, Mapping[str, Any]], ...]] = {
    "checkout": (
        (GET, "/api/v2/products?category={id}", {}),
        (GET, "/api/v2/products/{id}", {}),
        (POST, "/api/v2/checkout/apply-coupon", {"cart_id": ID, "coupon_code": "BF25-001"}),
        (POST, "/api/v2/checkout/start", {"cart_id": ID, "user_id": ID}),
        (GET, "/api/v2/checkout/{id}", {}),
        (POST, "/api/v2/orders/confirm", {"checkout_id": ID, "payment_id": ID}),
    ),
    "payment": (
        (
            POST,
            "/api/v2/payments/charge",
            {"checkout_id": ID, "payment_method": "card", "card_token": "tok_test_visa_4242"},
        ),
        (GET, "/api/v2/payments/{id}", {}),
    ),
    "inventory_lock": (
        (
            POST,
            "/api/v1/locks/acquire",
            {"sku": "SKU-28471", "quantity": 1, "checkout_id": ID, "ttl_seconds": 30},
        ),
        (POST, "/api/v1/locks/release", {"lock_id": ID}),
    ),
    "cart": (
        (POST, "/api/v2/cart/items", {"cart_id": ID, "sku": "SKU-28471", "quantity": 1}),
        (POST, "/api/v2/cart/checkout", {"cart_id": ID}),
    ),
}
"""The business endpoints of each service: method, path and body."""
SETTINGS: dict[str, dict[str, Any]] = {
    "checkout": {"checkout_ttl_s": 30.0, "lock_ttl_s": 30, "latency_scale": 0.1},
    "payment": {"rate_limit_per_s": 0.0, "idempotency_keys_max": 2000, "latency_scale": 0.1},
    "inventory_lock": {"pool_max": 100_000, "expiry_per_s": 0.0, "latency_scale": 0.1},
    "cart": {"ttl_s": 30.0, "eviction_interval_s": 5.0, "latency_scale": 0.1},
}


class StrangersPlan(Plan):
    """The endpoints of one service in turn, each time with ids of their own."""

    def __init__(self, service: str, host: str) -> None:
        super().__init__(host)
        self._asked = itertools.cycle(ASKED[service])

    def next(self) -> Request:
        method, path, body = next(self._asked)
        path = path.replace(ID, uuid.uuid4().hex)
        if method == GET:
            return self.get(path, path)
        new = {key: uuid.uuid4().hex if value == ID else value for key, value in body.items()}
        return self.post(path, path, new, f"Idempotency-Key: {uuid.uuid4().hex}\r\n")

    def _head(self, method: str, path: str) -> str:
        """As a service: it is let in everywhere."""
        return super()._head(method, path).replace("lt-user-token-00001", "lt-svc-token-bench")


async def drive(service: Service, options: argparse.Namespace) -> Driver:
    """A service's share of the load, over its share of the connections."""
    host, port = service.url.removeprefix("http://").split(":")
    driver = Driver(StrangersPlan(service.name, f"{host}:{port}"), options.rate / len(ASKED))
    await driver.connect(host, int(port), options.connections // len(ASKED))
    await driver.drive(options.seconds)
    return driver


async def watch(services: tuple[Service, ...], into: dict[str, list[float]]) -> None:
    """Resident memory of each in MB, for ever."""
    processes = {service.subject: psutil.Process(service.process.pid) for service in services}
    while True:
        for subject, process in processes.items():
            into[subject].append(process.memory_info().rss / BYTES_PER_MB)
        await asyncio.sleep(SAMPLE_S)


async def play(services: tuple[Service, ...], options: argparse.Namespace) -> bool:
    """Load and watch all of them, print; whether every one is flat."""
    memory: dict[str, list[float]] = defaultdict(list)
    watching = asyncio.create_task(watch(services, memory))
    drivers = await asyncio.gather(*(drive(service, options) for service in services))
    watching.cancel()
    flat = [show(service.subject, memory[service.subject]) for service in services]
    for service, driver in zip(services, drivers, strict=True):
        tally = driver.tally
        print(f"{service.subject}: answers {dict(tally.statuses)}, not sent {tally.behind}")
    return all(flat)


def show(subject: str, mb: list[float]) -> bool:
    """Print a curve; whether its second half is flat."""
    tenth = max(1, len(mb) // 10)
    half = len(mb) // 2
    filled, end = statistics.median(mb[half : half + tenth]), statistics.median(mb[-tenth:])
    flat = end - filled <= GROWTH_SHARE * filled
    curve = " ".join(f"{value:.1f}" for value in mb[:: max(1, len(mb) // SHOWN)])
    print(f"{subject}: {curve} MB; {end - filled:+.2f} MB since half-time: ", end="")
    print("flat" if flat else "GROWS")
    return flat


def main() -> int:
    """Start the services, load them, end them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=10_000, help="in all [10000]")
    parser.add_argument("--rate", type=float, default=400.0, help="requests/s in all [400]")
    parser.add_argument("--seconds", type=float, default=600.0, help="of load [600]")
    options = parser.parse_args()
    raise_descriptor_limit()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="loadgate-strangers-") as folder:
        services = start_services(SETTINGS, RunClock.start(), logs=Path(folder))
        try:
            flat = uvloop.run(play(services.services, options))
        finally:
            services.stop()
    print(json.dumps({"flat": flat, "took_s": round(time.monotonic() - began_s)}))
    return 0 if flat else 3


if __name__ == "__main__":
    sys.exit(main())
