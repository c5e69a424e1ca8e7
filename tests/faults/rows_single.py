"""What single runs were judged on though nobody knew it, or knew better (points 4, 5 and 12)."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from analysis.limits.thresholds import parse_thresholds
from recording.closing import close_run
from recording.load import Load, Phase
from recording.manifest import read_manifest
from recording.series import Sample
from tests.analysis.books import Books
from tests.analysis.recordings import USERS, Recording, load_for
from tests.faults.fault import Fault, Seen, judged
from tests.faults.in_process import loadgate
from tests.faults.rows_unknown import by_rule

CART, CHECKOUT, LOCKS = "cart-service", "checkout-service", "inventory-lock-service"
ORDERS_DB = "orders-db"
RSS = "process_resident_memory_bytes"
START_S, END_S = 2.0, 20.0
SMALL: dict[str, Any] = {
    "start_s": START_S, "end_s": END_S, "steps": ("charge",),
    "ledger": ((12.0, "ord-1"), (13.0, "ord-2")),
}  # fmt: skip


def by(section: str, rule: str, **faults: Any) -> Callable[[Path], Seen]:
    """Judge a short recording by one rule, which alone is required."""
    return by_rule(section, rule, required=(section.partition(".")[2],), **{**SMALL, **faults})


def told(metric: str, value: Callable[[int], float | None], subject: str = CART) -> list[Sample]:
    """What a service says each second; None: nothing."""
    said = ((second, value(second)) for second in range(int(END_S) + 1))
    return [Sample(second, subject, metric, v) for second, v in said if v is not None]


def never_known() -> Iterator[Fault]:
    """Numbers that cannot be, which some say when they do not know."""
    restarts, oom = ("cart-service.process", "restarts == 0"), "container_oom_events_total"
    for metric, when, value in (
        ("process_start_time_seconds", "now and then", lambda s: -1.0 if s % 7 == 0 else 1000.0),
        ("process_start_time_seconds", "at first", lambda s: 0.0 if s < 3 else 1000.0),
        ("container_restarts_total", "now and then", lambda s: -1.0 if s % 7 == 0 else 0.0),
        ("container_restarts_total", "at first", lambda s: -1.0 if s < 5 else 0.0),
    ):
        yield Fault(f"{metric} says {value(0):g} {when}", 4, "nobody knew",
                    by(*restarts, samples=told(metric, value)), verdict="PASS",
                    fast=False)  # fmt: skip
    alone = {"without": ("process_cpu_seconds_total",)}
    yield Fault("restarts of -1 and nothing else", 4, "never known",
                by(*restarts, samples=told("container_restarts_total", lambda _: -1.0), **alone),
                verdict="INCONCLUSIVE")  # fmt: skip
    yield Fault("restarts by the billion", 16, "1e15 between two samples",
                by(*restarts, samples=told("container_restarts_total",
                                           lambda s: 0.0 if s < 5 else 1e15)),
                verdict="FAIL", says="more than can be", limit_s=20)  # fmt: skip
    yield Fault("kills of -1 now and then", 4, "5, -1, 5",
                by("cart-service.memory", "oom_killed == 0", urls=True,
                   samples=told(oom, lambda s: -1.0 if s % 7 == 3 else 5.0)),
                verdict="INCONCLUSIVE")  # fmt: skip
    yield Fault("memory beyond any address", 4, "1e30 bytes",
                by("cart-service.memory", "peak_rss < 500 MB",
                   said=lambda s: 1e30 if s.metric == RSS else s.value),
                verdict="INCONCLUSIVE")  # fmt: skip


def of_pools() -> Iterator[Fault]:
    """Pools of which a service does not say how full they are."""
    names: Mapping[str, Callable[[int], float | None]] = {
        "max": lambda _: 5.0, "waiting": lambda _: 9.0, "timeouts_total": float,
    }  # fmt: skip
    other = [s for n, value in names.items() for s in told(f"connection_pool_{n}/q/0", value)]

    def late(sample: Sample) -> float | None:
        of_pool = sample.subject == CART and sample.metric.startswith("connection_pool")
        return None if of_pool and sample.t_s < END_S - 3 else sample.value

    for rule in ("exhausted_windows == 0", "utilization < 95 %", "timeouts == 0"):
        yield Fault(f"a second pool without its use: {rule}", 4, "its callers time out",
                    by("cart-service.pool", rule, samples=other), verdict="INCONCLUSIVE",
                    says="pool q/0: no connection_pool_active", fast=False)  # fmt: skip
        yield Fault(f"pools only at the end: {rule}", 4, "nothing said of any for 15 of 18 s",
                    by("cart-service.pool", rule, said=late, steps=("add_to_cart",)),
                    verdict="INCONCLUSIVE",
                    says="no connection_pool_active in", fast=False)  # fmt: skip


def of_replicas() -> Iterator[Fault]:
    """One of two is not told of for a while, in which it may have been full."""
    gone = range(8, 14)
    numbers = {"max": 10.0, "active": 2.0, "waiting": 0.0, "timeouts_total": 0.0}
    second = [s for name, value in numbers.items()
              for s in told(f"connection_pool_{name}/p/1",
                            lambda s, value=value: None if s in gone else value)]  # fmt: skip
    for now, verdict in ((2.0, "INCONCLUSIVE"), (1.0, "PASS"), (None, "INCONCLUSIVE")):
        count = told("service_replicas", lambda s, now=now: now if s in gone else now and 2.0)
        yield Fault(f"a replica that is back: {now or 'nobody says how many'} meanwhile", 4,
                    "no pool of it from T+8s to T+14s",
                    by("cart-service.pool", "utilization < 95 %", samples=[*second, *count]),
                    verdict=verdict)  # fmt: skip


def of_counters() -> Iterator[Fault]:
    """A service's own answers, of a time in which it counted none, or not all."""
    good = told("http_requests_total/200", lambda s: 100.0 * s, LOCKS)
    ends = told("http_requests_total/503", lambda s: 0.0 if s < 8 else None, LOCKS)
    for again, verdict in (((), "INCONCLUSIVE"), ((8,), "PASS")):
        yield Fault(f"a counter of 503 that ends, {len(again)} restarts", 4, "told for 8 s of 20",
                    by("inventory-lock-service.errors", "error_rate < 1 %",
                       samples=[*good, *ends], restarted_s={LOCKS: again}),
                    verdict=verdict)  # fmt: skip
    late = told("http_requests_total/200", lambda s: 1000.0 * s if s > END_S - 3 else None, LOCKS)
    yield Fault("a service that counts its answers at the end only", 4, "of 3 of 18 s",
                by("inventory-lock-service.errors", "error_rate < 1 %", samples=late,
                   steps=("start_checkout",)),
                verdict="INCONCLUSIVE", says="no http_requests_total in")  # fmt: skip


def of_buckets() -> Iterator[Fault]:
    """Histograms that are none."""
    name = "ledger_commit_seconds_bucket"
    waits = "connection_pool_acquire_seconds_bucket/p/0"
    for rule in ("commit_p99 < 250 ms", "slow_commits == 0"):
        for which, bounds in {"no last bucket": ("0.1", "0.5"), "only the last": ("+Inf",)}.items():
            samples = [
                s for le in bounds for s in told(f"{name}/{le}", lambda t_s: 50.0 * t_s, CHECKOUT)
            ]
            yield Fault(f"commits with {which}: {rule}", 12, f"buckets {', '.join(bounds)}",
                        by("orders-db.database", rule, samples=samples),
                        verdict="INCONCLUSIVE", fast=False)  # fmt: skip
    more = told(f"{name}/+Inf", lambda s: 50.0 * s, CHECKOUT)
    more += told(f"{name}/0.1", lambda s: 60.0 * s, CHECKOUT)
    yield Fault("more quick commits than commits", 12, "buckets contradict each other",
                by("orders-db.database", "slow_commits == 0", samples=more),
                verdict="INCONCLUSIVE", says="contradict")  # fmt: skip
    odd = [s for le in ("nan", "-inf", "0.01", "+Inf")
           for s in told(f"{waits}/{le}", lambda s: 50.0 * s)]  # fmt: skip
    yield Fault("a bucket up to nothing", 12, "le nan and -inf",
                by("cart-service.pool", "acquire_wait_p99 < 50 ms", samples=odd),
                verdict="PASS")  # fmt: skip


PAID = (("pay-3", "chk-3", "succeeded", 700), ("pay-4", "chk-3", "succeeded", 700))
TWO_FOR_ONE = """
CREATE TABLE any_orders AS SELECT * FROM orders;
DROP TABLE orders;
ALTER TABLE any_orders RENAME TO orders;
UPDATE orders SET checkout_id = 'chk-1', payment_id = 'pay-1', amount_cents = 8999;
"""


def books(rule: str, orders: tuple[str, ...] = (), **made: Any) -> Callable[[Path], Seen]:
    """Judge ledgers that know of money by one rule; `orders` are those that clients saw."""
    return by("orders.orders", rule, orders=orders, ledger=None, books=Books(**made))


def two_for_one(folder: Path) -> Seen:
    """Both orders are of one checkout and one payment."""
    run = Recording(**{**SMALL, "judged": ("orders",), "ledger": None, "books": Books()}).write(
        folder / "run"
    )
    with closing(sqlite3.connect(run.orders)) as ledger:
        ledger.executescript(TWO_FOR_ONE)
    close_run(run, read_manifest(run.manifest))
    return judged(run, parse_thresholds('[orders]\norders = ["orders_without_payment == 0"]'))


def of_databases() -> Iterator[Fault]:
    """A database that says only some of it, or only for a while."""
    up = told("up", lambda _: 1.0, ORDERS_DB)
    commits = told("database_commits_total", lambda s: 50.0 * s if s < 8 else None, ORDERS_DB)
    for rule in ("commit_rate > 20 tps", "commit_rate < 60 tps"):
        yield Fault(f"a count of commits that ends: {rule}", 4, "50 a second, told for 8 s",
                    by("orders-db.database", rule, samples=[*up, *commits]),
                    verdict="INCONCLUSIVE", says="no database_commits_total in")  # fmt: skip
    slow = "database_slow_statements_total/pg_stat"
    ways = [*told(f"{slow}_activity", lambda _: 0.0, ORDERS_DB),
            *told(f"{slow}_statements", lambda s: 0.0 if s < 8 else None, ORDERS_DB)]  # fmt: skip
    yield Fault("one of two ways of seeing slow statements ends", 4, "pg_stat_statements is gone",
                by("orders-db.database", "slow_statements == 0", samples=[*up, *ways]),
                verdict="INCONCLUSIVE", says="no database_slow_statements_total in")  # fmt: skip
    yield Fault("a database that does not say whether it has replicas", 4, "only that it is up",
                by("orders-db.database", "replication_lag < 1 s", samples=up),
                verdict="INCONCLUSIVE", says="no database_replication_lag")  # fmt: skip


def of_money() -> Iterator[Fault]:
    """Ledgers in which somebody is wronged, and no order, or not as many as there are payments."""
    none: dict[str, Any] = {"orders": (), "items": ()}
    yield Fault("everybody paid and nobody got an order", 4, "no order at all, one given up",
                by("orders.orders", "charged_not_confirmed == 0", orders=(), ledger=None,
                   books=Books(**none, payments=PAID[:1], given_up=((3.0, "chk-3", "pay-3"),))),
                verdict="FAIL", says="charged and left without an order")  # fmt: skip
    yield Fault("charged twice, and no order", 4, "no order at all",
                by("orders.orders", "double_charges == 0", orders=(), ledger=None,
                   books=Books(**none, payments=PAID)),
                verdict="FAIL", says="charged twice")  # fmt: skip
    back = Books(orders=(("ord-1", "chk-1", "pay-1", -50),),
                 payments=(("pay-1", "chk-1", "succeeded", -50),))  # fmt: skip
    yield Fault("an order paid with money back", 4, "both of -50 cents",
                by("orders.orders", "orders_without_payment == 0", orders=("ord-1",), ledger=None,
                   books=back), verdict="FAIL", says="without a payment")  # fmt: skip
    refund = (("pay-1", "chk-1", "succeeded", 8999), ("pay-2", "chk-2", "succeeded", 1050),
              ("pay-5", "chk-2", "succeeded", -1050))  # fmt: skip
    yield Fault("money back is no second charge", 4, "a payment of -1050 cents",
                books("double_charges == 0", ("ord-1", "ord-2"), payments=refund),
                verdict="PASS")  # fmt: skip
    yield Fault("two orders of one payment", 4, "both rows have it", two_for_one,
                verdict="FAIL", says="1 order without a payment")  # fmt: skip


def of_a_mean() -> Fault:
    """What a few requests took says little of what they take."""
    phases = [p.model_copy(update={"users": 1}) for p in load_for(START_S, END_S - START_S).phases]
    load = Load(phases=tuple(phases))
    return Fault("a mean of few requests", 5, "18 of them, all of 90 ms",
                 by("charge.latency", "mean < 101 ms", rate=1.0, users=1.0,
                    distortion_every_s=1, load=load),
                 verdict="INCONCLUSIVE", says="too few for a mean")  # fmt: skip


def measured(name: str, how: str, load: Load) -> Fault:
    """A run that says it was completed, and measured 18 s."""
    return Fault(name, 5, how, by("journey.latency", "p50 < 1 s", load=load),
                 verdict="INCONCLUSIVE", says="stopped early: 18s of")  # fmt: skip


def without_the_generators_own(folder: Path) -> Seen:
    """Of the time that was measured."""
    run = Recording(**SMALL, judged=("latency",)).write(folder / "run")
    lines = run.load.read_text().splitlines(keepends=True)
    kept = [ln for ln in lines if "worker" not in ln or ln.startswith(("names", "0.", "1."))]
    run.load.write_text("".join(kept))
    close_run(run, read_manifest(run.manifest))
    return judged(run, parse_thresholds('[journey]\nlatency = ["p50 < 1 s"]'))


def of_the_run() -> Iterator[Fault]:
    """Less of it than was planned."""
    ramp = Phase(name="ramp-up", duration=2, users=USERS)
    sustained = Phase(name="sustained", duration=18, users=USERS, measured=True)
    peak = Phase(name="peak", duration=100, users=USERS, measured=True)
    yield measured("a measured phase that never began", "two are planned",
                   Load(phases=(ramp, sustained, peak)))  # fmt: skip
    yield measured("a measured phase that ended too soon", "300 s are planned",
                   load_for(2.0, 298.0))  # fmt: skip
    cooling = load_for(START_S, END_S - START_S).model_copy(update={"cooldown": 8.0})
    yield Fault("a cool-down that was cut short", 4, "no event says that it was over",
                by("cart-service.reclaim", "memory_left < 50 MB", load=cooling),
                verdict="INCONCLUSIVE", says="cut short")  # fmt: skip
    yield Fault("a generator that was silent while measured", 4, "samples of the ramp only",
                without_the_generators_own, verdict="INVALID",
                says="CPU of locust-worker-01 no data")  # fmt: skip
    yield Fault("memory above its limit stays", 4, "100 MB of a limit of 50 MB, falling",
                by("cart-service.memory", "time_to_limit > 72 h", end_s=240.0, rss_mb_per_h=-200.0,
                   said=lambda s: 50.0 * 2**20 if "limit" in s.metric else s.value),
                verdict="INCONCLUSIVE", says="50 MB is not its limit", limit_s=20)  # fmt: skip


def of_words() -> Iterator[Fault]:
    """What was printed though nobody knows it."""
    untold = {"charge": {"ok": 0.5, "untold": 0.5}}
    yield Fault("availability of requests that say nothing", 4, "half of them are untold",
                by("payment-gateway.availability", "availability >= 90 %", outcomes=untold),
                verdict="INCONCLUSIVE", says='"because": "no data: nobody says of 900')  # fmt: skip
    beyond = {"t_s": 1e9, "source": "locust", "event": "phase_started", "phase": "x"}
    yield Fault("a phase in the far future", 12, "before the end of the load in events.jsonl",
                by("journey.latency", "p50 < 1 s", events=[{**beyond, "measured": True}]),
                verdict="INVALID", says="a phase begins before")  # fmt: skip


def again_and_again(event: str, says: str, **details: Any) -> Fault:
    """Something that happens 3,000 times."""
    row = {"t_s": 5.0, "source": CART, "event": event, **details}
    made = {"events": [row] * 3000, "orders": ("ord-1",)}

    def do(folder: Path) -> Seen:
        seen = by("orders.orders", "unmatched == 0", **made)(folder)
        lines = len(seen.text.splitlines())
        return Seen(seen.exit_code, f"{seen.text}\n{lines} lines", seen.verdict)

    return Fault(f"{event} 3,000 times", 16, "of the same moment", do, verdict="FAIL",
                 says=rf"and 2,980 more like it, the last: {says}.*\n\d{{1,3}} lines",
                 limit_s=10)  # fmt: skip


def itself(folder: Path) -> Seen:
    """A run beside itself."""
    run = str(Recording(**SMALL, judged=("latency",)).write(folder / "run").root)
    return loadgate("compare", run, run)


ITSELF = Fault("a run compared with itself", 7, "compare R R", itself, exit_code=2,
               says="are the same run")  # fmt: skip

ROWS = (
    *never_known(), *of_databases(), *of_pools(), *of_replicas(), *of_counters(), *of_buckets(),
    *of_money(), of_a_mean(), *of_the_run(), *of_words(),
    again_and_again("worker_lost", "w9", worker="w9"), again_and_again("oom_killed", CART), ITSELF,
)  # fmt: skip
