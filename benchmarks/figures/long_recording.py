"""A 48-hour recording of the seed's peak as files: what the judge has to read after ``bf2025``.

Every interval of 10 s carries the requests of Appendix A's peak rates (so the ramps are as heavy
as the plateau). Histograms repeat after ``POOL`` intervals, because encoding 300,000 different
ones would take longer than judging them; the reader does not know and gains nothing by it.
The cart leaks as in the seed: 37 MB/h, collected at T+36h. The shop's ledger is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.figures.appendix_a import LATENCY, PEAK_RATES
from benchmarks.figures.long_resources import load_series, resource_series
from mock_services.kit.quantiles import LatencyCurve
from recording.closing import close_run
from recording.histogram import Histogram
from recording.hlog import DISTORTION, DISTORTION_GRAIN_US, HistogramLogWriter, Tag
from recording.jsonl import JsonLinesWriter
from recording.manifest import Manifest
from recording.profile import Profile
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter
from recording.wire import encode

HOUR_S = 3600.0
INTERVAL_S = 10.0
EPOCH_WALL_S = 1_758_528_000.0  # 2025-09-22 08:00 UTC, the seed's T+0h
POOL = 64
DECLINED_SHARE = 0.03
SLOWEST_PER_INTERVAL = 3
_SAMPLES = 100_000
"""Written at once."""
_LAG_TICKS = int(INTERVAL_S / 0.05)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A histogram ready for the log: its text, its count and its maximum, ms."""

    text: str
    n: int
    max_ms: float


def write_long_recording(root: Path, profile: Profile, seed: int = 1) -> RunDir:
    """Write the recording of ``profile``'s phases into ``root`` and return it.

    Raises OSError when the disk is full (about 300 MB for 48 hours).
    """
    run = RunDir(root)
    run.ledger.mkdir(parents=True, exist_ok=True)
    intervals = round(profile.load.duration_s / INTERVAL_S)
    rng = np.random.default_rng(seed)
    requests = _write_log(run.latency, intervals, rng)
    _write_series(run.resources, resource_series(intervals, INTERVAL_S, rng))
    _write_series(run.load, load_series(profile, rng))
    _write_exemplars(run.exemplars, intervals)
    _write_events(run.events, profile, requests)
    close_run(
        run,
        Manifest(
            run_id=root.name,
            profile=profile,
            started_utc="2025-09-22T08:00:00+00:00",
            epoch_wall_s=EPOCH_WALL_S,
            ended="completed",
        ),
    )
    return run


def _write_log(path: Path, intervals: int, rng: np.random.Generator) -> dict[str, int]:
    """The histogram log; returns the number of requests in it, by step."""
    pools = dict(_pools(rng))
    HistogramLogWriter(path, EPOCH_WALL_S).close()
    requests: dict[str, int] = {}
    with path.open("a", encoding="ascii") as file:
        for index in range(intervals):
            for tag, pool in pools.items():
                # A stride prime to POOL, so that tags do not repeat together.
                entry = pool[(index * 37 + len(str(tag))) % POOL]
                file.write(
                    f"Tag={tag},{index * INTERVAL_S:.3f},{INTERVAL_S:.3f},"
                    f"{entry.max_ms:.3f},{entry.text}\n"
                )
                if tag.kind != DISTORTION and tag.step != "generator":
                    requests[tag.step] = requests.get(tag.step, 0) + entry.n
    return requests


def _pools(rng: np.random.Generator) -> Iterator[tuple[Tag, list[_Encoded]]]:
    """For each tag the histograms its intervals take turns with."""
    for step, rate in PEAK_RATES.items():
        curve = LatencyCurve(LATENCY[step])
        shares = {"ok": 1.0}
        if step == "charge":
            shares = {"ok": 1.0 - DECLINED_SHARE, "declined": DECLINED_SHARE}
        for outcome, share in shares.items():
            mean_n = rate * share * INTERVAL_S
            sizes = [max(1, int(n)) for n in rng.poisson(mean_n, POOL)]
            server_us = [1000 * np.exp(curve.log_ms(rng.standard_normal(n))) for n in sizes]
            added_us = [_distortion_us(n, rng) for n in sizes]
            seen = [s + a for s, a in zip(server_us, added_us, strict=True)]
            yield Tag(step, outcome), [_encoded(values) for values in seen]
            yield Tag(step, outcome, kind=DISTORTION), [_encoded(values) for values in added_us]
    lag = [rng.exponential(800.0, _LAG_TICKS) for _ in range(POOL)]
    yield Tag("generator", "lag"), [_encoded(values) for values in lag]


def _distortion_us(n: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Client time minus X-Response-Time: a millisecond or two, and half a ms of rounding."""
    values = rng.lognormal(np.log(1200.0), 0.7, n) + rng.uniform(-500.0, 500.0, n)
    grains = np.rint(np.maximum(values, 0.0) / DISTORTION_GRAIN_US)
    return np.asarray(DISTORTION_GRAIN_US * grains, dtype=np.float64)


def _encoded(values_us: npt.NDArray[np.float64]) -> _Encoded:
    histogram = Histogram.from_values(np.rint(values_us))
    return _Encoded(encode(histogram), histogram.n, histogram.max_us / 1000)


def _write_series(path: Path, samples: Iterator[Sample]) -> None:
    with SeriesWriter(path) as series:
        for some in iter(lambda: list(islice(samples, _SAMPLES)), []):
            series.write(some)


def _write_exemplars(path: Path, intervals: int) -> None:
    writer = JsonLinesWriter(path)
    rows: list[Mapping[str, object]] = []
    for number in range(intervals * SLOWEST_PER_INTERVAL):
        t_s = number * INTERVAL_S / SLOWEST_PER_INTERVAL
        rows.append(
            {
                "t_s": round(t_s, 3),
                "step": "charge",
                "outcome": "ok",
                "why": "slowest",
                "latency_ms": 1200.125 + number % 700,
                "server_ms": 1199.0 + number % 700,
                "request_id": f"lt-req-2025-09-22-{number:09d}",
                "status": 200,
            }
        )
    writer.write(*rows)
    writer.close()


def _write_events(path: Path, profile: Profile, begun: Mapping[str, int]) -> None:
    writer = JsonLinesWriter(path)
    at_s, requests = 0.0, sum(begun.values())
    for phase in profile.load.phases:
        writer.write(_event(at_s, "phase_started", phase=phase.name, measured=phase.measured))
        at_s += phase.duration
    writer.write(
        _event(36 * HOUR_S, "gc", source="cart-service", cause="memory_limit"),
        _event(at_s, "phases_ended", early=False),
        _event(
            at_s, "generator_ended", recorded=requests, failed=0, errors=0, failures_left_out=0,
            begun=begun, cut_off=0, orders=0, locust_requests=requests, locust_failures=0,
            last_error="",
        ),
    )  # fmt: skip
    writer.close()


def _event(t_s: float, event: str, **details: object) -> dict[str, object]:
    return {"t_s": t_s, "source": "locust", "event": event, **details}
