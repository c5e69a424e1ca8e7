"""A histogram log that is still being written, in memory that does not grow with it.

The newest stretch is kept line by line. What is older is added up in blocks, as `read_hlog_blocks`
does; when there are too many of them, two become one.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analysis.evidence.reading import MAX_BLOCKS
from recording.histogram import Histogram, merge
from recording.hlog import HistogramLog, Interval, Tag

Place = tuple[int, int]
"""Stretch between borders of phases, and block in it."""


@dataclass
class _Block:
    """What lines of one tag and place add up to."""

    histogram: Histogram
    last_start_s: float
    recorded: int

    def add(self, more: "_Block") -> None:
        self.histogram = merge([self.histogram, more.histogram])
        self.recorded += more.recorded if more.last_start_s != self.last_start_s else 0
        self.last_start_s = more.last_start_s


class GrowingLog:
    """Lines of the last ``fine_s`` stay as they are."""

    def __init__(self, interval_s: float, fine_s: float) -> None:
        self._fine_s = fine_s
        self._block_s = interval_s
        self._newest: deque[Interval] = deque()
        self._blocks: dict[tuple[Tag, Place], _Block] = {}
        self._ends_s: dict[Place, float] = {}

    def add(self, intervals: Iterable[Interval], borders_s: Sequence[float]) -> None:
        """Take what was written since; `borders_s` are those of the phases so far."""
        self._newest.extend(intervals)
        newest_s = max((i.start_s for i in self._newest), default=0.0)
        while self._newest and self._newest[0].start_s < newest_s - self._fine_s:
            self._add_up(self._newest.popleft(), borders_s)
        while len(self._ends_s) > MAX_BLOCKS:
            self._coarsen()

    def log(self, borders_s: Sequence[float]) -> HistogramLog:
        """All of it."""
        return HistogramLog((*self._added_up(borders_s), *self._newest), 0)

    def _add_up(self, one: Interval, borders_s: Sequence[float]) -> None:
        middle_s = one.start_s + one.length_s / 2
        stretch = bisect_right(borders_s, middle_s)
        block = int((middle_s - _since_s(stretch, borders_s)) // self._block_s)
        self._put(one.tag, (stretch, block), _Block(one.histogram, one.start_s, one.recorded))
        end_s = one.start_s + one.length_s
        self._ends_s[stretch, block] = max(end_s, self._ends_s.get((stretch, block), 0.0))

    def _put(self, tag: Tag, place: Place, block: _Block) -> None:
        if (before := self._blocks.get((tag, place))) is None:
            self._blocks[tag, place] = block
        else:
            before.add(block)

    def _coarsen(self) -> None:
        """Blocks twice as long; those of a stretch follow each other from its border."""
        self._block_s *= 2
        blocks, self._blocks = self._blocks, {}
        ends_s, self._ends_s = self._ends_s, {}
        for (tag, (stretch, block)), found in blocks.items():
            self._put(tag, (stretch, block // 2), found)
        for (stretch, block), end_s in ends_s.items():
            place = stretch, block // 2
            self._ends_s[place] = max(end_s, self._ends_s.get(place, 0.0))

    def _added_up(self, borders_s: Sequence[float]) -> Iterator[Interval]:
        for (tag, place), found in sorted(self._blocks.items(), key=lambda item: item[0][1]):
            stretch, block = place
            start_s = _since_s(stretch, borders_s) + block * self._block_s
            length_s = self._ends_s[place] - start_s
            yield Interval(tag, start_s, length_s, found.histogram, found.recorded)


def _since_s(stretch: int, borders_s: Sequence[float]) -> float:
    return borders_s[stretch - 1] if stretch else 0.0
