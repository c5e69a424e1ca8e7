"""Sampled series (``resources.csv``, ``load.csv``): a row per subject and moment, while running.

    names,cart-service,up,process_resident_memory_bytes
    12.004,cart-service,1,536870912
    13.004,cart-service,1,

A row of names says what its subject's values are from there on, and comes anew with the first
value of another metric; what was not sampled is empty, and ``"`` is the value before it once more
(buckets of a histogram often are). A file cut at any byte loses at most its
last row, and a service that comes or goes changes no other's. Up to format 3 each value had a line
of its own, ``t_s,subject,metric,value``: thirteen times as long.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from pathlib import Path

from recording.files import AppendedFile
from recording.text import csv_field

SERIES_HEADER = "# t_s, subject, its values: those that the subject's last row of names says\n"
LONG_HEADER = "t_s,subject,metric,value\n"
"""Of files up to format 3."""
NAMES = "names"
DITTO = '"'
MOST = 1e30
"""Nothing that is measured is more than this; "unlimited" in 64 bits is 1.8e19."""
MOST_NAMES = 500
"""Of a subject; where there are more, those that came in none of its last rows are left out."""
_LAST_ROWS = 100
_EXACT = 1 << 53
"""Whole numbers below are written as such."""

_field = lru_cache(maxsize=10_000)(csv_field)


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
        self._names: dict[str, dict[str, int]] = {}
        self._rows: dict[str, int] = {}

    def write(self, samples: Iterable[Sample]) -> None:
        """Append; raises OSError (disk full). A value that is not sound is no sample.

        Those of one moment and subject that come one after the other become a row.
        """
        sound = (sample for sample in samples if is_sound(sample.value))
        self._append("".join(line for row in _rows(sound) for line in self._lines(*row)).encode())

    def _lines(self, t_s: float, subject: str, values: dict[str, float]) -> Iterator[str]:
        """A row, after one of names where it has new ones."""
        row = self._rows[subject] = self._rows.get(subject, 0) + 1
        names = self._names.setdefault(subject, {})  # each with the last row that it came in
        known = values.keys() <= names.keys()
        names |= dict.fromkeys(values, row)
        if not known:
            if len(names) > MOST_NAMES:
                names = {name: last for name, last in names.items() if last > row - _LAST_ROWS}
                self._names[subject] = names
            yield f"{NAMES},{subject},{','.join(names)}\n"
        cells = [_shown(values[name]) if name in values else "" for name in names]
        told = (DITTO if len(cell) > 1 and cell == before else cell
                for before, cell in pairwise(["", *cells]))  # fmt: skip
        yield f"{t_s:.3f},{subject},{','.join(told)}\n"


def _rows(samples: Iterable[Sample]) -> Iterator[tuple[float, str, dict[str, float]]]:
    """Moment, subject and values by metric of what comes together."""
    moment: tuple[float, str] | None = None
    values: dict[str, float] = {}
    for sample in samples:
        metric = _field(sample.metric)
        if moment != (sample.t_s, sample.subject) or metric in values:
            if moment is not None:
                yield moment[0], _field(moment[1]), values
            moment, values = (sample.t_s, sample.subject), {}
        values[metric] = sample.value
    if moment is not None:
        yield moment[0], _field(moment[1]), values


def _shown(value: float) -> str:
    whole = int(value)
    return str(whole) if whole == value and abs(whole) < _EXACT else repr(value)


class SeriesRows:
    """Reads rows as they come, and knows from those of names what their values are."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, ...]] = {}
        self._long = False

    def samples(self, text: str) -> Iterator[Sample]:
        """Those in whole lines of a file of any format; a line that is spoilt has none.

        ``series_reader.py`` reads a whole file of them as tables.
        """
        for line in text.splitlines():
            self._long |= f"{line}\n" == LONG_HEADER
            with suppress(ValueError):
                yield from self._long_sample(line) if self._long else self._samples(line)

    def _samples(self, line: str) -> list[Sample]:
        """Raises ValueError for a row that has no names, or does not fit them."""
        if line.startswith("#"):
            return []
        t_s, _, rest = line.partition(",")
        subject, *cells = rest.split(",")
        if t_s == NAMES and cells:
            self._names[subject] = tuple(cells)
            return []
        samples, moment_s, before = list[Sample](), float(t_s), ""
        for name, cell in zip(self._names.get(subject, ()), cells, strict=True):
            before = before if cell == DITTO else cell
            if cell:
                samples.append(Sample(moment_s, subject, name, float(before)))
        return samples

    @staticmethod
    def _long_sample(line: str) -> list[Sample]:
        t_s, subject, metric, value = line.split(",")
        return [Sample(float(t_s), subject, metric, float(value))]
