"""(c) What recording one request costs the generator, and what others take for less.

    python -m benchmarks.figures.recorder_cost ours|hdrhistogram|locust      # what each child does

Ours is everything: that it began, latency, distortion, outcome, exemplars, and the histograms that
``take`` makes of an interval. The peers only count a latency: HdrHistogram's ``record_value``,
and Locust's own ``StatsEntry.log``.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.figures.child import ask
from benchmarks.figures.figure import Figure, Peer

if TYPE_CHECKING:
    from locustfiles.client import Answer

PART = "c"
CALLS = 1_000_000
CALLS_PER_INTERVAL = 500
"""Half of the seed's peak, as one of two workers sees it in a second."""
STEPS = ("browse", "detail", "add_to_cart", "apply_coupon", "start_checkout", "charge", "confirm")


def measure(calls: int = CALLS) -> list[Figure]:
    """The figures of part (c)."""
    cost = {name: ask("benchmarks.figures.recorder_cost", name, str(calls)) for name in _PARTS}
    ours = cost["ours"]["us_per_call"]
    return [
        Figure(PART, "record a request", ours, "µs", peer=Peer(label, cost[name]["us_per_call"]),
               note=f"{calls:,} calls, take() every {CALLS_PER_INTERVAL}")
        for name, label in (
            ("hdrhistogram", "HdrHistogram.record_value, latency only"),
            ("locust", "Locust StatsEntry.log, latency only"),
        )
    ]  # fmt: skip


def _answer(took_ms: float) -> "Answer":
    """As a service of ours gives them."""
    from locustfiles.client import Answer

    lines = ("HTTP/1.1 200 OK", "content-type: application/json", "content-length: 2000")
    head = "\r\n".join((*lines, f"x-response-time: {int(took_ms)}ms", "", ""))
    return Answer(200, b"", head.encode("latin-1"), None, 0.0, took_ms)


def _latencies_ms(count: int) -> list[float]:
    rng = random.Random(1)
    return [rng.lognormvariate(4.6, 0.6) for _ in range(count)]


def _ours(calls: int) -> float:
    from locustfiles.intervals import EvenIntervals
    from locustfiles.recorder import Recorder

    clock = [0.0]
    recorder = Recorder(lambda: clock[0], EvenIntervals(1.0))
    batch = list(_requests(_latencies_ms(CALLS_PER_INTERVAL)))
    before_s = time.process_time()
    for second in range(calls // CALLS_PER_INTERVAL):
        clock[0] = float(second)
        for latency_ms, answer, context in batch:
            recorder.begin(context)
            recorder.on_request(response_time=latency_ms, response=answer, context=context)
        recorder.take(final=False)
    report = recorder.take(final=True)
    took_s = time.process_time() - before_s
    recorded = report["recorded"]
    if recorded != calls or report["errors"]:
        raise RuntimeError(f"recorded {recorded} of {calls}: {report['last_error']}")
    return took_s


def _requests(latencies_ms: list[float]) -> Iterator[tuple[float, "Answer", dict[str, Any]]]:
    for number, latency_ms in enumerate(latencies_ms):
        context = {"step": STEPS[number % len(STEPS)], "outcome": "ok", "expected": True}
        context |= {"request_id": f"lt-req-{number:09d}", "order_id": None, "due_s": None}
        context |= {"arm": "run", "traceparent": f"00-{number:032x}-{number:016x}-01"}
        yield latency_ms, _answer(latency_ms), context


def _hdrhistogram(calls: int) -> float:
    from hdrh.histogram import HdrHistogram

    histogram = HdrHistogram(1, 3_600_000_000, 3)
    values_us = [int(1000 * ms) for ms in _latencies_ms(CALLS_PER_INTERVAL)]
    return _timed(calls, values_us, histogram.record_value)


def _locust(calls: int) -> float:
    from locust.stats import RequestStats

    entry = RequestStats().get("browse", "GET")
    return _timed(calls, _latencies_ms(CALLS_PER_INTERVAL), lambda ms: entry.log(ms, 2000))


def _timed(calls: int, values: list[Any], record: Callable[[Any], object]) -> float:
    before_s = time.process_time()
    for _ in range(calls // len(values)):
        for value in values:
            record(value)
    return time.process_time() - before_s


_PARTS: dict[str, Callable[[int], float]] = {
    "ours": _ours,
    "hdrhistogram": _hdrhistogram,
    "locust": _locust,
}

if __name__ == "__main__":
    part, number = sys.argv[1], int(sys.argv[2])
    print(json.dumps({"us_per_call": 1e6 * _PARTS[part](number) / number}))
