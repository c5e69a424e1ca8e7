"""What metrics in ``resources.csv`` and ``load.csv`` are called; labels follow after a slash."""

UP = "up"
"""1 where a subject answered the sampler, else 0."""

# What services export, in Prometheus' names
HTTP_REQUESTS = "http_requests_total"
CPU = "process_cpu_seconds_total"
STARTED = "process_start_time_seconds"
RSS = "process_resident_memory_bytes"
MEMORY_LIMIT = "container_spec_memory_limit_bytes"
OOM_EVENTS = "container_oom_events_total"
REPLICAS = "service_replicas"
POOL_MAX = "connection_pool_max"
POOL_ACTIVE = "connection_pool_active"
POOL_IDLE = "connection_pool_idle"
POOL_WAITING = "connection_pool_waiting"
POOL_TIMEOUTS = "connection_pool_timeouts_total"
POOL_ABANDONED = "connection_pool_abandoned_total"
POOL_ACQUIRE_BUCKET = "connection_pool_acquire_seconds_bucket"
POOL_ACQUIRE_SUM = "connection_pool_acquire_seconds_sum"
POOL_ACQUIRE_COUNT = "connection_pool_acquire_seconds_count"
POOL_HOLD_SUM = "connection_pool_hold_seconds_sum"
POOL_HOLD_COUNT = "connection_pool_hold_seconds_count"

# The machine, as the subject `HOST`
HOST = "host"
CPU_BUSY = "cpu_busy_seconds_total"
CPU_STEAL = "cpu_steal_seconds_total"
OWN_CPU = "own_cpu_seconds_total"
MEMORY_AVAILABLE = "memory_available_bytes"

# The generator: users as the subject `LOCUST`, the rest of each worker
LOCUST = "locust"
USERS = "users"
RUN_QUEUE_WAIT = "run_queue_wait_seconds"
ARRIVALS_PLANNED = "arrivals_planned_total"
ARRIVALS_STARTED = "arrivals_started_total"
