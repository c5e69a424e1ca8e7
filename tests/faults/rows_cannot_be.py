"""Numbers that cannot be, such as -1 for "unknown", are no data and keep no rule (point 4)."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from recording.metric_names import (
    MEMORY_LIMIT,
    OOM_EVENTS,
    ORDERS_DB,
    POOL_ACTIVE,
    REPLICAS,
    RSS,
    UP,
)
from recording.series import Sample
from tests.analysis.recordings import END_S, LOAD
from tests.faults.fault import Fault, Seen
from tests.faults.in_process import loadgate
from tests.faults.rows_unknown import by_rule, unknown
from tests.harness.foreign.test_hostile import WRONG

CART = "cart-service"
MEMORY_RULES = ("slope < 10 MB/h", "peak_rss < 500 MB", "time_to_limit > 72 h")
DATABASE_RULES = {
    "replication_lag < 1 s": "database_replication_lag_seconds",
    "deadlocks == 0": "database_deadlocks_total",
    "connections < 90 %": "database_connections",
    "locks_waiting == 0": "database_locks_waiting",
}
LATE_ORDER = ((20.0, "ord-1"), (30.0, "ord-2"), (39.0, "ord-3"))


def no_data(name: str, section: str, rule: str, how: str, **faults: Any) -> Fault:
    """A rule that must come out open. It is not about requests, of which one step is enough."""
    return unknown(name, section, rule, how, fast=True, steps=("charge",), **faults)


def said(sample: Sample, metric: str, value: float, every: int = 1) -> float:
    """A cart that says this in place of what it would, each time or every few seconds."""
    own = sample.subject == CART and sample.metric == metric and int(sample.t_s) % every == 0
    return value if own else sample.value


def memory() -> Iterator[Fault]:
    """No process has no memory; neither where it says so always, nor now and then."""
    for value in (0.0, -1.0):
        for rule in MEMORY_RULES:
            for every, when in ((1, "always"), (7, "every seventh second")):
                yield no_data(
                    f"resident memory {value:g} {when}: {rule}", f"{CART}.memory", rule,
                    "200 s of it", start_s=1.0, end_s=200.0,
                    said=partial(said, metric=RSS, value=value, every=every),
                )  # fmt: skip
        yield no_data(
            f"memory limit {value:g}", f"{CART}.memory", "time_to_limit > 72 h",
            "as cAdvisor writes for none; grows 200 MB/h", start_s=1.0, end_s=1200.0,
            rss_mb_per_h=200.0, said=partial(said, metric=MEMORY_LIMIT, value=value),
            says="no memory limit known",
        )  # fmt: skip
    for rule in ("slope >= 1 MB/h", "time_to_limit < 72 h"):
        yield no_data(
            f"too few samples: {rule}", f"{CART}.memory", rule, "six of them", start_s=1.0,
            end_s=6.0, ledger=((2.0, "ord-1"), (3.0, "ord-2")),
        )  # fmt: skip
    killed = [Sample(second, CART, OOM_EVENTS, -1.0) for second in range(int(END_S) + 1)]
    yield no_data("a counter of kills at -1", f"{CART}.memory", "oom_killed == 0",
                  "of services at urls", samples=killed, urls=True)  # fmt: skip


def database() -> Iterator[Fault]:
    """One that says -1 says nothing, of each of its numbers."""
    for rule, metric in DATABASE_RULES.items():
        told = {UP: 1.0, "database_replicas": 1.0, "database_connections_max": 400.0, metric: -1.0}
        samples = [
            Sample(s, ORDERS_DB, m, v) for s in range(int(END_S) + 1) for m, v in told.items()
        ]
        yield no_data(f"a database that says -1: {rule}", f"{ORDERS_DB}.database", rule,
                      f"{metric} is -1", samples=samples)  # fmt: skip


LEFT = {RSS: 110 * 2.0**20, REPLICAS: 2.0, f"{POOL_ACTIVE}/p/0": 0.0}
"""At the end of the cool-down, where all is given back."""
ANOTHER = [Sample(s, CART, f"{POOL_ACTIVE}/q/0", 0.0 if s < 3 else 9.0) for s in range(44)]
"""A second pool, of which nothing is said after the load."""
GIVEN_BACK = (
    ("all of a pool is given back", "pool_left == 0", {}, [], "PASS"),
    ("-1 of a pool is left", "pool_left == 0", {f"{POOL_ACTIVE}/p/0": -1.0}, [], "INCONCLUSIVE"),
    ("a pool that is told of no more", "pool_left == 0", {}, ANOTHER, "INCONCLUSIVE"),
    ("no replica is left", "replicas_left == 0", {REPLICAS: 0.0}, [], "INCONCLUSIVE"),
    ("no memory is left", "memory_left < 50 MB", {RSS: 0.0}, [], "INCONCLUSIVE"),
)


def reclaim() -> Iterator[Fault]:
    """What is no longer told was not given back; a replica that went is another matter."""
    cooled = {"t_s": 48.0, "source": "harness", "event": "cooled_down"}
    load = LOAD.model_copy(update={"cooldown": 8.0})
    for name, rule, left, more, verdict in GIVEN_BACK:
        late = [Sample(s, CART, m, v) for s in range(41, 49) for m, v in {**LEFT, **left}.items()]
        samples = [Sample(0, CART, REPLICAS, 2.0), *late, *more]
        do = by_rule(f"{CART}.reclaim", rule, samples=samples, load=load, begins_s=3.0,
                     events=[cooled], required=("reclaim",), steps=("charge",))  # fmt: skip
        yield Fault(name, 4, f"{rule}, after a cool-down", do, verdict=verdict, limit_s=20)


def guards() -> Iterator[Fault]:
    """A mock's CPU counter begins anew where it restarts, and goes on from there."""
    for restarts in ((), (38,)):
        do = by_rule(
            "journey.latency", "p99 < 500 ms", required=("latency",), cpu={CART: 1.5},
            restarted_s={CART: restarts},
        )  # fmt: skip
        again = "that restarts" if restarts else "that goes on"
        yield Fault(f"a saturated mock {again}", 12, "1.5 cores of cart-service", do,
                    verdict="INVALID", says="CPU of the cart-service mock", limit_s=20)  # fmt: skip


def orders() -> Iterator[Fault]:
    """No more are in flight at the stop than there are requests for one without an answer."""
    for name, how, verdict, faults in (
        ("a late order that nobody asked for", "every request has its answer", "FAIL", {}),
        ("a late order beside charges that never ended", "5 % of charges", "FAIL",
         {"outcomes": {"charge": {"unanswered": 0.05}}}),
        ("an order of long after the stop", "its clock is another", "INCONCLUSIVE",
         {"ledger": (*LATE_ORDER[:2], (1e9, "ord-3"))}),
    ):  # fmt: skip
        do = by_rule("orders.orders", "unmatched == 0", **{"ledger": LATE_ORDER, **faults})
        yield Fault(name, 4, how, do, verdict=verdict, limit_s=20)


def imported(folder: Path, data: bytes) -> Seen:
    """What becomes of the results of another generator."""
    path = folder / "results"
    path.write_bytes(data)
    return loadgate("import", str(path), "--runs", str(folder / "runs"))


def results() -> Iterator[Fault]:
    """Of other generators: refused with the line, none dropped and none cut."""
    for name, (data, words) in WRONG.items():
        bytes_of = data if isinstance(data, bytes) else data.encode()
        yield Fault(
            f"imported results: {name}", 12, "loadgate import", partial(imported, data=bytes_of),
            exit_code=2, says=re.escape(words), fast=False, limit_s=20,
        )  # fmt: skip


ROWS = (*memory(), *database(), *reclaim(), *guards(), *orders(), *results())
