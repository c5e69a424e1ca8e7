"""Everything a run directory holds, read once, damage counted and never fatal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any

import polars as pl

from analysis.units import format_elapsed
from recording.hlog import HistogramLog, Interval
from recording.hlog_blocks import read_hlog_blocks
from recording.jsonl import read_json_lines
from recording.manifest import Manifest, MeasuredPhase, read_manifest
from recording.orders_reader import read_confirmed, read_ledger
from recording.phases import phases_of
from recording.rundir import RunDir
from recording.series_reader import Series, read_series
from recording.slots import ARMS, HEAD, Slots
from recording.timetable import borders_s, slots_of

GENERATOR = "generator"
"""Pseudo-step under which the generator records about itself."""
MAX_BLOCKS = 100
"""Blocks of time for confidence intervals: enough to see autocorrelation, cheap at 48 hours."""

FORMAT_1 = (
    "recorded in format 1: it does not say how many requests began, and has no digests: requests "
    "that were never answered are missing from it, and a changed file may go unnoticed"
)


@dataclass(frozen=True)
class Evidence:
    """A recording. ``damage`` has one line for each file that was cut off or spoilt."""

    manifest: Manifest
    log: HistogramLog
    resources: Series
    load: Series
    events: Sequence[Mapping[str, Any]]
    exemplars: Sequence[Mapping[str, Any]]
    confirmed: pl.DataFrame
    ledgers: Mapping[str, pl.DataFrame]
    """By arm, "" outside a paired run; absent where nobody keeps one that we can read."""
    damage: tuple[str, ...]

    @cached_property
    def phases(self) -> tuple[MeasuredPhase, ...]:
        """Phases as they happened; a phase that was cut short ends with the recording."""
        return tuple(
            phase if phase.end_s is not None else phase.model_copy(update={"end_s": self.end_s})
            for phase in phases_of(self.events) or self.manifest.phases
        )

    @cached_property
    def slots(self) -> Slots | None:
        """The timetable of a paired run; None for any other, and before its first slot."""
        return slots_of(self.manifest, self.events)

    @cached_property
    def end_s(self) -> float:
        """The last moment anything is known about, s since the epoch."""
        moments = [float(row["t_s"]) for row in self.events if _is_number(row.get("t_s"))]
        moments += [i.start_s + i.length_s for i in self.log.intervals]
        return max(moments, default=0.0)

    @cached_property
    def load_start_s(self) -> float:
        """When the first phase began; what people mean by T+0."""
        return self.phases[0].start_s if self.phases else 0.0

    def elapsed(self, t_s: float) -> str:
        """A moment as ``T+6h14m`` since the load began."""
        return format_elapsed(t_s - self.load_start_s)

    @cached_property
    def measured(self) -> tuple[tuple[float, float], ...]:
        """(start, end) of the measured phases, s since the epoch."""
        return tuple((p.start_s, p.end_s or p.start_s) for p in self.phases if p.measured)

    @cached_property
    def measured_s(self) -> float:
        """Length of the measured phases together, s."""
        return sum(end - start for start, end in self.measured)

    def is_measured(self, interval: Interval) -> bool:
        """Whether the middle of an interval lies in a measured phase."""
        middle_s = interval.start_s + interval.length_s / 2
        return any(start <= middle_s < end for start, end in self.measured)

    def is_ours(self, arm: str = "") -> bool:
        """Whether the run started these services itself: nothing of theirs may be missing."""
        paired = self.manifest.paired
        if paired is not None:
            return (paired.head if arm == HEAD else paired.base).ours
        return self.manifest.source == "loadgate" and not self.manifest.profile.target.urls

    def remarks(self) -> Iterator[str]:
        """What whoever reads the verdict must know, whatever it is."""
        if self.manifest.format == 1:
            yield FORMAT_1
        for row in self.events_named("not_sampled"):
            subject = row.get("subject")
            yield f"{subject} exports no /metrics: its pools, memory and CPU are not known"
        for row in self.events_named("clock_jumped"):
            yield (
                f"the wall clock jumped by {row.get('by_s')} s during the run; measurements use "
                "the monotonic clock and are not affected"
            )

    def times_of(self, name: str) -> list[float]:
        """When the events of one kind happened, s since the epoch."""
        rows = self.events_named(name)
        return [float(row["t_s"]) for row in rows if _is_number(row.get("t_s"))]

    def events_named(self, name: str) -> list[Mapping[str, Any]]:
        """The events of one kind, in the order they were written."""
        return [row for row in self.events if row.get("event") == name]


def load_evidence(run: RunDir) -> Evidence:
    """Read a run directory. Raises ConfigError only when its manifest is unreadable."""
    manifest = read_manifest(run.manifest)
    events, bad_events = read_json_lines(run.events)
    slots = slots_of(manifest, events)
    phases = phases_of(events) or manifest.phases
    log = _read_slots(run.latency, slots) if slots else _read_log(run.latency, manifest, phases)
    resources, load = read_series(run.resources), read_series(run.load)
    exemplars, bad_exemplars = read_json_lines(run.exemplars)
    damaged = {
        run.latency.name: log.damaged_lines,
        run.resources.name: resources.damaged_lines,
        run.load.name: load.damaged_lines,
        run.events.name: bad_events,
        run.exemplars.name: bad_exemplars,
    }
    damage = [f"{name}: {n} damaged line(s)" for name, n in damaged.items() if n]
    ledgers, unreadable = _read_ledgers(run, ARMS if manifest.paired else ("",))
    return Evidence(
        manifest=manifest,
        log=log,
        resources=resources,
        load=load,
        events=events,
        exemplars=exemplars,
        confirmed=read_confirmed(run.confirmed),
        ledgers=ledgers,
        damage=(*damage, *unreadable),
    )


def _read_ledgers(run: RunDir, arms: Iterable[str]) -> tuple[dict[str, pl.DataFrame], list[str]]:
    ledgers: dict[str, pl.DataFrame] = {}
    unreadable: list[str] = []
    for arm in arms:
        try:
            ledger = read_ledger(run.orders_of(arm))
        except ValueError as error:
            unreadable.append(str(error))
        else:
            ledgers |= {} if ledger is None else {arm: ledger}
    return ledgers, unreadable


def _read_log(path: Path, manifest: Manifest, phases: Sequence[MeasuredPhase]) -> HistogramLog:
    """The log in blocks of whole intervals that do not cross the border of a phase."""
    borders_s = {border for phase in phases for border in (phase.start_s, phase.end_s)}
    interval_s = manifest.profile.recording.interval
    wanted_s = manifest.profile.measured_s / MAX_BLOCKS
    # Half an interval keeps every interval by itself, whatever rounding does to its start.
    block_s = ceil(wanted_s / interval_s) * interval_s if wanted_s > interval_s else interval_s / 2
    return read_hlog_blocks(path, [b for b in borders_s if b is not None], block_s)


def _read_slots(path: Path, slots: Slots) -> HistogramLog:
    """The log of a paired run, where the borders of slots and cuts are what matters."""
    return read_hlog_blocks(path, borders_s(slots), max(slots.slot_s, slots.start_s))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
