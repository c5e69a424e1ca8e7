"""Samples every service's ``/metrics`` in the background and records its own failures.

Each service has a thread and a connection of its own and a deadline for every whole page, so one
that hangs costs no other's samples; so has each database.
"""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from harness.sampling.host_samples import host_samples
from harness.sampling.prometheus import flatten
from harness.system.fetch import NoAnswerError, fetch
from recording.access import DIRECT, Access
from recording.clock import RunClock
from recording.events import CLOCK_JUMPED, METRICS_VANISHED, SAMPLE_FAILED, SAMPLING_ENDED
from recording.jsonl import JsonLinesWriter
from recording.metric_names import HOST, UP
from recording.rundir import RunDir
from recording.sampling import Sampling
from recording.series import Sample, SeriesWriter

Read = Callable[[], Mapping[str, float]]
"""What a subject says of itself now. Raises NoAnswerError and ValueError."""
UNCHANGED_MAY_BE_LEFT_OUT = ("_bucket", "_sum", "_count", "_max", "_idle")
"""Counters and constants are written when they change: a reader carries them forward. That one is
not told any more is an event (``METRICS_VANISHED``)."""


class Sampler:
    """One sample of the host and of each service per interval, on the monotonic clock.

    ``urls`` has the base url of each subject, ``others`` has those that are read in another way.
    ``latest`` holds the newest values per subject for the live view. Failures to sample are events
    and ``up = 0``; an OSError while writing (disk full) ends it and stands in ``broken``.
    """

    def __init__(
        self,
        run: RunDir,
        urls: Mapping[str, str],
        sampling: Sampling,
        clock: RunClock,
        access: Access = DIRECT,
        others: Mapping[str, Read] = MappingProxyType({}),
    ) -> None:
        self._sampling = sampling
        self._now_s = clock.now_s
        self._series = SeriesWriter(run.resources)
        self._events = JsonLinesWriter(run.events)
        self._writing = threading.RLock()
        self._stopping = threading.Event()
        pages = {s: partial(page_of, url, sampling.timeout, access) for s, url in urls.items()}
        reads: dict[str, Read] = {**pages, **others}
        self._threads = [self._thread(HOST, self._sample_host)]
        self._threads += [
            self._thread(subject, partial(self._sample_subject, subject, read))
            for subject, read in reads.items()
        ]
        self._written: dict[str, dict[str, float]] = {subject: {} for subject in [HOST, *reads]}
        self._clock_offset_s = time.time() - time.monotonic()
        self._taken = dict.fromkeys([HOST, *reads], 0)
        self.failures = 0
        self.latest: dict[str, dict[str, float]] = {}
        self.broken: OSError | None = None

    @property
    def passes(self) -> int:
        """How often everything was sampled, with or without success."""
        return min(self._taken.values())

    def start(self) -> None:
        """Sample until ``stop``; the first samples are at once, so a short run has a start."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take a last sample of everything and end; a page's deadline twice at the latest."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._guarded(
            lambda: self._event(SAMPLING_ENDED, passes=self.passes, failures=self.failures)
        )
        self._series.close()
        self._events.close()

    def _thread(self, name: str, sample: Callable[[], None]) -> threading.Thread:
        run = partial(self._every_interval, sample)
        return threading.Thread(target=run, name=f"sampler of {name}", daemon=True)

    def _every_interval(self, sample: Callable[[], None]) -> None:
        next_s = time.monotonic()
        while self.broken is None:
            self._guarded(sample)
            # One that took longer than the interval is not made up for: that would pile up.
            next_s = max(next_s + self._sampling.interval, time.monotonic())
            if self._stopping.wait(next_s - time.monotonic()):
                break
        self._guarded(sample)

    def _guarded(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            self.broken = self.broken or error

    def _sample_host(self) -> None:
        self._watch_clock()
        self._write(HOST, dict(host_samples()))

    def _sample_subject(self, subject: str, read: Read) -> None:
        values = self._read(subject, read)
        self.latest[subject] = {**self.latest.get(subject, {}), **values}
        self._write(subject, values)

    def _read(self, subject: str, read: Read) -> dict[str, float]:
        try:
            return {UP: 1.0, **read()}
        except (NoAnswerError, ValueError) as error:
            cause = error.__cause__ or error
            with self._writing:
                self.failures += 1
                why = f"{type(cause).__name__}: {error}"
                self._event(SAMPLE_FAILED, subject=subject, error=why)
            return {UP: 0.0}

    def _write(self, subject: str, values: Mapping[str, float]) -> None:
        with self._writing:
            t_s = self._now_s()
            self._series.write(
                Sample(t_s, subject, name, value)
                for name, value in values.items()
                if self._is_news(subject, name, value)
            )
            if values.get(UP) == 1.0:
                self._note_vanished(subject, values, t_s)
            self._taken[subject] += 1

    def _is_news(self, subject: str, name: str, value: float) -> bool:
        if not name.partition("/")[0].endswith(UNCHANGED_MAY_BE_LEFT_OUT):
            return True
        if self._written[subject].get(name) == value:
            return False
        self._written[subject][name] = value
        return True

    def _note_vanished(self, subject: str, values: Mapping[str, float], t_s: float) -> None:
        written = self._written[subject]
        if gone := [name for name in written if name not in values]:
            for name in gone:
                del written[name]
            self._event(METRICS_VANISHED, subject=subject, metrics=gone, from_s=round(t_s, 3))

    def _watch_clock(self) -> None:
        offset_s = time.time() - time.monotonic()
        jump_s = offset_s - self._clock_offset_s
        if abs(jump_s) > 1.0:
            self._event(CLOCK_JUMPED, by_s=round(jump_s, 3))
        self._clock_offset_s = offset_s

    def _event(self, event: str, **details: Any) -> None:
        with self._writing:
            row = {"t_s": round(self._now_s(), 3), "source": "sampler", "event": event, **details}
            self._events.write(row)


def page_of(url: str, within_s: float, access: Access) -> Mapping[str, float]:
    """A service's ``/metrics``. Raises NoAnswerError and ValueError."""
    page = fetch(f"{url}/metrics", within_s, access)
    if not page.ok:
        raise ValueError(f"status {page.status}")
    return dict(flatten(page.text))
