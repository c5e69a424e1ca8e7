"""What a Prometheus server scraped of the services during a run, asked for once, after the load.

Its clock is related to the run's by asking what time it is, so neither time zones nor a wall clock
that is wrong or jumps move a sample.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.sampling.fold import Folded, fold
from harness.sampling.mapping import Wanted
from harness.sampling.prometheus_server import NO_GOOD_ANSWER, PrometheusServer
from harness.sampling.sampler import UNCHANGED_MAY_BE_LEFT_OUT
from recording.arrays import Floats
from recording.clock import RunClock
from recording.events import METRICS_VANISHED
from recording.jsonl import JsonLinesWriter
from recording.metric_names import UP
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter

BEFORE_S = 120.0
"""Looked back from the run's start for what was so when it began: twice the usual interval."""
_ASK_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class AfterLoad:
    """Whom to ask, and for which rows of each subject.

    ``settle_s`` is how long it may take to have scraped the load's end.
    """

    server: PrometheusServer
    wanted: Mapping[str, tuple[Wanted, ...]]
    every_s: float
    settle_s: float

    def collect(
        self, run: RunDir, clock: RunClock, stop: Callable[[], bool]
    ) -> Iterator[tuple[str, str]]:
        """Add to ``resources.csv``; yields subjects of which something is missing, and why.

        ``stop`` ends the waiting. Raises OSError (disk full).
        """
        end_s = clock.now_s()
        at_s = np.arange(0.0, end_s + self.every_s, self.every_s)
        for subject, wanted in self.wanted.items():
            try:
                ahead_s = self._ahead_s(clock)
                late = self._await(wanted, end_s + ahead_s, stop)
                found = self._found(wanted, at_s, ahead_s)
            except NO_GOOD_ANSWER as error:
                yield subject, f"Prometheus gave no good answer: {error}"
                continue
            with SeriesWriter(run.resources) as series:
                series.write(_samples(subject, at_s, found))
            with JsonLinesWriter(run.events) as events:
                events.write(*_vanished(subject, at_s, found))
            yield from ((subject, why) for why in (*late, *map(str, found.clashes)))
            if not found.told:
                yield subject, "Prometheus has nothing of it in this run"

    def _ahead_s(self, clock: RunClock) -> float:
        """Its clock less the run's, s."""
        asked_s = clock.now_s()
        theirs_s = self.server.now_s()
        return theirs_s - (asked_s + clock.now_s()) / 2

    def _await(self, wanted: Sequence[Wanted], end_s: float, stop: Callable[[], bool]) -> list[str]:
        """Until the load's end has been scraped; says what it was not, in time."""
        deadline = time.monotonic() + self.settle_s
        while late := [w.row.ours for w in wanted if self._is_late(w, end_s)]:
            if stop() or time.monotonic() >= deadline:
                return [f"the load's end was not scraped in time: {', '.join(sorted({*late}))}"]
            time.sleep(_ASK_AGAIN_S)
        return []

    def _is_late(self, wanted: Wanted, end_s: float) -> bool:
        newest_s = self.server.newest_s(wanted)
        return newest_s is not None and newest_s < end_s

    def _found(self, wanted: Sequence[Wanted], at_s: Floats, ahead_s: float) -> Folded:
        from_s, to_s = ahead_s - BEFORE_S, ahead_s + float(at_s[-1])
        series = (s for w in wanted for s in self.server.series(w, from_s, to_s, self.every_s))
        return fold(series, at_s + ahead_s, self.every_s)


def _vanished(subject: str, at_s: Floats, found: Folded) -> Iterator[Mapping[str, Any]]:
    """Of those that are written when they change, who was not told any more, and from when on."""
    known = np.any([np.isfinite(told.values) for told in found.told.values()], axis=0)
    for name, told in found.told.items():
        if not name.partition("/")[0].endswith(UNCHANGED_MAY_BE_LEFT_OUT):
            continue
        there = np.flatnonzero(np.isfinite(told.values))
        after = np.flatnonzero(known[there[-1] + 1 :]) if there.size else there
        if after.size:
            t_s = round(float(at_s[there[-1] + 1 + after[0]]), 3)
            row = {"t_s": t_s, "source": "prometheus", "event": METRICS_VANISHED}
            yield row | {"subject": subject, "metrics": [name], "from_s": t_s}


def _samples(subject: str, at_s: Floats, found: Folded) -> Iterator[Sample]:
    """Of what is known; ``up`` where anything is."""
    known = np.any([np.isfinite(told.values) for told in found.told.values()], axis=0)
    if not np.any(known):
        return
    told = {UP: known.astype(float)} | {n: each.values for n, each in found.told.items()}
    kept = {name: _news(name, values) for name, values in told.items()}
    for n, t_s in enumerate(at_s.tolist()):
        for name, values in told.items():
            if kept[name][n]:
                yield Sample(t_s, subject, name, float(values[n]))


def _news(name: str, values: Floats) -> npt.NDArray[np.bool_]:
    """Which of them are written."""
    kept = np.isfinite(values)
    if name.partition("/")[0].endswith(UNCHANGED_MAY_BE_LEFT_OUT):
        kept[kept] = np.diff(values[kept], prepend=np.nan) != 0
    return kept
