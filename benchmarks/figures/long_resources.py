"""The sampled series of a long recording: the metrics that the sampler keeps, at full number."""

from collections.abc import Iterator
from heapq import merge
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from mock_services.kit.pool import ACQUIRE_BOUNDS_S
from recording.profile import Profile
from recording.series import Sample

Floats = npt.NDArray[np.float64]
Column = tuple[str, str, Floats, Floats]
"""Subject, metric, times and values."""

MB = 2.0**20
POOLS = (
    ("checkout-service", "requests/0", 200, 50.0, 221.0),
    ("payment-gateway", "processor/0", 100, 28.0, 81.0),
    ("inventory-lock-service", "locks/0", 2000, 1560.0, 84.0),
    ("inventory-lock-service", "locks/1", 2000, 1560.0, 84.0),
)
"""Subject, label, connections, mean in use, requests/s."""
COUNTERS = (
    ("checkout-service", "browse/GET/200", 298.0),
    ("checkout-service", "detail/GET/200", 268.0),
    ("checkout-service", "apply_coupon/POST/200", 53.0),
    ("checkout-service", "start_checkout/POST/200", 88.0),
    ("checkout-service", "confirm/POST/201", 80.0),
    ("payment-gateway", "charge/POST/200", 78.6),
    ("payment-gateway", "charge/POST/402", 2.4),
    ("inventory-lock-service", "acquire/POST/200", 88.0),
    ("inventory-lock-service", "release/POST/200", 80.0),
    ("cart-service", "add_to_cart/POST/200", 175.0),
)
SERVICES = ("checkout-service", "payment-gateway", "inventory-lock-service", "cart-service")
_CPU_SHARE = 0.3
_WORKERS = ("locust-worker-01", "locust-worker-02")


def resource_series(
    intervals: int, interval_s: float, rng: np.random.Generator
) -> Iterator[Sample]:
    """``resources.csv``: four services, every metric that the sampler writes."""
    t_s: Floats = np.arange(intervals, dtype=np.float64) * interval_s
    columns = [*_processes(t_s, rng), *_pools(t_s, rng)]
    columns += [(s, f"http_requests_total/{name}", t_s, rate * t_s) for s, name, rate in COUNTERS]
    return _samples(columns)


def load_series(profile: Profile, rng: np.random.Generator) -> Iterator[Sample]:
    """``load.csv``: users once a second, the generator's own use of CPU and memory."""
    seconds = np.arange(0.0, profile.load.duration_s, 1.0)
    ends_s = np.cumsum([0.0, *(phase.duration for phase in profile.load.phases)])
    users = np.interp(
        seconds, ends_s, [0.0, *(float(phase.users or 0) for phase in profile.load.phases)]
    )
    reports_s = np.arange(0.0, profile.load.duration_s, profile.recording.interval)
    columns: list[Column] = [("locust", "users", seconds, users)]
    for worker in _WORKERS:
        rss = 180 * MB + rng.normal(0.0, MB, reports_s.size)
        columns += [
            (worker, "process_cpu_seconds_total", reports_s, _CPU_SHARE * reports_s),
            (worker, "process_resident_memory_bytes", reports_s, rss),
            (worker, "run_queue_wait_seconds", reports_s, 0.02 * reports_s),
        ]
    return _samples(columns)


def _processes(t_s: Floats, rng: np.random.Generator) -> Iterator[Column]:
    ones = np.ones(t_s.size)
    for subject in SERVICES:
        rss = 120 * MB + rng.normal(0.0, 0.5 * MB, t_s.size)
        if subject == "cart-service":
            rss = cart_rss_bytes(t_s / 3600.0) + rng.normal(0.0, 2 * MB, t_s.size)
            yield subject, "container_spec_memory_limit_bytes", t_s, 2048 * MB * ones
        yield subject, "process_resident_memory_bytes", t_s, rss
        yield subject, "process_cpu_seconds_total", t_s, _CPU_SHARE * t_s
        yield subject, "service_replicas", t_s, ones
        yield subject, "up", t_s, ones


def cart_rss_bytes(t_h: Floats) -> Floats:
    """The seed's cart: 512 MB, 37 MB/h, collected to 620 MB at T+36h, then twice as fast."""
    before = 512.0 + 37.0 * t_h
    after = 620.0 + 74.0 * (t_h - 36.0)
    return np.asarray(MB * np.where(t_h < 36.0, before, after), dtype=np.float64)


def _pools(t_s: Floats, rng: np.random.Generator) -> Iterator[Column]:
    zeros = np.zeros(t_s.size)
    for subject, label, size, in_use, rate in POOLS:
        active = np.minimum(rng.poisson(in_use, t_s.size), size).astype(np.float64)
        count = np.floor(rate * t_s)
        series = {"active": active, "idle": size - active, "waiting": zeros}
        series |= {"timeouts_total": zeros, "abandoned_total": zeros}
        series |= {f"{kind}_seconds_count": count for kind in ("acquire", "hold")}
        series["hold_seconds_sum"] = 0.2 * count
        for name, values in series.items():
            yield subject, f"connection_pool_{name}/{label}", t_s, values
        yield subject, f"connection_pool_max/{label}", t_s[:1], np.array([float(size)])
        for bound in (*ACQUIRE_BOUNDS_S, "+Inf"):
            name = f"connection_pool_acquire_seconds_bucket/{label}/{bound}"
            yield subject, name, t_s, count


def _samples(columns: list[Column]) -> Iterator[Sample]:
    """All of them in order of time, a subject's together, as the sampler appends them."""
    by_subject: dict[str, list[Column]] = {}
    for column in columns:
        by_subject.setdefault(column[0], []).append(column)
    return merge(*map(_of_subject, by_subject.values()), key=attrgetter("t_s"))


def _of_subject(columns: list[Column]) -> Iterator[Sample]:
    """Every column has the times of the first, or the first of them."""
    for n, t_s in enumerate(columns[0][2].tolist()):
        for subject, metric, times_s, values in columns:
            if n < times_s.size:
                yield Sample(t_s, subject, metric, round(float(values[n]), 3))
