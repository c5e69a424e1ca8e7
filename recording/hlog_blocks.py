"""Reads a histogram log of any length into few blocks of time, in memory that does not grow.

A 48-hour recording has 300,000 lines and 200 million occupied buckets, but a judge needs no more
than some 200 blocks of time to see how a measurement ran. So lines are added up while they are
read: those of one tag whose middle lies between the same two borders (of phases) and in the same
block become one interval. With blocks no longer than the recording's interval nothing is lost
but that several lines of one interval and tag become one.

The file is read column by column, some megabytes at a time, and the lines of one tag and block are
decoded together, as one sum: no histogram of a single line is ever made.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from recording.arrays import Floats, Ints
from recording.clock import LATEST_S
from recording.files import open_regular
from recording.histogram import Histogram, merge
from recording.hlog import HistogramLog, Interval, Tag, decoded, tag_of
from recording.wire import add_up_decoded

_CHUNK_BYTES = 4 << 20
_TEXTS = 256
"""Lines decoded at once: enough to be fast, and all arrays stay in the processor's cache."""
_THREADS = 2
"""They add up while the file is read: zlib and numpy let go of the interpreter."""
_WORTH_A_THREAD = 8
"""Lines: fewer are decoded together with those of other blocks."""
_MOST_AHEAD = 16
"""Sums under way at once; more would only fill memory with lines."""
_COLUMNS = ("tag", "start_s", "length_s", "max_ms", "data", "more")

_COMMENT = ("#", '"', "")
"""How lines begin that carry no histogram."""

Place = tuple[int, int]
"""Stretch between borders, and block in it."""

Key = tuple[Tag, Place]


@dataclass(frozen=True, slots=True)
class _Block:
    """What lines of one tag and place add up to; ``starts_s`` is when each of them began."""

    histogram: Histogram
    starts_s: Floats
    end_s: float
    damaged: int = 0

    def __add__(self, other: "_Block") -> "_Block":
        return _Block(
            merge([self.histogram, other.histogram]),
            np.union1d(self.starts_s, other.starts_s),
            max(self.end_s, other.end_s),
            self.damaged + other.damaged,
        )


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines of one tag and place: start and length, s, and the bytes of each histogram."""

    start_s: Floats
    length_s: Floats
    data: Sequence[bytes]

    def some(self, first: int, after: int) -> "_Lines":
        """A stretch of them."""
        part = slice(first, after)
        return _Lines(self.start_s[part], self.length_s[part], self.data[part])


def read_hlog_blocks(path: Path, borders_s: Sequence[float], block_s: float) -> HistogramLog:
    """The log added up over blocks of ``block_s`` seconds that end at every border.

    All intervals of one block have the same ``start_s``. A missing file is an empty log. Raises
    OSError for anything else that is no readable file.
    """
    try:
        with open_regular(path) as file, ThreadPoolExecutor(_THREADS) as threads:
            adder = _Adder(sorted(borders_s), block_s, threads)
            while text := file.read(_CHUNK_BYTES) + file.readline():
                adder.add(text)
            return adder.log()
    except FileNotFoundError:
        return HistogramLog((), 0)


class _Adder:
    """Adds lines up, some of the log at a time."""

    def __init__(self, borders_s: Sequence[float], block_s: float, threads: Executor) -> None:
        self._borders_s = np.array([0.0, *borders_s])
        self._block_s = block_s
        self._threads = threads
        self._tags: dict[str, int] = {}
        self._ahead: deque[tuple[Key, Future[_Block]]] = deque()
        self._blocks: dict[Key, _Block] = {}
        self._damaged = 0

    def add(self, text: bytes) -> None:
        """Add lines of the log; those that are spoilt or cut off are counted as damaged."""
        whole, newline, cut = text.rpartition(b"\n")
        self._damaged += bool(cut)
        if newline:
            self._close(self._grouped(_columns(whole + newline)))

    def log(self) -> HistogramLog:
        """Every block of every tag, in order of time."""
        while self._ahead:
            self._collect()
        found = {key: block for key, block in self._blocks.items() if block.starts_s.size}
        starts_s: dict[Place, float] = {}
        for (_, place), block in found.items():
            first_s = float(block.starts_s[0])
            starts_s[place] = min(first_s, starts_s.get(place, first_s))
        intervals = [
            Interval(tag, starts_s[place], b.end_s - starts_s[place], b.histogram, b.starts_s.size)
            for (tag, place), b in found.items()
        ]
        intervals.sort(key=lambda interval: (interval.start_s, interval.tag))
        damaged = sum(block.damaged for block in self._blocks.values())
        return HistogramLog(tuple(intervals), self._damaged + damaged)

    def _grouped(self, rows: pl.DataFrame) -> Iterator[tuple[Key, _Lines]]:
        """The lines that are sound, by tag and place."""
        numbers = {text: self._number(text) for text in rows["tag"].unique()}
        tags = rows["tag"].replace_strict(numbers, default=-1, return_dtype=pl.Int64).to_numpy()
        sound = (tags >= 0) & rows["sound"].to_numpy()
        self._damaged += int(np.count_nonzero(~sound))
        kept = np.flatnonzero(sound)
        start_s, length_s = (rows[name].to_numpy()[kept] for name in ("start_s", "length_s"))
        stretches, blocks = self._places(start_s + length_s / 2)
        order = np.lexsort((blocks, stretches, tags[kept]))
        keys = np.stack([tags[kept], stretches, blocks], axis=1)[order]
        borders = np.flatnonzero(np.any(np.diff(keys, axis=0), axis=1)) + 1
        data = rows["data"].gather(kept[order]).to_list()
        found, named = _Lines(start_s[order], length_s[order], data), list(self._tags)
        for first, after in pairwise([0, *borders.tolist(), kept.size] if kept.size else []):
            tag, stretch, block = keys[first].tolist()
            yield (tag_of(named[tag]), (stretch, block)), found.some(first, after)

    def _number(self, text: str | None) -> int:
        """Of a tag as it is written; -1 for what is none."""
        number = self._tags.get(text or "", -1)
        if number < 0 and text is not None:
            try:
                tag_of(text)
            except ValueError:
                return -1
            number = self._tags[text] = len(self._tags)
        return number

    def _places(self, middle_s: Floats) -> tuple[Ints, Ints]:
        stretches = np.searchsorted(self._borders_s[1:], middle_s, side="right")
        since_s = middle_s - self._borders_s[stretches]
        return stretches, (since_s // self._block_s).astype(np.int64)

    def _close(self, groups: Iterable[tuple[Key, _Lines]]) -> None:
        few = []
        for key, lines in groups:
            if len(lines.data) < _WORTH_A_THREAD:
                few.append((key, lines))
                continue
            for first in range(0, len(lines.data), _TEXTS):
                part = lines.some(first, first + _TEXTS)
                self._ahead.append((key, self._threads.submit(_add_up, part)))
                if len(self._ahead) > _MOST_AHEAD:
                    self._collect()
        found = iter(decoded(data for _, lines in few for data in lines.data))
        for key, lines in few:
            self._keep(key, _block(lines, [next(found) for _ in lines.data]))

    def _collect(self) -> None:
        key, future = self._ahead.popleft()
        self._keep(key, future.result())

    def _keep(self, key: Key, block: _Block) -> None:
        before = self._blocks.get(key)
        self._blocks[key] = before + block if before else block


def _columns(text: bytes) -> pl.DataFrame:
    """Whole lines that are more than comments; what cannot be read in one is null, or not sound."""
    lines = text.decode(errors="replace").split("\n")[:-1]
    told = pl.Series([line for line in lines if line[:1] not in _COMMENT], dtype=pl.String)
    parts = told.str.split_exact(",", len(_COLUMNS) - 1).struct
    cells = parts.rename_fields(_COLUMNS).struct.unnest()
    moments = [pl.col(name).cast(pl.Float64, strict=False) for name in ("start_s", "length_s")]
    data = pl.col("data").str.decode("base64", strict=False)
    rows = cells.with_columns(*moments, data)
    in_time = pl.col("start_s", "length_s").is_between(0, LATEST_S)
    sound = pl.all_horizontal(in_time, pl.col("data").is_not_null(), pl.col("more").is_null())
    return rows.with_columns(sound=sound.fill_null(value=False))


def _add_up(lines: _Lines) -> _Block:
    """The sum of the lines that can be read."""
    try:
        histogram = add_up_decoded(lines.data)
    except ValueError:
        return _block(lines, decoded(lines.data))
    return _Block(histogram, np.unique(lines.start_s), _end_s(lines.start_s + lines.length_s))


def _block(lines: _Lines, found: Sequence[Histogram | None]) -> _Block:
    """The sum of those histograms of the lines that could be read."""
    kept = np.array([histogram is not None for histogram in found])
    start_s, length_s = lines.start_s[kept], lines.length_s[kept]
    histogram = merge(histogram for histogram in found if histogram is not None)
    damaged = len(found) - start_s.size
    return _Block(histogram, np.unique(start_s), _end_s(start_s + length_s), damaged)


def _end_s(ends_s: Floats) -> float:
    return float(ends_s.max(initial=0.0))
