"""Throughput and p99 over the size of a pool whose connections share a database: mock and model.

    python -m benchmarks.studies.pool_sweep

A fixed number of clients ask a real checkout service for coupons, each again as soon as it is
answered, at several pool sizes. Beside it stands a simulation of the same closed system that
shares no code with the mock's database: what is left of every job is worked off from event to
event. It draws from the same latency curve, with another seed, and runs 30 times as long.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path

import aiohttp
import numpy as np

from harness.scene.behaviour import change_all
from harness.scene.running import running_of
from harness.scene.services import start_services
from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit.quantiles import LatencySampler
from recording.clock import RunClock

CLIENTS = 96
POOLS = (4, 6, 8, 10, 12, 16, 24, 40)
CORES, SHARE, SWITCH_COST = 4, 0.5, 0.03
SCALE = 0.25
"""Of the published latency, 134 ms on average: 17 ms of work make 240 requests/s on the cores."""
SETTLE_S, MEASURED_S = 2.0, 8.0
SIMULATED_S = 240.0
TOLERANCE = 0.10
ENDPOINT = "apply_coupon"
PATH = "/api/v2/checkout/apply-coupon"
USER = {"Authorization": "Bearer lt-user-token-00001"}


@dataclass(frozen=True, slots=True)
class Seen:
    """At one pool size."""

    per_s: float
    p99_ms: float


def seen(took_s: Sequence[float], seconds: float) -> Seen:
    """What so many answers within this time make."""
    return Seen(len(took_s) / seconds, 1000 * float(np.quantile(took_s, 0.99)))


@dataclass(slots=True)
class Job:
    """A request that has a connection: work for a core, then time in which it only holds it."""

    asked_s: float
    work_s: float
    hold_s: float


def simulated(pool: int, sampler: LatencySampler) -> Seen:
    """The model: first come, first served for a connection, egalitarian sharing of the cores."""
    now_s, waiting = 0.0, deque([0.0] * CLIENTS)
    working: list[Job] = []
    holding: list[tuple[float, float]] = []
    took_s: list[float] = []
    while now_s < SETTLE_S + SIMULATED_S:
        while waiting and len(working) + len(holding) < pool:
            drawn_s = sampler.draw_s()
            working.append(Job(waiting.popleft(), SHARE * drawn_s, (1 - SHARE) * drawn_s))
        over = max(0, len(working) - CORES)
        speed = min(1.0, CORES / max(1, len(working))) / (1 + SWITCH_COST * over)
        first = min(working, key=lambda job: job.work_s, default=None)
        worked_s = now_s + first.work_s / speed if first else np.inf
        released_s = holding[0][0] if holding else np.inf
        passed_s = min(worked_s, released_s) - now_s
        for job in working:
            job.work_s -= passed_s * speed
        now_s += passed_s
        if first and worked_s <= released_s:
            working.remove(first)
            heappush(holding, (now_s + first.hold_s, first.asked_s))
        else:
            _, asked_s = heappop(holding)
            waiting.append(now_s)
            if now_s > SETTLE_S:
                took_s.append(now_s - asked_s)
    return seen(took_s, now_s - SETTLE_S)


async def measured(url: str) -> Seen:
    """The mock, as its clients see it."""
    took_s: list[float] = []
    end_s = time.perf_counter() + SETTLE_S + MEASURED_S

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        body = {"cart_id": f"cart-{number}", "coupon_code": "BF25-001"}
        while (asked_s := time.perf_counter()) < end_s:
            async with session.post(url + PATH, json=body) as answer:
                await answer.read()
                assert answer.status == 200, await answer.text()
            now_s = time.perf_counter()
            if end_s - MEASURED_S < now_s < end_s:
                took_s.append(now_s - asked_s)

    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(headers=USER, connector=connector) as session:
        await asyncio.gather(*(client(session, number) for number in range(CLIENTS)))
    return seen(took_s, MEASURED_S)


def sweep(seed: int) -> Iterator[tuple[int, Seen, Seen]]:
    """Pool size, mock, model."""
    told = {
        "latency_scale": SCALE,
        "db_cores": CORES,
        "db_share": SHARE,
        "db_switch_cost": SWITCH_COST,
        "pool_wait_timeout_s": 60.0,
        "seed": seed,
    }
    sampler = LatencySampler(seed + 1, ENDPOINT, CheckoutSettings().latency[ENDPOINT], SCALE)
    with tempfile.TemporaryDirectory(prefix="loadgate-bench-") as logs:
        services = start_services({"checkout": told}, RunClock.start(), logs=Path(logs))
        try:
            running = running_of(services, 0, seed)
            for pool in POOLS:
                change_all(running, {"checkout": {"pool_max": pool}})
                found = asyncio.run(measured(services.urls["checkout"]))
                yield pool, found, simulated(pool, sampler)
        finally:
            services.stop()


Rows = Sequence[tuple[int, Seen, Seen]]


def verdicts(rows: Rows) -> Iterator[tuple[str, bool]]:
    """Whether there is a peak and a minimum, and whether both are the model's."""
    rates = [(ours.per_s, model.per_s) for _, ours, model in rows]
    tails = [(-ours.p99_ms, -model.p99_ms) for _, ours, model in rows]
    for what, values in (("most requests/s", rates), ("least p99 ms", tails)):
        ours, model = ([pair[i] for pair in values] for i in (0, 1))
        mine, theirs = ours.index(max(ours)), model.index(max(model))
        ratio = ours[mine] / model[theirs]
        text = f"{what}: {abs(ours[mine]):.1f} at a pool of {rows[mine][0]}"
        text += f", model {abs(model[theirs]):.1f} at {rows[theirs][0]} (ratio {ratio:.3f})"
        yield text, 0 < mine < len(rows) - 1 and abs(ratio - 1) <= TOLERANCE


def main() -> int:
    """Print the table; 0 when both extremes are the model's, 3 when not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2025)
    seed = parser.parse_args().seed
    print(
        f"{CLIENTS} clients, {CORES} cores, share {SHARE}, switch cost {SWITCH_COST}, seed {seed}"
    )
    print("pool    req/s   model  ratio   p99 ms   model  ratio")
    rows = []
    for pool, ours, model in sweep(seed):
        rows.append((pool, ours, model))
        rates = f"{ours.per_s:7.1f} {model.per_s:7.1f} {ours.per_s / model.per_s:6.3f}"
        tails = f"{ours.p99_ms:7.0f} {model.p99_ms:7.0f} {ours.p99_ms / model.p99_ms:6.3f}"
        print(f"{pool:4}  {rates}  {tails}", flush=True)
    said = list(verdicts(rows))
    for text, holds in said:
        print(f"{text}: {'holds' if holds else 'MISSED'}")
    return 0 if all(holds for _, holds in said) else 3


if __name__ == "__main__":
    sys.exit(main())
