"""What each metric is, in a line, for the reference. A test holds that none is missing."""

from collections.abc import Mapping
from typing import Final

MEANING: Final[Mapping[str, str]] = {
    "p50": "median latency, nearest rank, over every outcome",
    "p90": "90th percentile of latency",
    "p95": "95th percentile of latency",
    "p99": "99th percentile of latency",
    "p99.9": "99.9th percentile of latency",
    "mean": "mean latency",
    "max": "longest latency",
    "error_rate": "requests with an outcome that the plan did not ask for, as a share",
    "failures": "the same as a number of requests",
    "availability": "share of the measured time in which requests went well, a minute being down "
    "by its share of failed ones; of a service as a whole",
    "exhausted_windows": "stretches in which a pool had no connection left and callers waited",
    "utilization": "the most connections in use, as a share of the pool, over all of the run",
    "timeouts": "callers that gave up waiting for a connection",
    "acquire_wait_p99": "99th percentile of the wait for a connection",
    "peak_waiting": "the most callers that waited at once",
    "time_to_exhaustion": "time until a pool is full at constant load, from when load and size "
    "became so; never where it does not climb",
    "slope": "growth of resident memory between collections; MB is 2**20 bytes",
    "time_to_limit": "time until the memory limit is reached at that growth",
    "peak_rss": "most resident memory in the run; MB is 2**20 bytes",
    "oom_killed": "kills of the service for memory",
    "restarts": "restarts of the service while it was loaded",
    "pool_left": "connections in use at the end of the cool-down, over those before the load",
    "replicas_left": "replicas at the end of the cool-down, over those before the load",
    "memory_left": "resident memory at the end of the cool-down, over that before the load",
    "lost": "orders confirmed to a client that the shop's ledger does not have",
    "unmatched": "orders of the ledger that no client saw confirmed",
    "orders_without_payment": "orders whose payment is none of their checkout's that succeeded",
    "double_charges": "payments of a checkout beyond the first",
    "oversold": "pieces sold beyond the stock",
    "amount_mismatch": "orders of another amount than their payment",
    "charged_not_confirmed": "payments whose client asked to confirm, gave up, and has no order",
}
