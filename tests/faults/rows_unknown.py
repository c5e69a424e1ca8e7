"""What was not measured, or too little of it: neither zero nor a pass (points 3, 4 and 5)."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from analysis.limits.thresholds import parse_thresholds
from recording.closing import close_run
from recording.flow import STEPS
from recording.manifest import read_manifest
from recording.series import Sample
from tests.analysis.gate.paired_recordings import PairedRecording
from tests.analysis.recordings import END_S, RATE, SERVICES, THINK_S, USERS, Recording
from tests.faults.fault import FIXTURES, Fault, Seen, judged, live_run

ALL = ("latency", "errors", "pool", "memory", "orders")
SHORT = FIXTURES / "short.toml"
POOL = {"waiting": "exhausted_windows == 0", "timeouts_total": "exhausted_windows == 0",
        "active": "utilization < 95 %", "max": "utilization < 95 %"}  # fmt: skip


def by_rule(
    section: str, rule: str, required: Sequence[str] = ALL, **faults: Any
) -> Callable[[Path], Seen]:
    """Judge a made recording by one required rule."""
    subject, _, kind = section.partition(".")
    limits = parse_thresholds(f'[{subject}]\n{kind} = ["{rule}"]')
    made = Recording(judged=tuple(required), **faults)
    return lambda folder: judged(made.write(folder / "run"), limits)


def unknown(
    name: str,
    section: str,
    rule: str,
    how: str,
    item: int = 4,
    says: str = "",
    fast: bool = False,
    **faults: Any,
) -> Fault:
    """A row in which a rule must come out open; tests/analysis/test_unknown.py tries most."""
    do = by_rule(section, rule, **faults)
    fast = fast or section.partition(".")[0] in ("charge", "orders")
    return Fault(
        name, item, how, do, verdict="INCONCLUSIVE", exit_code=5, says=says, fast=fast, limit_s=20
    )


def failing_fast() -> Iterator[Fault]:
    """Past 5 % failures no latency passes, of any step, at any time, however they fail."""
    for step in ("journey", *STEPS):
        for outcome in ("http_5xx", "refused"):
            spoilt = STEPS if step == "journey" else (step,)
            yield Fault(
                f"{outcome} at once: {step}", 3, f"every tenth {step} in 0.2 ms",
                by_rule(f"{step}.latency", "p95 < 1000 ms",
                        outcomes={s: {"ok": 0.9, outcome: 0.1} for s in spoilt},
                        latency_ms=dict.fromkeys(spoilt, 0.2),
                        rate=USERS / THINK_S if step == "journey" else RATE),
                verdict="INCONCLUSIVE", exit_code=5, says="failed says nothing",
                fast=(step, outcome) == ("charge", "refused"), limit_s=20,
            )  # fmt: skip
    yield Fault(
        "failing slowly", 3, "every charge fails, after 100 ms",
        by_rule("charge.latency", "p95 < 50 ms", outcomes={"charge": {"http_5xx": 1.0}}),
        verdict="FAIL", limit_s=20,
    )  # fmt: skip


def not_exported() -> Iterator[Fault]:
    """Each metric, of each service that has a pool, that is missing."""
    for service in SERVICES:
        for name, rule in POOL.items():
            metric = f"connection_pool_{name}"
            yield unknown(f"{service} exports no {metric}", f"{service}.pool", rule,
                          "not in resources.csv", without=(metric,))  # fmt: skip
    for size in (0, -1):
        yield unknown(f"unlimited pool ({size})", "checkout-service.pool", "utilization < 95 %",
                      f"connection_pool_max {size}",
                      pool=((0.0, float(size), 7.0, 0.0),))  # fmt: skip
    for service in SERVICES:
        yield unknown(f"{service} cannot say that it was killed", f"{service}.memory",
                      "oom_killed == 0", "services at urls", urls=True)  # fmt: skip
    for rule in ("peak_rss < 9 GB", "slope < 90000 MB/h", "time_to_limit > 1 min"):
        yield unknown(f"no memory: {rule}", "cart-service.memory", rule, "no resident memory",
                      without=("process_resident_memory_bytes",))  # fmt: skip
    for rule in ("lost == 0", "unmatched == 0"):
        for urls in (False, True):
            whose = "of services at urls" if urls else "of our own"
            yield unknown(f"no ledger {whose}: {rule}", "orders.orders", rule,
                          "no orders.sqlite", ledger=None, urls=urls)  # fmt: skip


def counters(labels: str, per_s: float) -> list[Sample]:
    """Of the lock service, growing all the time."""
    name = f"http_requests_total{labels}"
    seconds = range(int(END_S) + 1)
    return [Sample(s, "inventory-lock-service", name, per_s * s) for s in seconds]


def statuses() -> Iterator[Fault]:
    """Counters of requests that name no status, or fail."""
    errors = ("inventory-lock-service.errors", "error_rate < 1 %")
    for labels in ("", "/GET", "/a/POST", "/unknown"):
        yield unknown(f"requests counted as {labels or 'nothing'!r}", *errors, "no status among it",
                      samples=counters(labels, 90.0))  # fmt: skip
    for labels in ("/503", "/5xx", "/x/GET/500"):
        yield Fault(
            f"a third of requests counted as {labels!r}", 4, "beside those of 200",
            by_rule(*errors, samples=counters("/200", 60.0) + counters(labels, 30.0)),
            verdict="FAIL", limit_s=20,
        )  # fmt: skip
    waits = [
        Sample(t_s, "cart-service", f"connection_pool_acquire_seconds_bucket/p/0/{bound}", n)
        for t_s, bound, n in ((0, "0.1", 0), (0, "+Inf", 0), (20, "0.1", 50), (20, "+Inf", 53))
    ]
    yield unknown("exhaustion shorter than a sample", "cart-service.pool", "exhausted_windows == 0",
                  "three waits in the acquire histogram only", item=16, samples=waits)  # fmt: skip


def too_few() -> Iterator[Fault]:
    """Error rates of fewer requests than 3/limit."""
    for step in STEPS:
        yield unknown(f"too few requests for 0.1 %: {step}", f"{step}.errors", "error_rate < 0.1 %",
                      "none of 428 failed", item=5)  # fmt: skip
    yield Fault(
        "over its limit at any n", 5, "1 % of 428 against 0.1 %",
        by_rule("charge.errors", "error_rate < 0.1 %",
                outcomes={"charge": {"ok": 0.99, "http_5xx": 0.01}}),
        verdict="FAIL", limit_s=20,
    )  # fmt: skip
    yield Fault(
        "few samples beside a limit", 5, "p99 takes 3,688 for p99.9",
        by_rule("charge.latency", "p99.9 < 9 s"), verdict="INCONCLUSIVE", limit_s=20,
    )  # fmt: skip


def gate_without(arm: str) -> Callable[[Path], Seen]:
    """Judge a gate of equal arms of which one left no ledger."""

    def do(folder: Path) -> Seen:
        run = PairedRecording().write(folder / "run")
        run.orders_of(arm).unlink()
        close_run(run, read_manifest(run.manifest))
        return judged(run)

    return do


LEDGERS = [
    Fault("a gate without head's ledger", 4, "orders-head.sqlite is gone", gate_without("head"),
          verdict="INCONCLUSIVE", says="head left no ledger"),
    Fault("a gate without base's ledger", 4, "orders-base.sqlite is gone", gate_without("base"),
          verdict="INVALID", says="ledger of base missing"),
]  # fmt: skip


def live(name: str, item: int, how: str, limits: str, *words: str, **expect: Any) -> Fault:
    """A short run by limits of its own."""

    def do(folder: Path) -> Seen:
        path = folder / "limits.toml"
        path.write_text(limits)
        return live_run(folder, SHORT, *words, limits=path)

    return Fault(name, item, how, do, live=True, fast=False, limit_s=90, **expect)


LIVE = [
    live("every charge fails at once", 3, "error_share = 1, latency rules only",
         '[charge]\nlatency = ["p50 < 9 s"]', "--set", "services.payment.error_share=1",
         verdict="INCONCLUSIVE", says="how fast they failed"),
    live("every checkout fails at once", 3, "error_share = 0.2, latency rules only",
         '[journey]\nlatency = ["p50 < 9 s"]', "--set", "services.checkout.error_share=0.2",
         verdict="INCONCLUSIVE", says="how fast they failed"),
    live("a run too short for its error limit", 5, "three seconds, 0.1 %",
         '[journey]\nerrors = ["error_rate < 0.1 %"]', verdict="INCONCLUSIVE",
         says="requests are too few for 0.1 %"),
    live("a pool that no service has", 4, "[cart-service] pool",
         '[cart-service]\npool = ["exhausted_windows == 0"]',
         "--set", 'judge.required=["pool"]', verdict="INCONCLUSIVE",
         says="no connection_pool_active is exported"),
]  # fmt: skip

ROWS = (
    *failing_fast(), *not_exported(), *statuses(), *too_few(), *LEDGERS, *LIVE,
)  # fmt: skip
