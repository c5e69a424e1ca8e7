"""Prometheus metrics of one service.

The hot path adds to plain Python numbers; a collector turns them into Prometheus samples when
/metrics is read. One registry per app, nothing global. Buckets are few on purpose: the page is
read every second.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

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
        self._counts: dict[tuple[str, str, int], int] = {}
        self._durations: dict[str, Tally] = {}

    def add(self, endpoint: str, method: str, status: int, duration_s: float) -> None:
        """Count one answered request."""
        key = (endpoint, method, status)
        self._counts[key] = self._counts.get(key, 0) + 1
        durations = self._durations.get(endpoint)
        if durations is None:
            durations = self._durations[endpoint] = Tally(DURATION_BOUNDS_S)
        durations.observe(duration_s)

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


class Source(Protocol):
    """What the collector reads of a service."""

    requests: RequestStats
    loop_lag: Tally

    def pools(self) -> Iterable[Pool]: ...

    def replica_count(self) -> int: ...

    def extra_metrics(self) -> Iterable[Metric]: ...


_GAUGES = (
    ("max", "Connections the pool may open"),
    ("active", "Connections in use"),
    ("idle", "Connections that could be taken at once"),
    ("waiting", "Requests waiting for a connection"),
)
_COUNTERS = (
    ("timeouts", "Requests that waited for a connection in vain"),
    ("abandoned", "Connections given back at once because the client had gone"),
)
_LABELS = ("pool", "replica")


class _Collector:
    def __init__(self, source: Source) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        yield from self._source.requests.families()
        yield from _pool_families(tuple(self._source.pools()))
        yield from _process_families(self._source)
        yield from self._source.extra_metrics()


def _pool_families(pools: Sequence[Pool]) -> Iterator[Metric]:
    if not pools:
        return
    for name, text in _GAUGES:
        gauge = GaugeMetricFamily(f"connection_pool_{name}", text, labels=_LABELS)
        for pool in pools:
            gauge.add_metric((pool.name, pool.replica), getattr(pool, name))
        yield gauge
    for name, text in _COUNTERS:
        counter = CounterMetricFamily(f"connection_pool_{name}", text, labels=_LABELS)
        for pool in pools:
            counter.add_metric((pool.name, pool.replica), getattr(pool, name))
        yield counter
    for name, text in (("acquire", "Wait for a connection"), ("hold", "Time it was held")):
        family = HistogramMetricFamily(f"connection_pool_{name}_seconds", text, labels=_LABELS)
        for pool in pools:
            tally = pool.acquire_s if name == "acquire" else pool.hold_s
            add_tally(family, (pool.name, pool.replica), tally)
        yield family


def _process_families(source: Source) -> Iterator[Metric]:
    rss = rss_bytes()
    yield GaugeMetricFamily("service_replicas", "Replicas serving", value=source.replica_count())
    yield GaugeMetricFamily("process_resident_memory_bytes", "RSS of the process", value=rss)
    yield GaugeMetricFamily(
        "container_memory_working_set_bytes",
        "Same as the RSS: a process of its own stands for the container",
        value=rss,
    )
    cpu = CounterMetricFamily("process_cpu_seconds", "CPU time, user and system")
    cpu.add_metric((), time.process_time())
    yield cpu
    lag = HistogramMetricFamily("mock_event_loop_lag_seconds", "How late a 100 ms timer fired")
    add_tally(lag, (), source.loop_lag)
    yield lag


class MetricsPage:
    """The /metrics page of one service."""

    __slots__ = ("_registry",)

    def __init__(self, source: Source) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Collector(source))

    def render(self) -> bytes:
        """The page as it is now."""
        return generate_latest(self._registry)
