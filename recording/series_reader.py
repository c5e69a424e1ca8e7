"""Reads sampled series. Apart from their writer, so that Locust's processes need no polars."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recording.arrays import Bools, Floats
from recording.clock import LATEST_S
from recording.files import open_regular
from recording.series import DITTO, LONG_HEADER, MOST, NAMES, SERIES_HEADER

Key = tuple[str, str]
"""Subject and metric."""

_CHUNK_BYTES = 1 << 20
"""Read at once: 48 hours of samples in long form are 150 MB of text, and 30 MB of numbers."""
_CELLS = ("t_s", "subject", "values")
_EMPTY = np.empty(0)
_Parts = defaultdict[Key, list[tuple[Floats, Floats]]]


@dataclass(frozen=True, slots=True)
class Series:
    """All sampled values of a file. ``damaged_lines`` counts lines that could not be read."""

    values: Mapping[Key, tuple[Floats, Floats]]
    damaged_lines: int

    def get(self, subject: str, metric: str) -> tuple[Floats, Floats]:
        """Times (s) and values of one metric, in time order; empty arrays when absent."""
        return self.values.get((subject, metric), (_EMPTY, _EMPTY))

    def subjects(self, metric: str) -> list[str]:
        """The subjects that have this metric, sorted."""
        return sorted(subject for subject, name in self.values if name == metric)

    def metrics(self, subject: str) -> list[str]:
        """The metrics of this subject, sorted."""
        return sorted(name for owner, name in self.values if owner == subject)


def read_series(path: Path) -> Series:
    """Everything readable in the file; a missing file is empty.

    Raises OSError for anything else that is no readable file.
    """
    parts: _Parts = defaultdict(list)
    damaged = 0
    try:
        with open_regular(path) as file:
            header = file.readline()
            add = _adder(header)
            if add is None:
                return Series({}, int(bool(header)))
            while text := file.read(_CHUNK_BYTES) + file.readline():
                whole, newline, cut = text.rpartition(b"\n")
                damaged += bool(cut)
                damaged += add(whole + newline, parts) if newline else 0
    except FileNotFoundError:
        return Series({}, 0)
    return Series({key: _in_order(part) for key, part in parts.items()}, damaged)


def _adder(header: bytes) -> Callable[[bytes, _Parts], int] | None:
    """What adds whole lines to the parts and counts damaged ones; None for no such file."""
    if header == SERIES_HEADER.encode():
        return _Wide().add
    return _add_long if header == LONG_HEADER.encode() else None


class _Wide:
    """A row per subject and moment: the rows of one subject and its names are read as a table."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, ...]] = {}

    def add(self, text: bytes, parts: _Parts) -> int:
        """Add whole lines; returns the number of damaged ones."""
        lines = pl.Series("line", text.decode(errors="replace").split("\n")[:-1])
        cells = lines.str.splitn(",", 3).struct.rename_fields(_CELLS).struct.unnest()
        rows = cells.with_columns(lines).filter(~lines.str.starts_with("#"))
        whole = rows.drop_nulls("values")
        return len(rows) - len(whole) + sum(
            self._add_subject(str(subject), own, parts)
            for (subject,), own in whole.partition_by("subject", as_dict=True).items()
        )  # fmt: skip

    def _add_subject(self, subject: str, rows: pl.DataFrame, parts: _Parts) -> int:
        """Add the rows of one subject, those after each row of names as a table."""
        damaged, first = 0, 0
        turns = np.flatnonzero((rows["t_s"] == NAMES).to_numpy()).tolist()
        for turn in [*turns, len(rows)]:
            names, table = self._names.get(subject, ()), rows[first:turn]
            commas = table["values"].str.count_matches(",", literal=True)
            fitting = table.filter(commas + 1 == len(names))
            damaged += len(table) - len(fitting)
            if len(fitting):
                damaged += _add_table(subject, names, fitting["line"], parts)
            if turn < len(rows):
                self._names[subject] = tuple(rows["values"][turn].split(","))
            first = turn + 1
        return damaged


def _add_table(subject: str, names: Sequence[str], lines: pl.Series, parts: _Parts) -> int:
    """Add rows of the same names; one with a cell that is no sound number is damaged."""
    columns = [f"c{n}" for n in range(2 + len(names))]
    schema = dict.fromkeys(columns, pl.String)
    text = "\n".join(lines).encode()
    cells = pl.read_csv(text, has_header=False, schema=schema, quote_char=None)
    numbers = cells.cast(pl.Float64, strict=False)
    at, values = pl.col(columns[0]), pl.col(columns[2:])
    told = cells.select(values.is_not_null())
    again = cells.select((values == DITTO).fill_null(value=False))
    in_time = numbers.select(at.is_between(0, LATEST_S).fill_null(value=False))
    whole: Bools = in_time.to_series().to_numpy()
    found: list[tuple[str, Bools, Floats]] = []
    before = np.full(len(lines), np.nan)
    for name, is_told, is_again, own in zip(
        names, told, again, numbers.select(values), strict=True
    ):
        before = np.where(is_again.to_numpy(), before, own.to_numpy())
        found.append((name, is_told.to_numpy(), before))
        with np.errstate(invalid="ignore"):
            whole = whole & ((np.abs(before) <= MOST) | ~found[-1][1])
    t_s = numbers.to_series(0).to_numpy()
    for name, known, own_values in found:
        kept = whole & known
        if kept.any():
            parts[subject, name].append((t_s[kept], own_values[kept]))
    return len(lines) - int(whole.sum())


def _add_long(text: bytes, parts: _Parts) -> int:
    """Add lines of one sample each; returns the number of damaged ones."""
    rows = pl.read_csv(
        text,
        has_header=False,
        schema=dict.fromkeys(("t_s", "subject", "metric", "value"), pl.String),
        truncate_ragged_lines=True,
        quote_char=None,
        encoding="utf8-lossy",
    )
    numbers = [pl.col(name).cast(pl.Float64, strict=False) for name in ("t_s", "value")]
    sound = pl.col("t_s").is_between(0, LATEST_S) & (pl.col("value").abs() <= MOST)
    frame = rows.with_columns(*numbers).drop_nulls().filter(sound)
    groups = frame.partition_by("subject", "metric", as_dict=True)
    for (subject, metric), group in groups.items():
        pair = (group["t_s"].to_numpy(), group["value"].to_numpy())
        parts[str(subject), str(metric)].append(pair)
    return len(rows) - len(frame)


def _in_order(parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    t_s = np.concatenate([t for t, _ in parts])
    values = np.concatenate([v for _, v in parts])
    order = np.argsort(t_s, kind="stable")
    return t_s[order], values[order]
