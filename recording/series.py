"""Sampled series (``resources.csv``, ``load.csv``): one value per line, appended while running.

Long form, ``t_s,subject,metric,value``: a service that comes or goes, or a metric that appears
late, needs no second header, and a file cut at any byte loses at most its last line.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from recording.files import AppendedFile
from recording.text import csv_field

SERIES_HEADER = "t_s,subject,metric,value\n"
MOST = 1e30
"""Nothing that is measured is more than this; "unlimited" in 64 bits is 1.8e19."""


def is_sound(value: float) -> bool:
    """Whether a value can be one: a number, and none that nothing measured reaches."""
    return isfinite(value) and abs(value) <= MOST


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one metric of one subject; ``t_s`` is seconds since the run's epoch."""

    t_s: float
    subject: str
    metric: str
    value: float


class SeriesWriter(AppendedFile):
    """Appends samples; one system call per ``write``."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        super().__init__(path, SERIES_HEADER)

    def write(self, samples: Iterable[Sample]) -> None:
        """Append; raises OSError (disk full). A value that is not sound is no sample."""
        rows = (
            f"{s.t_s:.3f},{csv_field(s.subject)},{csv_field(s.metric)},{s.value!r}\n"
            for s in samples
            if is_sound(s.value)
        )
        self._append("".join(rows).encode())
