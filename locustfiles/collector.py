"""Writes the recording: merges the reports of all workers, interval by interval.

Runs where Locust's master runs, so that a saturated worker cannot lose
what was recorded. An interval is written when every live worker is past it; a report that comes
later still gets its own line.
"""

from collections import Counter, defaultdict
from typing import Any

from locustfiles.intervals import Intervals
from locustfiles.recorder import unpack
from locustfiles.traffic import added_up
from recording.events import GENERATOR_ENDED
from recording.histogram import Histogram, merge
from recording.hlog import UNPAIRED, HistogramLogWriter, Interval, Tag
from recording.jsonl import JsonLinesWriter
from recording.metric_names import (
    ARRIVALS_PLANNED,
    ARRIVALS_STARTED,
    CPU,
    LOCUST,
    RSS,
    RUN_QUEUE_WAIT,
    USERS,
)
from recording.orders import ConfirmedOrdersWriter, UnconfirmedOrdersWriter
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter

PATIENCE_INTERVALS = 5
"""How many intervals a silent worker may hold back what the others recorded."""

_TOTALS = ("recorded", "cut_off", "failed", "errors", "failures_left_out", "raised")
_GAUGES = (CPU, RSS, RUN_QUEUE_WAIT)
_ARRIVALS = (ARRIVALS_PLANNED, ARRIVALS_STARTED)


class Collector:
    """Owns the recording's files; every method may raise OSError (disk full)."""

    def __init__(self, run: RunDir, epoch_wall_s: float, intervals: Intervals) -> None:
        self._intervals = intervals
        self._log = HistogramLogWriter(run.latency, epoch_wall_s)
        self._load = SeriesWriter(run.load)
        self._exemplars = JsonLinesWriter(run.exemplars)
        self._orders = ConfirmedOrdersWriter(run.confirmed)
        self._given_up = UnconfirmedOrdersWriter(run.unconfirmed)
        self._events = JsonLinesWriter(run.events)
        self._pending: dict[int, dict[Tag, list[Histogram]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._closed_below: dict[str, int] = {}
        self._final: set[str] = set()
        self._workers: dict[str, dict[str, int]] = {}
        self._begun: dict[str, dict[str, int]] = {}
        self._traffic: dict[str, dict[str, dict[str, Any]]] = {}
        self._orders_written = 0
        self._given_up_written = 0
        self._closed = False
        self._last_error = self._last_raised = ""

    def add(self, worker: str, report: dict[str, Any]) -> None:
        """Take one worker's report and write every interval that all workers are past."""
        if self._closed:
            return
        for index, packed in report["intervals"]:
            for tag, histogram in unpack(packed):
                self._pending[index][tag].append(histogram)
        self._closed_below[worker] = report["closed_below"]
        if report["final"]:
            self._final.add(worker)
        self._workers[worker] = {name: report[name] for name in _TOTALS}
        self._begun[worker] = {
            step if arm == UNPAIRED else f"{step}@{arm}": n for step, arm, n in report["begun"]
        }
        self._traffic[worker] = report.get("traffic", {})
        self._last_error = report["last_error"] or self._last_error
        self._last_raised = report["last_raised"] or self._last_raised
        self._exemplars.write(*report["exemplars"])
        self._orders.write(report["orders"])
        self._orders_written += len(report["orders"])
        self._given_up.write(report["given_up"])
        self._given_up_written += len(report["given_up"])
        self._load.write(
            Sample(report["t_s"], worker, name, report[name])
            for name in (*_GAUGES, *(_ARRIVALS if report.get(_ARRIVALS[0]) else ()))
            if name in report
        )
        newest = max(self._closed_below.values())
        self._write_below(max(min(self._closed_below.values()), newest - PATIENCE_INTERVALS))

    def forget(self, worker: str) -> None:
        """A lost worker holds nothing back any more; what it reported stays."""
        self._closed_below.pop(worker, None)

    def unfinished(self, *, lost: bool) -> set[str]:
        """Workers whose last report is still to come: the live ones, or the lost ones."""
        workers = self._workers.keys() - self._closed_below if lost else self._closed_below.keys()
        return workers - self._final

    def _write_below(self, index: int) -> None:
        for i in sorted(i for i in self._pending if i < index):
            slot = self._pending.pop(i)
            start_s, length_s = self._intervals.span_s(i)
            self._log.write(
                Interval(tag, start_s, length_s, merge(slot[tag])) for tag in sorted(slot)
            )

    def users(self, t_s: float, number: int) -> None:
        """How many there are, into the generator's series."""
        if not self._closed:
            self._load.write([Sample(t_s, LOCUST, USERS, float(number))])

    def event(self, t_s: float, event: str, **details: Any) -> None:
        """Append an event of the generator."""
        self._events.write({"t_s": round(t_s, 3), "source": LOCUST, "event": event, **details})

    def close(self, t_s: float, locust_requests: int, locust_failures: int) -> None:
        """Write what is pending and the closing count that the judge holds the log against.

        Locust's greenlets go on for a moment; what they bring afterwards is not recorded, and
        requests among it would show as a count that differs from Locust's own.
        """
        self._closed = True
        self._write_below(max(self._pending, default=0) + 1)
        totals = {name: sum(w[name] for w in self._workers.values()) for name in _TOTALS}
        self.event(
            t_s,
            GENERATOR_ENDED,
            **totals,
            begun=dict(sum(map(Counter, self._begun.values()), Counter[str]())),
            unfinished=sorted(self._workers.keys() - self._final),
            orders=self._orders_written,
            given_up=self._given_up_written,
            traffic=added_up(self._traffic.values()),
            locust_requests=locust_requests,
            locust_failures=locust_failures,
            last_error=self._last_error,
            last_raised=self._last_raised,
        )
        for file in (
            self._log, self._load, self._exemplars, self._orders, self._given_up, self._events,
        ):  # fmt: skip
            file.close()
