"""Reads sampled series. Apart from their writer, so that Locust's processes need no polars."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from recording.arrays import Floats
from recording.clock import LATEST_S
from recording.files import open_regular
from recording.series import MOST, SERIES_HEADER

Key = tuple[str, str]
"""Subject and metric."""

_CHUNK_BYTES = 4 << 20
"""Read at once: 48 hours of samples are 150 MB of text, and 30 MB of numbers."""
_EMPTY = np.empty(0)


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
    parts: defaultdict[Key, list[tuple[Floats, Floats]]] = defaultdict(list)
    damaged = 0
    try:
        with open_regular(path) as file:
            header = file.readline()
            if header != SERIES_HEADER.encode():
                return Series({}, int(bool(header)))
            while text := file.read(_CHUNK_BYTES) + file.readline():
                damaged += _add(text, parts)
    except FileNotFoundError:
        return Series({}, 0)
    return Series({key: _in_order(part) for key, part in parts.items()}, damaged)


def _add(text: bytes, parts: defaultdict[Key, list[tuple[Floats, Floats]]]) -> int:
    """Add the samples of some lines; returns the number of damaged ones, one cut off included."""
    whole, newline, cut = text.rpartition(b"\n")
    if not newline:
        return 1
    rows = pl.read_csv(
        whole + newline,
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
    return len(rows) - len(frame) + bool(cut)


def _in_order(parts: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    t_s = np.concatenate([t for t, _ in parts])
    values = np.concatenate([v for _, v in parts])
    order = np.argsort(t_s, kind="stable")
    return t_s[order], values[order]
