"""The nine panels of dashboard perf-checkout-2025q3, and what is marked on them.

Titles, kinds and queries are those of the seed's Appendix G. Where the seed says no query, it is
asked for what it describes: what clients saw from loadgate's own page, the rest from the services.
A database and a cache of a real shop have exporters of their own (CloudWatch's, Redis'); the mocks
have stand-ins, which the legend names. What neither says stays empty: no data is not zero.
"""

from dataclasses import dataclass
from typing import Final

from harness.observe import names
from recording.events import (
    FAULT_ENDED,
    FAULT_STARTED,
    GC,
    LEVEL_STARTED,
    OOM_KILLED,
    PHASE_STARTED,
    PHASES_ENDED,
    POOL_EXHAUSTED,
    SCALED,
    WORKER_LOST,
)
from recording.metric_names import CPU, HTTP_REQUESTS

ENV: Final = 'environment="$environment"'
"""The label that a scrape configuration gives everything of one environment."""
_CHECKOUT = f'{ENV},service="checkout-service"'
_CART = f'{ENV},service="cart-service"'


@dataclass(frozen=True, slots=True)
class Query:
    """``needs`` names the exporter without which it is empty, "" where the mocks will do."""

    expr: str
    legend: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the nine. ``kind`` is Grafana's, ``unit`` too; ``limit`` is drawn as a line."""

    title: str
    kind: str
    unit: str
    queries: tuple[Query, ...]
    description: str
    stacked: bool = False
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Events that are drawn on every panel, by a pattern of their names."""

    name: str
    events: str
    colour: str

    @property
    def expr(self) -> str:
        """Its value is the moment, ms since 1970 (Grafana's "series value as timestamp")."""
        return f'1000 * {names.EVENT_TIME}{{{ENV},event=~"{self.events}"}}'


MARKS = (
    Mark("Phases", f"{PHASE_STARTED}|{PHASES_ENDED}|{LEVEL_STARTED}", "blue"),
    Mark("Pool exhaustion", POOL_EXHAUSTED, "red"),
    Mark("Scale-out", SCALED, "green"),
    Mark("Collections and kills", f"{GC}|{OOM_KILLED}", "purple"),
    Mark("Faults", f"{FAULT_STARTED}|{FAULT_ENDED}|{WORKER_LOST}", "orange"),
    Mark("Guards", "guard_.*|pause_asked|resume_asked|invalid_seen", "yellow"),
)


def _rate(counter: str, by: str, where: str = ENV) -> str:
    return f"sum by ({by}) (rate({counter}{{{where}}}[1m]))"


def _percentile(share: float) -> str:
    """As clients saw it; of who is called by services only, by its own clock."""
    asked = (_rate(f"{name}_bucket", "le, service")
             for name in (names.DURATION, "http_request_duration_seconds"))  # fmt: skip
    return " or ".join(f"1000 * histogram_quantile({share:g}, {each})" for each in asked)


def _failing() -> str:
    """Percent, as clients saw it; of who is called by services only, of its own answers."""
    clients = f"100 * {_rate(names.FAILED, 'service')} / {_rate(names.REQUESTS, 'service')}"
    every = _rate(HTTP_REQUESTS, "service")
    failed = _rate(HTTP_REQUESTS, "service", f'{ENV},status=~"5.."')
    return f"{clients} or 100 * ({failed} or 0 * {every}) / {every}"


def _total(counter: str, where: str = ENV) -> str:
    return f"sum({counter}{{{where}}})"


_LOOKUPS = "cart_session_lookups_total"

PANELS = (
    Panel(
        "Concurrent Users",
        "timeseries",
        "short",
        (Query(f"{names.USERS}{{{ENV}}}", "users"),),
        "Simulated users of the load generator.",
    ),
    Panel(
        "Requests Per Second (by endpoint)",
        "timeseries",
        "reqps",
        (Query(_rate(HTTP_REQUESTS, "service, endpoint"), "{{service}} {{endpoint}}"),),
        "As the services count them.",
        stacked=True,
    ),
    Panel(
        "Latency Percentiles (per service)",
        "timeseries",
        "ms",
        tuple(Query(_percentile(q), f"{{{{service}}}} p{100 * q:g}") for q in (0.5, 0.95, 0.99)),
        "What clients waited; of inventory-lock, which users never call, its own time.",
        limit=1000,
    ),
    Panel(
        "Error Rate (per service)",
        "timeseries",
        "percent",
        (Query(_failing(), "{{service}}"),),
        "Requests with an outcome that the plan did not ask for. RB-QA-005: below 0.1 %.",
        limit=0.1,
    ),
    Panel(
        "Pod Resource Utilization (CPU)",
        "heatmap",
        "percentunit",
        (
            Query(f"{_rate('container_cpu_usage_seconds_total', 'pod')} or "
                  + _rate(CPU, "service, instance"),
                  "{{pod}}{{service}} {{instance}}"),
            Query(f"replica_cpu_utilization_ratio{{{ENV}}}",
                  "{{service}} replica {{replica}}, modelled"),
        ),
        "Cores in use; of lock replicas the share of their request, by which they are scaled.",
    ),
    Panel(
        "Pod Resource Utilization (Memory)",
        "timeseries",
        "bytes",
        (
            Query(f"container_memory_working_set_bytes{{{ENV}}}", "{{pod}}{{service}}"),
            Query(f"container_spec_memory_limit_bytes{{{ENV}}}", "limit of {{pod}}{{service}}"),
        ),
        "Working set of each container.",
    ),
    Panel(
        "Database Metrics (orders-db-primary)",
        "timeseries",
        "short",
        (
            Query(f"(aws_rds_read_iops_average{{{ENV}}} + aws_rds_write_iops_average{{{ENV}}}) or "
                  + _rate(HTTP_REQUESTS, "service",
                          f'{_CHECKOUT},endpoint=~"apply_coupon|start_checkout|confirm"'),
                  "IOPS (of the mocks: requests that write)"),
            Query(f"aws_rds_database_connections_average{{{ENV}}} or "
                  f"connection_pool_active{{{_CHECKOUT}}}", "connections"),
            Query(f"connection_pool_max{{{_CHECKOUT}}}", "connections at most"),
            Query(f"aws_rds_cpuutilization_average{{{ENV}}} or "
                  f"100 * rate({CPU}{{{_CHECKOUT}}}[1m])",
                  "CPU % (of the mocks: of the process with the ledger)"),
            Query(f"aws_rds_replica_lag_average{{{ENV}}}", "replication lag, s",
                  needs="CloudWatch exporter"),
        ),
        "RB-QA-005: prepare to pause past 18,000 IOPS.",
    ),
    Panel(
        "Redis Cache Metrics",
        "timeseries",
        "short",
        (
            Query(f"100 * rate(redis_keyspace_hits_total{{{ENV}}}[1m]) / "
                  f"(rate(redis_keyspace_hits_total{{{ENV}}}[1m]) + "
                  f"rate(redis_keyspace_misses_total{{{ENV}}}[1m])) or "
                  f'100 * {_rate(_LOOKUPS, "service", f"{_CART},result={chr(34)}hit{chr(34)}")} / '
                  + _rate(_LOOKUPS, "service", _CART),
                  "hit rate % (of the mocks: cart sessions)"),
            Query(f"redis_memory_used_bytes{{{ENV}}} / 2^20 or "
                  f"container_memory_working_set_bytes{{{_CART}}} / 2^20", "memory, MB"),
            Query(f"rate(redis_evicted_keys_total{{{ENV}}}[1m]) or "
                  f"rate(cart_sessions_evicted_total{{{_CART}}}[1m])", "evictions/s"),
            Query(f"redis_connected_clients{{{ENV}}}", "connections", needs="Redis exporter"),
        ),
        "Product prices; the mocks keep none in Redis, and the cart's sessions stand in.",
    ),
    Panel(
        "Locust Aggregate Statistics",
        "table",
        "short",
        (
            Query(_total(names.REQUESTS), "total requests"),
            Query(_total(names.FAILED), "total failures"),
            Query(f"100 * {_total(names.FAILED)} / {_total(names.REQUESTS)}", "failure rate %"),
            Query(f"1000 * {_total(f'{names.DURATION}_sum')} / {_total(f'{names.DURATION}_count')}",
                  "average response time, ms"),
            Query(_total(names.CONFIRMED), "orders completed"),
        ),
        "Of the run so far, from loadgate's own recording.",
    ),
)  # fmt: skip
"""In the order of the dashboard."""
