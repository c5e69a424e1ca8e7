"""Prometheus metrics of one service.

The hot path adds to plain Python numbers; they become Prometheus samples when /metrics is read.
Buckets are few on purpose: the page is read every second.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from mock_services.kit.database import Database
from mock_services.kit.pool import Pool
from mock_services.kit.runtime import rss_bytes
from mock_services.kit.tally import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

DURATION_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.0)
LAG_BOUNDS_S = (0.005, 0.01, 0.02, 0.05, 0.2)


def add_tally(family: HistogramMetricFamily, labels: Sequence[str], tally: Tally) -> None:
    """Append a tally as cumulative buckets, the last one +Inf."""
    running = accumulate(tally.counts)
    bounds = (*map(str, tally.bounds), "+Inf")
    family.add_metric(labels, list(zip(bounds, running, strict=True)), sum_value=tally.total)


class RequestStats:
    """Requests by endpoint, method and status, and how long they took."""

    __slots__ = ("_counts", "_durations")

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._durations: defaultdict[str, Tally] = defaultdict(lambda: Tally(DURATION_BOUNDS_S))

    def add(self, endpoint: str, method: str, status: int, duration_s: float) -> None:
        """Count one answered request."""
        self._counts[endpoint, method, status] += 1
        self._durations[endpoint].observe(duration_s)

    def families(self) -> Iterator[Metric]:
        """Samples of both metrics."""
        total = CounterMetricFamily(
            "http_requests", "Requests answered", labels=("endpoint", "method", "status")
        )
        for (endpoint, method, status), count in self._counts.items():
            total.add_metric((endpoint, method, str(status)), count)
        yield total
        duration = HistogramMetricFamily(
            "http_request_duration_seconds", "Time until the answer began", labels=("endpoint",)
        )
        for endpoint, tally in self._durations.items():
            add_tally(duration, (endpoint,), tally)
        yield duration


_POOL = (
    ("max", GaugeMetricFamily, "Connections the pool may open"),
    ("active", GaugeMetricFamily, "Connections in use"),
    ("idle", GaugeMetricFamily, "Connections that could be taken at once"),
    ("waiting", GaugeMetricFamily, "Requests waiting for a connection"),
    ("timeouts", CounterMetricFamily, "Requests that waited for a connection in vain"),
    ("wait_timeout_seconds", GaugeMetricFamily, "How long callers may wait for a connection"),
    ("abandoned", CounterMetricFamily, "Connections given back at once as the client had gone"),
)
_POOL_TIMES = (("acquire", "Wait for a connection"), ("hold", "Time it was held"))
_LABELS = ("pool", "replica")


def pool_families(pools: Sequence[Pool]) -> Iterator[Metric]:
    """Metrics of connection pools; none where there is none."""
    if not pools:
        return
    for name, family_of, text in _POOL:
        family = family_of(f"connection_pool_{name}", text, labels=_LABELS)
        for pool in pools:
            family.add_metric((pool.name, pool.replica), getattr(pool, name))
        yield family
    for name, text in _POOL_TIMES:
        times = HistogramMetricFamily(f"connection_pool_{name}_seconds", text, labels=_LABELS)
        for pool in pools:
            add_tally(times, (pool.name, pool.replica), getattr(pool, f"{name}_s"))
        yield times


def database_families(database: Database | None) -> Iterator[Metric]:
    """Metrics of the database behind the pools; none while nothing on it is shared."""
    if database is None or not database.cores:
        return
    cores, active = "Cores that share its work", "Connections at work"
    yield GaugeMetricFamily("database_cores", cores, value=database.cores)
    yield GaugeMetricFamily("database_active", active, value=database.active)


def commit_family(commits: Tally) -> Metric:
    """How long the ledger's commits took."""
    family = HistogramMetricFamily("ledger_commit_seconds", "Time of a commit of the ledger")
    add_tally(family, (), commits)
    return family


def process_families(replicas: int, limit_bytes: int, loop_lag: Tally) -> Iterator[Metric]:
    """Metrics of the process itself."""
    rss = rss_bytes()
    yield GaugeMetricFamily("service_replicas", "Replicas serving", value=replicas)
    yield GaugeMetricFamily("process_resident_memory_bytes", "RSS of the process", value=rss)
    yield GaugeMetricFamily(
        "container_memory_working_set_bytes",
        "Same as the RSS: a process of its own stands for the container",
        value=rss,
    )
    yield GaugeMetricFamily(
        "container_spec_memory_limit_bytes", "Memory limit of the container", value=limit_bytes
    )
    yield CounterMetricFamily(
        "process_cpu_seconds", "CPU time, user and system", value=time.process_time()
    )
    lag = HistogramMetricFamily("mock_event_loop_lag_seconds", "How late a 100 ms timer fired")
    add_tally(lag, (), loop_lag)
    yield lag
