"""Reads the files of a run directory, whatever became of them: damage is counted, never fatal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from recording.clock import is_moment
from recording.events import PHASE_STARTED, PHASES_ENDED
from recording.files import why
from recording.hlog import HistogramLog
from recording.hlog_blocks import read_hlog_blocks
from recording.jsonl import read_json_lines
from recording.manifest import Manifest, MeasuredPhase
from recording.metric_names import possible
from recording.orders_reader import CONFIRMED_SCHEMA, read_confirmed, read_unconfirmed
from recording.rundir import RunDir
from recording.series_reader import Series, read_series
from recording.timetable import borders_s, phases_of, slots_of

MAX_BLOCKS = 200
"""Blocks of time for confidence intervals: enough to see autocorrelation, cheap at 48 hours."""

T = TypeVar("T")


class Reading:
    """Reads the files of a run; what is wrong with each is kept and ends nothing."""

    def __init__(self, run: RunDir, changed: dict[str, str]) -> None:
        """``changed``: files that are not as they were when the run was closed, and how."""
        self._run = run
        self.spoilt_exemplars = changed.pop(run.name_of(run.exemplars), "")
        self._damage = [f"{name} {became}" for name, became in changed.items()]

    def damage(self) -> tuple[str, ...]:
        """A line for each thing that is wrong."""
        return tuple(dict.fromkeys(self._damage))

    def events(self) -> list[dict[str, Any]]:
        """What happened; an event that does not say when is damage."""
        nothing: tuple[list[dict[str, Any]], int] = ([], 0)
        rows, damaged = self._read(self._run.events, read_json_lines, nothing)
        sound = [row for row in rows if is_moment(row.get("t_s"))]
        self._lines(self._run.events, damaged + len(rows) - len(sound))
        turns = [row["t_s"] for row in sound if row.get("event") in (PHASE_STARTED, PHASES_ENDED)]
        if turns != sorted(turns):
            self._damage.append("events.jsonl: a phase begins before the one before it")
        return sound

    def log(self, manifest: Manifest, events: Sequence[Mapping[str, Any]]) -> HistogramLog:
        """The histograms, in blocks that do not cross a border of what is judged."""
        if slots := slots_of(manifest, events):
            borders, block_s = borders_s(slots), max(slots.slot_s, slots.start_s)
        elif manifest.search is not None:  # borders of levels are borders of intervals
            borders, block_s = [], manifest.profile.recording.interval / 2
        else:
            borders, block_s = _phases_in_blocks(manifest, phases_of(events) or manifest.phases)

        def read(path: Path) -> HistogramLog:
            return read_hlog_blocks(path, borders, block_s)

        found = self._read(self._run.latency, read, HistogramLog((), 0))
        self._lines(self._run.latency, found.damaged_lines)
        return found

    def series(self, path: Path) -> Series:
        """The samples of services or generator."""
        found = self._read(path, read_series, Series({}, 0))
        self._lines(path, found.damaged_lines)
        return _possible(found)

    def confirmed(self) -> pl.DataFrame:
        """What clients saw confirmed."""
        nothing = (pl.DataFrame(schema=CONFIRMED_SCHEMA), 0)
        found, damaged = self._read(self._run.confirmed, read_confirmed, nothing)
        self._lines(self._run.confirmed, damaged)
        return found

    def unconfirmed(self) -> pl.DataFrame | None:
        """What clients asked to confirm in vain."""
        path = self._run.unconfirmed
        nothing: tuple[pl.DataFrame | None, int] = (None, 0)
        found, damaged = self._read(path, read_unconfirmed, nothing)
        self._lines(path, damaged)
        return found

    def of_arms(
        self,
        arms: Iterable[str],
        place: Callable[[str], Path],
        read: Callable[[Path], T | None],
    ) -> dict[str, T]:
        """The shop's ledgers of one kind by arm; an arm without one is left out."""
        found = {arm: self._read(place(arm), read, None) for arm in arms}
        return {arm: ledger for arm, ledger in found.items() if ledger is not None}

    def exemplars(self) -> list[dict[str, Any]]:
        """Examples are for people: spoilt ones change no verdict, and are not quoted."""
        if self.spoilt_exemplars:
            return []
        try:
            rows, damaged = read_json_lines(self._run.exemplars)
        except OSError as error:
            self.spoilt_exemplars = f"cannot be read: {why(error)}"
            return []
        self.spoilt_exemplars = f"has {damaged} damaged line(s)" if damaged else ""
        return rows

    def _read(self, path: Path, read: Callable[[Path], T], nothing: T) -> T:
        try:
            return read(path)
        except OSError as error:
            self._damage.append(f"{self._run.name_of(path)} cannot be read: {why(error)}")
        except ValueError as error:
            self._damage.append(str(error))
        return nothing

    def _lines(self, path: Path, damaged: int) -> None:
        if damaged:
            self._damage.append(f"{self._run.name_of(path)}: {damaged} damaged line(s)")


def _possible(series: Series) -> Series:
    """Without values that cannot be, as our sampler leaves them out: nobody knew them then."""
    values = {}
    for key, (t_s, told) in series.values.items():
        least, most = possible(key[1])
        known = (told >= least) & (told <= most)
        if known.all():
            values[key] = t_s, told
        elif known.any():
            values[key] = t_s[known], told[known]
    return Series(values, series.damaged_lines)


def _phases_in_blocks(
    manifest: Manifest, phases: Sequence[MeasuredPhase]
) -> tuple[list[float], float]:
    """Borders of the phases, and the length of blocks of whole intervals between them, s."""
    borders = {border for phase in phases for border in (phase.start_s, phase.end_s)}
    interval_s = manifest.profile.recording.interval
    wanted_s = manifest.profile.measured_s / MAX_BLOCKS
    # Half an interval keeps every interval by itself, whatever rounding does to its start.
    block_s = ceil(wanted_s / interval_s) * interval_s if wanted_s > interval_s else interval_s / 2
    return [border for border in borders if border is not None], block_s
