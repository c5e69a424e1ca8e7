"""Samples every service's ``/metrics`` in the background and records its own failures."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from harness.host_samples import host_samples
from harness.prometheus import flatten
from recording.clock import RunClock
from recording.jsonl import JsonLinesWriter
from recording.profile import Sampling
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter

UNCHANGED_MAY_BE_LEFT_OUT = ("_bucket", "_sum", "_count", "_max", "_idle")
"""Counters and constants are written when they change: a reader carries them forward."""


class Sampler(threading.Thread):
    """One pass over all services per interval, on the monotonic clock.

    ``urls`` has the base url of each subject. ``latest`` holds the newest values per subject for
    the live view. Failures to sample are events and ``up = 0``; an OSError while writing (disk
    full) ends it and stands in ``broken``.
    """

    def __init__(
        self,
        run: RunDir,
        urls: Mapping[str, str],
        sampling: Sampling,
        clock: RunClock,
    ) -> None:
        super().__init__(name="sampler", daemon=True)
        self._urls = dict(urls)
        self._sampling = sampling
        self._now_s = clock.now_s
        self._series = SeriesWriter(run.resources)
        self._events = JsonLinesWriter(run.events)
        self._stopping = threading.Event()
        self._written: dict[tuple[str, str], float] = {}
        self._clock_offset_s = time.time() - time.monotonic()
        self.passes = 0
        self.failures = 0
        self.latest: dict[str, dict[str, float]] = {}
        self.broken: OSError | None = None

    def run(self) -> None:
        """Sample until ``stop``; the first pass is at once, so even a short run has a start."""
        next_s = time.monotonic()
        with httpx.Client(timeout=self._sampling.timeout, trust_env=False) as client:
            while self.broken is None:
                self._guarded(lambda: self._pass(client))
                next_s += self._sampling.interval
                now_s = time.monotonic()
                if next_s < now_s:  # a pass took longer than the interval: skip, do not pile up
                    next_s = now_s
                if self._stopping.wait(next_s - now_s):
                    break
            self._guarded(lambda: self._pass(client))

    def stop(self) -> None:
        """Take a last sample and end."""
        self._stopping.set()
        self.join()
        self._guarded(
            lambda: self._event("sampling_ended", passes=self.passes, failures=self.failures)
        )
        self._series.close()
        self._events.close()

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self.broken = self.broken or error

    def _pass(self, client: httpx.Client) -> None:
        self.passes += 1
        self._watch_clock()
        self._write("host", dict(host_samples()))
        for subject, url in self._urls.items():
            values = self._scrape(client, subject, url)
            self.latest[subject] = {**self.latest.get(subject, {}), **values}
            self._write(subject, values)

    def _scrape(self, client: httpx.Client, subject: str, url: str) -> dict[str, float]:
        try:
            answer = client.get(f"{url}/metrics")
            answer.raise_for_status()
            return {"up": 1.0, **dict(flatten(answer.text))}
        except (httpx.HTTPError, ValueError) as error:
            self.failures += 1
            self._event("sample_failed", subject=subject, error=f"{type(error).__name__}: {error}")
            return {"up": 0.0}

    def _write(self, subject: str, values: Mapping[str, float]) -> None:
        t_s = self._now_s()
        self._series.write(
            Sample(t_s, subject, name, value)
            for name, value in values.items()
            if self._is_news(subject, name, value)
        )

    def _is_news(self, subject: str, name: str, value: float) -> bool:
        if not name.partition("/")[0].endswith(UNCHANGED_MAY_BE_LEFT_OUT):
            return True
        if self._written.get((subject, name)) == value:
            return False
        self._written[subject, name] = value
        return True

    def _watch_clock(self) -> None:
        offset_s = time.time() - time.monotonic()
        jump_s = offset_s - self._clock_offset_s
        if abs(jump_s) > 1.0:
            self._event("clock_jumped", by_s=round(jump_s, 3))
        self._clock_offset_s = offset_s

    def _event(self, event: str, **details: Any) -> None:
        row = {"t_s": round(self._now_s(), 3), "source": "sampler", "event": event, **details}
        self._events.write(row)
