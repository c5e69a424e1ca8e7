"""Reads a histogram log of any length into few blocks of time, in memory that does not grow.

A 48-hour recording has 300,000 lines and 200 million occupied buckets, but a judge needs no more
than some 200 blocks of time to see how a measurement ran. So lines are added up while they are
read: those of one tag whose middle lies between the same two borders (of phases) and in the same
block become one interval. With blocks no longer than the recording's interval nothing is lost
but that several lines of one interval and tag become one.
"""

import itertools
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from recording.histogram import BUCKETS, Histogram, Ints, decode_many, merge
from recording.hlog import HistogramLog, Interval, Tag

_CHUNK_LINES = 256
"""Lines decoded at once: enough to be fast, and all arrays stay in the processor's cache."""
_THREADS = 2
_COMMENT = (b"#", b'"', b"\n")
"""How lines begin that carry no histogram."""

Place = tuple[int, int]
"""Stretch between borders, and block in it."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the log, its histogram still text."""

    tag: Tag
    start_s: float
    length_s: float
    data: bytes


@dataclass(slots=True)
class _Sum:
    """What a tag's lines of one block add up to."""

    place: Place
    counts: Ints
    end_s: float = 0.0
    starts_s: set[float] = field(default_factory=set)


def read_hlog_blocks(path: Path, borders_s: Sequence[float], block_s: float) -> HistogramLog:
    """The log added up over blocks of ``block_s`` seconds that end at every border.

    All intervals of one block have the same ``start_s``. A missing file is an empty log.
    """
    adder = _Adder(sorted(borders_s), block_s)
    damaged = 0
    try:
        with path.open("rb") as file:
            for chunk in _chunks(file):
                adder.add(chunk.lines, chunk.histograms)
                damaged += chunk.damaged
    except FileNotFoundError:
        return HistogramLog((), 0)
    return HistogramLog(tuple(adder.intervals()), damaged)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Neighbouring lines that could be read, and the number of those that could not."""

    lines: list[_Line]
    histograms: list[Histogram]
    damaged: int


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    """The chunks in their order, decoded ahead on another core: zlib and numpy let go of it."""
    ahead: deque[Future[_Chunk]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        while texts := list(itertools.islice(file, _CHUNK_LINES)):
            ahead.append(pool.submit(_read, texts))
            if len(ahead) > 2 * _THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _read(texts: list[bytes]) -> _Chunk:
    parsed = [_parse(text) for text in texts if text[:1] not in _COMMENT or text[-1:] != b"\n"]
    lines = [line for line in parsed if line is not None]
    try:
        found = decode_many([line.data for line in lines])
    except ValueError:
        return _one_by_one(lines, len(parsed) - len(lines))
    return _Chunk(lines, found, len(parsed) - len(lines))


def _parse(text: bytes) -> _Line | None:
    """None for a line that is spoilt or cut off."""
    if not (text.startswith(b"Tag=") and text.endswith(b"\n")):
        return None
    try:
        tag, start, length, _max, data = text[4:-1].split(b",")
        return _Line(_tag(tag), float(start), float(length), data)
    except ValueError:
        return None


@lru_cache(maxsize=10_000)
def _tag(text: bytes) -> Tag:
    return Tag.parse(text.decode("ascii"))


def _one_by_one(lines: list[_Line], damaged: int) -> _Chunk:
    """The slow way, for a chunk with a damaged histogram: keep what can be read."""
    kept: list[_Line] = []
    histograms: list[Histogram] = []
    for line in lines:
        try:
            histograms.append(decode_many([line.data])[0])
            kept.append(line)
        except ValueError:
            damaged += 1
    return _Chunk(kept, histograms, damaged)


class _Adder:
    """Adds lines up. The log is in order of time, so each tag has one open sum."""

    def __init__(self, borders_s: Sequence[float], block_s: float) -> None:
        self._borders_s = borders_s
        self._block_s = block_s
        self._open: dict[Tag, _Sum] = {}
        self._starts_s: dict[Place, float] = {}
        self._done: dict[tuple[Tag, Place], Interval] = {}

    def add(self, lines: list[_Line], histograms: list[Histogram]) -> None:
        """Add lines in the order of the log."""
        for line, histogram in zip(lines, histograms, strict=True):
            sum_ = self._sum_for(line)
            # Occupied buckets are listed once, so no two of a line are the same.
            sum_.counts[histogram.indices] += histogram.counts
            sum_.starts_s.add(line.start_s)
            sum_.end_s = max(sum_.end_s, line.start_s + line.length_s)

    def intervals(self) -> list[Interval]:
        """Every block of every tag, in order of time."""
        for tag, sum_ in self._open.items():
            self._close(tag, sum_)
        self._open.clear()
        return sorted(self._done.values(), key=lambda interval: (interval.start_s, interval.tag))

    def _sum_for(self, line: _Line) -> _Sum:
        place = self._place(line)
        found = self._open.get(line.tag)
        if found is not None and found.place == place:
            return found
        counts = np.zeros(BUCKETS, np.int64)
        if found is not None:
            self._close(line.tag, found)
        self._starts_s.setdefault(place, line.start_s)
        found = self._open[line.tag] = _Sum(place, counts)
        return found

    def _place(self, line: _Line) -> Place:
        stretch = bisect_right(self._borders_s, line.start_s + line.length_s / 2)
        since_s = self._borders_s[stretch - 1] if stretch else 0.0
        return stretch, int((line.start_s + line.length_s / 2 - since_s) // self._block_s)

    def _close(self, tag: Tag, sum_: _Sum) -> None:
        start_s = self._starts_s[sum_.place]
        indices = np.flatnonzero(sum_.counts)
        histogram = Histogram(indices, sum_.counts[indices])
        recorded = len(sum_.starts_s)
        if before := self._done.get((tag, sum_.place)):
            # A worker's late report: its lines stand further down, their intervals do not.
            histogram = merge([before.histogram, histogram])
            recorded = max(before.recorded, recorded)
            sum_.end_s = max(before.start_s + before.length_s, sum_.end_s)
        done = Interval(tag, start_s, sum_.end_s - start_s, histogram, recorded)
        self._done[tag, sum_.place] = done
