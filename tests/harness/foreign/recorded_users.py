"""A locustfile whose requests our recorder takes too, and each by itself: into $RECORDED.

``latency.hlog`` and ``requests.csv`` of that folder are written when Locust ends.
"""

import csv
import os
import random
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, constant, events, task

from locustfiles.intervals import EvenIntervals
from locustfiles.named import NamedRequests
from locustfiles.recorder import Recorder, unpack
from recording.hlog import HistogramLogWriter, Interval

FOLDER = Path(os.environ["RECORDED"])
BEGAN_S, BEGAN = time.time(), time.monotonic()
INTERVALS = EvenIntervals(1.0)
RECORDER = Recorder(lambda: time.monotonic() - BEGAN, INTERVALS)
DRAWS = random.Random(1)

events.request.add_listener(NamedRequests(RECORDER, "locust", lambda: None).on_request)
each: list[tuple[str, int, int, bool]] = []


@events.request.add_listener
def note(
    request_type: str, name: str, start_time: float, response_time: float, exception: Any, **_: Any
) -> None:
    """Name, begin and latency in µs, and whether it was good."""
    begin_us, latency_us = round(start_time * 1e6), round(response_time * 1000)
    each.append((f"{request_type} {name}", begin_us, latency_us, exception is None))


@events.quitting.add_listener
def write(**_: Any) -> None:
    """What was recorded, and each request."""
    with HistogramLogWriter(FOLDER / "latency.hlog", BEGAN_S) as log:
        for index, packed in RECORDER.take(final=True)["intervals"]:
            kept = (Interval(tag, *INTERVALS.span_s(index), of) for tag, of in unpack(packed))
            log.write(kept)
    with (FOLDER / "requests.csv").open("w", newline="") as file:
        csv.writer(file).writerows(each)


class Shopper(FastHttpUser):
    """Asks for answers that take lognormal times; some fail."""

    wait_time = constant(0.005)

    @task(4)
    def browse(self) -> None:
        """Good."""
        self.client.get(f"/wait?ms={DRAWS.lognormvariate(2.5, 0.8):.1f}", name="/browse")

    @task(1)
    def miss(self) -> None:
        """404."""
        self.client.get(f"/missing?ms={DRAWS.lognormvariate(1.5, 1.0):.1f}", name="/missing")
