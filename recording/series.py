"""Sampled series (``resources.csv``, ``load.csv``): one value per line, appended while running.

Long form, ``t_s,subject,metric,value``: a service that comes or goes, or a metric that appears
late, needs no second header, and a file cut at any byte loses at most its last line.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from recording.hlog import write_all

Floats = npt.NDArray[np.float64]
_HEADER = "t_s,subject,metric,value\n"
_SCHEMA = {"t_s": pl.String, "subject": pl.String, "metric": pl.String, "value": pl.String}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric of one subject; ``t_s`` is seconds since the run's epoch."""

    t_s: float
    subject: str
    metric: str
    value: float


class SeriesWriter:
    """Appends samples; one system call per ``write``."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` for appending; a new file gets its header. Raises OSError."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if os.fstat(self._fd).st_size == 0:
            write_all(self._fd, _HEADER.encode())

    def write(self, samples: Iterable[Sample]) -> None:
        """Append; raises OSError (disk full)."""
        rows = "".join(f"{s.t_s:.3f},{s.subject},{s.metric},{s.value!r}\n" for s in samples)
        if rows:
            write_all(self._fd, rows.encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class Series:
    """All sampled values of a file. ``damaged_lines`` counts lines that could not be read."""

    frame: pl.DataFrame
    damaged_lines: int

    def get(self, subject: str, metric: str) -> tuple[Floats, Floats]:
        """Times (s) and values of one metric, in time order; empty arrays when absent."""
        rows = self.frame.filter(
            (pl.col("subject") == subject) & (pl.col("metric") == metric)
        ).sort("t_s", maintain_order=True)
        return rows["t_s"].to_numpy(), rows["value"].to_numpy()

    def subjects(self, metric: str) -> list[str]:
        """The subjects that have this metric, sorted."""
        found = self.frame.filter(pl.col("metric") == metric)["subject"].unique()
        return sorted(found.to_list())

    def metrics(self, subject: str) -> list[str]:
        """The metrics of this subject, sorted."""
        found = self.frame.filter(pl.col("subject") == subject)["metric"].unique()
        return sorted(found.to_list())


def read_series(path: Path) -> Series:
    """Everything readable in the file; a missing file is empty."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    whole, _, tail = data.rpartition(b"\n")
    header = _HEADER.strip().encode()
    text = whole if whole.startswith(header) else header
    rows = pl.read_csv(
        text + b"\n",
        schema=_SCHEMA,
        truncate_ragged_lines=True,
        quote_char=None,
        encoding="utf8-lossy",
    )
    frame = rows.with_columns(
        pl.col("t_s").cast(pl.Float64, strict=False),
        pl.col("value").cast(pl.Float64, strict=False),
    ).drop_nulls()
    lost = len(rows) - len(frame) + bool(tail) + bool(whole and text is header)
    return Series(frame, lost)
