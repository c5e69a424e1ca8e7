"""Reads a histogram log of any length into few blocks of time, in memory that does not grow.

A 48-hour recording has 300,000 lines and 200 million occupied buckets, but a judge needs no more
than some 200 blocks of time to see how a measurement ran. So lines are added up while they are
read: those of one tag whose middle lies between the same two borders (of phases) and in the same
block become one interval. With blocks no longer than the recording's interval nothing is lost
but that several lines of one interval and tag become one.

The lines of one tag and block are decoded together, as one sum: no histogram of a single line is
ever made.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recording.arrays import Floats
from recording.files import open_regular
from recording.histogram import Histogram, merge
from recording.hlog import HistogramLog, Interval, Line, Tag, holds_something, parse_line
from recording.wire import add_up

_TEXTS = 256
"""Lines decoded at once: enough to be fast, and all arrays stay in the processor's cache."""
_THREADS = 2
"""They add up while the file is read: zlib and numpy let go of the interpreter."""
_WORTH_A_THREAD = 8
"""Lines: fewer are added up sooner than handed over."""
_MOST_AHEAD = 32
"""Sums under way at once; more would only fill memory with lines."""

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


def read_hlog_blocks(path: Path, borders_s: Sequence[float], block_s: float) -> HistogramLog:
    """The log added up over blocks of ``block_s`` seconds that end at every border.

    All intervals of one block have the same ``start_s``. A missing file is an empty log. Raises
    OSError for anything else that is no readable file.
    """
    try:
        with open_regular(path) as file, ThreadPoolExecutor(_THREADS) as threads:
            adder = _Adder(sorted(borders_s), block_s, threads)
            for text in filter(holds_something, file):
                adder.add(text)
            return adder.log()
    except FileNotFoundError:
        return HistogramLog((), 0)


class _Adder:
    """Adds lines up. The log is in order of time, so each tag has one open block."""

    def __init__(self, borders_s: Sequence[float], block_s: float, threads: Executor) -> None:
        self._borders_s = borders_s
        self._block_s = block_s
        self._threads = threads
        self._open: dict[Tag, tuple[Place, list[Line]]] = {}
        self._ahead: deque[tuple[Key, Future[_Block]]] = deque()
        self._blocks: dict[Key, _Block] = {}
        self._damaged = 0

    def add(self, text: bytes) -> None:
        """Add a line of the log; one that is spoilt or cut off is counted as damaged."""
        try:
            tag, line = parse_line(text)
        except ValueError:
            self._damaged += 1
            return
        place = self._place(line)
        waiting = self._open.get(tag)
        if waiting is None or waiting[0] != place or len(waiting[1]) == _TEXTS:
            self._close(tag)
            waiting = self._open[tag] = (place, [])
        waiting[1].append(line)

    def log(self) -> HistogramLog:
        """Every block of every tag, in order of time."""
        for tag in list(self._open):
            self._close(tag)
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

    def _place(self, line: Line) -> Place:
        middle_s = line[0] + line[1] / 2
        stretch = bisect_right(self._borders_s, middle_s)
        since_s = self._borders_s[stretch - 1] if stretch else 0.0
        return stretch, int((middle_s - since_s) // self._block_s)

    def _close(self, tag: Tag) -> None:
        if not (waiting := self._open.pop(tag, None)):
            return
        place, lines = waiting
        if len(lines) < _WORTH_A_THREAD:
            self._keep((tag, place), _add_up(lines))
            return
        self._ahead.append(((tag, place), self._threads.submit(_add_up, lines)))
        if len(self._ahead) > _MOST_AHEAD:
            self._collect()

    def _collect(self) -> None:
        key, future = self._ahead.popleft()
        self._keep(key, future.result())

    def _keep(self, key: Key, block: _Block) -> None:
        before = self._blocks.get(key)
        self._blocks[key] = before + block if before else block


def _add_up(lines: Sequence[Line]) -> _Block:
    """The sum of the lines that can be read."""
    try:
        histogram = add_up([data for _, _, data in lines])
        kept = lines
    except ValueError:
        kept = [line for line in lines if _readable(line)]
        histogram = add_up([data for _, _, data in kept])
    return _Block(
        histogram,
        np.unique([start_s for start_s, _, _ in kept]),
        max((start_s + length_s for start_s, length_s, _ in kept), default=0.0),
        len(lines) - len(kept),
    )


def _readable(line: Line) -> bool:
    try:
        add_up([line[2]])
    except ValueError:
        return False
    return True
