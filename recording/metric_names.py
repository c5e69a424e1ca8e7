"""What metrics in ``resources.csv`` and ``load.csv`` are called; labels follow after a slash."""

from math import inf

UP = "up"
"""1 where a subject answered the sampler, else 0."""

# Of a service, in Prometheus' names; the tuples are what the sampler keeps
HTTP_REQUESTS = "http_requests_total"
RSS = "process_resident_memory_bytes"
CPU = "process_cpu_seconds_total"
STARTED = "process_start_time_seconds"
MEMORY_LIMIT = "container_spec_memory_limit_bytes"
OOM_EVENTS = "container_oom_events_total"
RESTARTS = "container_restarts_total"
"""As who started it counts them: Kubernetes."""
REPLICAS = "service_replicas"
OF_A_PROCESS = (RSS, CPU, STARTED, MEMORY_LIMIT, OOM_EVENTS, RESTARTS, REPLICAS)
REPLICA_CPU = "replica_cpu_utilization_ratio"
"""Of each replica; an autoscaler's metric, and no CPU of the process."""
POOL_MAX = "connection_pool_max"
POOL_ACTIVE = "connection_pool_active"
POOL_WAITING = "connection_pool_waiting"
POOL_TIMEOUTS = "connection_pool_timeouts_total"
POOL_ABANDONED = "connection_pool_abandoned_total"
POOL_WAIT_TIMEOUT = "connection_pool_wait_timeout_seconds"
POOL_ACQUIRE = "connection_pool_acquire_seconds"
POOL_ACQUIRE_BUCKET, POOL_ACQUIRE_COUNT = f"{POOL_ACQUIRE}_bucket", f"{POOL_ACQUIRE}_count"
POOL_HOLD = "connection_pool_hold_seconds"
POOL_HOLD_BUCKET = f"{POOL_HOLD}_bucket"
POOL_HOLD_SUM, POOL_HOLD_COUNT = f"{POOL_HOLD}_sum", f"{POOL_HOLD}_count"
OF_A_POOL = (
    POOL_MAX, POOL_ACTIVE, "connection_pool_idle", POOL_WAITING,
    POOL_TIMEOUTS, POOL_ABANDONED, POOL_WAIT_TIMEOUT,
    POOL_ACQUIRE_BUCKET, f"{POOL_ACQUIRE}_sum", POOL_ACQUIRE_COUNT,
    POOL_HOLD_BUCKET, POOL_HOLD_SUM, POOL_HOLD_COUNT,
)  # fmt: skip

# Of the checkout's database, as the subject `ORDERS_DB`: all of them of a PostgreSQL, by SQL
ORDERS_DB = "orders-db"
DB_CONNECTIONS, DB_CONNECTIONS_MAX = "database_connections", "database_connections_max"
DB_COMMITS = "database_commits_total"
DB_ROLLBACKS = "database_rollbacks_total"
DB_DEADLOCKS = "database_deadlocks_total"
DB_LOCKS_WAITING = "database_locks_waiting"
DB_SLOW = "database_slow_statements_total"
"""After a slash where they were seen: `pg_stat_statements` or `pg_stat_activity`."""
DB_REPLICAS, DB_LAG = "database_replicas", "database_replication_lag_seconds"
OF_A_DATABASE = (
    DB_CONNECTIONS, DB_CONNECTIONS_MAX, DB_COMMITS, DB_ROLLBACKS, DB_DEADLOCKS, DB_LOCKS_WAITING,
    DB_SLOW, DB_REPLICAS, DB_LAG,
)  # fmt: skip

# Of its ledger, whatever that is kept in: by the service that writes it
COMMIT = "ledger_commit_seconds"
COMMIT_BUCKET, COMMIT_COUNT = f"{COMMIT}_bucket", f"{COMMIT}_count"
OF_A_LEDGER = (COMMIT_BUCKET, f"{COMMIT}_sum", COMMIT_COUNT)

ALL_OF_A_SERVICE = (
    HTTP_REQUESTS, *OF_A_PROCESS, *OF_A_POOL, *OF_A_LEDGER, REPLICA_CPU, *OF_A_DATABASE
)  # fmt: skip
BY_REPLICA = {*OF_A_POOL, REPLICA_CPU, CPU, STARTED}
"""Told for each replica; of the rest there is one number of a service."""
_COUNTED = ("_total", "_bucket", "_sum", "_count")


def is_counter(metric: str) -> bool:
    """Whether it only grows, until who counts starts anew; labels may follow after a slash."""
    return metric.partition("/")[0].endswith(_COUNTED)


_ANY = (-inf, inf)
_POSSIBLE = {
    POOL_MAX: _ANY,  # 0, -1: unlimited
    MEMORY_LIMIT: _ANY,
    RSS: (1.0, 2.0**57),  # no process has no memory, nor more than addresses reach
    STARTED: (1.0, inf),
    HTTP_REQUESTS: _ANY,  # without those of a status that nobody knows the others say little
}


def possible(metric: str) -> tuple[float, float]:
    """The least and the most that a value can be: another one is how some say that nobody knows.

    All are numbers of things, times and sizes, and so not below zero.
    """
    return _POSSIBLE.get(metric.partition("/")[0], (0.0, inf))


# Of the machine, as the subject `HOST`
HOST = "host"
CPU_BUSY = "cpu_busy_seconds_total"
CPU_STEAL = "cpu_steal_seconds_total"
OWN_CPU = "own_cpu_seconds_total"

# Of the generator: users as the subject `LOCUST`, the rest (CPU and RSS too) of each worker
LOCUST = "locust"
USERS = "users"
RUN_QUEUE_WAIT = "run_queue_wait_seconds"
ARRIVALS_PLANNED = "arrivals_planned_total"
ARRIVALS_STARTED = "arrivals_started_total"
