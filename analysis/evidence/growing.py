"""A recording that is still being written, as `Evidence`: each look reads what came since the last.

Requests and events, and the series that say whether the run is evidence, are those of the whole run
so far; other series are those of the newest stretch. Ledgers and confirmed orders are left out:
an order may be on its way.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from analysis.evidence.growing_log import GrowingLog
from analysis.evidence.run import Evidence
from recording.clock import is_moment
from recording.events import PHASE_STARTED, PHASES_ENDED
from recording.hlog import parse_hlog
from recording.manifest import read_manifest
from recording.metric_names import (
    ARRIVALS_PLANNED,
    ARRIVALS_STARTED,
    CPU,
    CPU_BUSY,
    CPU_STEAL,
    OWN_CPU,
    RUN_QUEUE_WAIT,
    UP,
    USERS,
)
from recording.orders_reader import CONFIRMED_SCHEMA
from recording.rundir import RunDir
from recording.series import SeriesRows
from recording.series_reader import Key, Series
from recording.tail import Tail

WHOLE = frozenset(
    (
        ARRIVALS_PLANNED,
        ARRIVALS_STARTED,
        CPU,
        CPU_BUSY,
        CPU_STEAL,
        OWN_CPU,
        RUN_QUEUE_WAIT,
        UP,
        USERS,
    )
)
"""What the checks of a run look at, from its beginning on."""
MOST_EXEMPLARS = 1000
MARGIN_S = 10.0
"""What is kept beyond the longest stretch: lines come some seconds after their interval."""


class GrowingSeries:
    """Samples as they are written."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._rows = SeriesRows()
        self._values: dict[Key, tuple[array[float], array[float]]] = {}

    def add(self, text: str) -> None:
        """Take whole lines; what is none is skipped."""
        for sample in self._rows.samples(text):
            key = sample.subject, sample.metric
            times, values = self._values.setdefault(key, (array("d"), array("d")))
            times.append(sample.t_s)
            values.append(sample.value)

    def series(self) -> Series:
        """What is kept."""
        self._forget()
        found = {key: (np.array(t), np.array(v)) for key, (t, v) in self._values.items()}
        return Series(found, 0)

    def _forget(self) -> None:
        """All but the newest stretch, and what was so when it began."""
        newest_s = max((t[-1] for t, _ in self._values.values()), default=0.0)
        for (_, metric), (times, values) in self._values.items():
            if metric not in WHOLE:
                old = int(np.searchsorted(np.array(times), newest_s - self._keep_s)) - 1
                if old > 0:
                    del times[:old], values[:old]


class Growing:
    """A run directory that somebody writes to."""

    def __init__(self, run: RunDir, keep_s: float) -> None:
        """``keep_s``: the longest stretch that will be asked for. Raises ManifestError."""
        self._manifest = read_manifest(run.manifest)
        keep_s += MARGIN_S
        self._log = GrowingLog(self._manifest.profile.recording.interval, keep_s)
        self._resources, self._load = GrowingSeries(keep_s), GrowingSeries(keep_s)
        self._events: list[Mapping[str, Any]] = []
        self._exemplars: deque[Mapping[str, Any]] = deque(maxlen=MOST_EXEMPLARS)
        names = (run.latency, run.resources, run.load, run.events, run.exemplars)
        self._tails = tuple(map(Tail, names))

    def look(self) -> Evidence:
        """What there is by now."""
        log, resources, load, events, exemplars = self._tails
        self._events += (row for row in events.rows() if is_moment(row.get("t_s")))
        self._exemplars.extend(exemplars.rows())
        self._resources.add(resources.lines())
        self._load.add(load.lines())
        borders_s = list(self._borders_s())
        lines = log.lines().encode().splitlines(keepends=True)
        self._log.add(parse_hlog(lines).intervals, borders_s)
        return Evidence(
            manifest=self._manifest,
            log=self._log.log(borders_s),
            resources=self._resources.series(),
            load=self._load.series(),
            events=list(self._events),
            exemplars=list(self._exemplars),
            confirmed=pl.DataFrame(schema=CONFIRMED_SCHEMA),
            ledgers={},
            damage=(),
        )

    def _borders_s(self) -> Iterator[float]:
        turns = (PHASE_STARTED, PHASES_ENDED)
        yield from sorted(float(r["t_s"]) for r in self._events if r.get("event") in turns)
