"""Requests counted by step, outcome, moment and latency: what is kept of a file of any length."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from harness.foreign.steps import MOST_STEPS, Steps
from recording.errors import ConfigError
from recording.histogram import BUCKETS, Histogram, bucket_index
from recording.hlog import LATENCY, Interval, Tag

SHORTEST_S = 1
"""Length of an interval of the recording, as of a run of our own; it doubles in a long one."""
MOST_INTERVALS = 400
"""More than the blocks of time that a judge looks at."""
AT_ONCE = 100_000
"""Requests that are counted together: polars takes longer to begin than for a few of them."""
MOST_ROWS = 2_000_000
"""Counts that are held before those of the same key are added up."""
MOMENT_US = 1000
"""What a request takes at least, so that one at the very end is inside."""
LONGEST_S = 60 * 86_400
"""No test lasts longer; times further apart are those of clocks that were wrong."""
MOST_TAGS = 1 << 16
"""Steps with what became of their requests; more are no test that anybody could read."""
_PER_TAG = 1 << BUCKETS.bit_length()
_PER_SLOT = MOST_TAGS * _PER_TAG
"""Slot, tag and bucket are one number, a place, which is put in order many times as fast as they
are: 32, 16 and 15 bits, where slots count whole seconds since 1970."""
_HEAD = ("name", "outcome", "kind")


@dataclass(frozen=True, slots=True)
class Span:
    """From the first request's begin to the last one's end, µs since 1970."""

    begin_us: int
    end_us: int

    @property
    def length_s(self) -> float:
        """How long that is."""
        return (self.end_us - self.begin_us) / 1e6


class Tally:
    """Adds requests up, in memory that grows with steps and intervals and not with requests."""

    def __init__(self, steps: Steps, where: str, *, timeless: bool = False) -> None:
        """``where`` is the file that errors name; ``timeless``: all of it is one interval."""
        self._steps, self._where, self.timeless = steps, where, timeless
        self._of: dict[str, str] = {}
        self._slot_s = SHORTEST_S
        self._waiting: list[pl.DataFrame] = []
        self._tags: dict[Tag, int] = {}
        self._parts: list[pl.DataFrame] = []
        self._held = 0
        self._begin_us = self._end_us = 0
        self.requests = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Requests as ``REQUESTS`` or ``COUNTED`` of ``format.py`` have them.

        Raises ConfigError: too many steps, or too long a test.
        """
        self._waiting.append(rows)
        if sum(part.height for part in self._waiting) >= AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Count what was added; nothing else says anything before. Raises ConfigError as `add`."""
        rows = pl.concat(self._waiting) if self._waiting else pl.DataFrame()
        self._waiting.clear()
        if rows.height:
            self._count(rows)

    def _count(self, rows: pl.DataFrame) -> None:
        if "n" not in rows.columns:
            end_us = pl.col("begin_us") + pl.col("latency_us") + MOMENT_US
            rows = rows.with_columns(kind=pl.lit(LATENCY), end_us=end_us, n=1)
        self._name(rows["name"].unique(maintain_order=True).to_list())
        self._lengthen(rows)
        slot_us = self._slot_s * 1_000_000
        slot = pl.lit(0) if self.timeless else pl.col("begin_us").floordiv(slot_us)
        bucket = pl.Series(bucket_index(rows["latency_us"].to_numpy()))
        place = slot * _PER_SLOT + pl.col("tag") * _PER_TAG + bucket
        part = self._tagged(rows).select(place.alias("place"), "n")
        self._parts.append(_added_up(part))
        self._held += self._parts[-1].height
        if self._held > MOST_ROWS:
            self._fold()

    def _tagged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The same rows, with the number of each one's tag. Raises ConfigError for too many."""
        heads = rows.select(_HEAD).unique()
        tags = (Tag(self._of[name], outcome, kind=kind) for name, outcome, kind in heads.rows())
        numbers = [self._tags.setdefault(tag, len(self._tags)) for tag in tags]
        if len(self._tags) > MOST_TAGS:
            raise ConfigError(f"{self._where}: more than {MOST_TAGS:,} names with their failures")
        heads = heads.with_columns(pl.Series("tag", numbers, pl.Int64))
        return rows.join(heads, on=_HEAD, how="left", maintain_order="left")

    def _lengthen(self, rows: pl.DataFrame) -> None:
        begin_us, end_us, n = rows.select(
            pl.col("begin_us").min(),
            pl.col("end_us").max(),
            pl.col("n").filter(pl.col("kind") == LATENCY).sum(),
        ).row(0)
        self._begin_us = min(self._begin_us, begin_us) if self.requests else begin_us
        self._end_us = max(self._end_us, end_us)
        self.requests += n
        self._widen()

    @property
    def slot_s(self) -> float:
        """Length of an interval."""
        return self.span.length_s if self.timeless else self._slot_s

    @property
    def span(self) -> Span:
        """From the first to the last request."""
        return Span(self._begin_us, self._end_us)

    @property
    def steps(self) -> tuple[str, ...]:
        """In the order in which they were seen first."""
        return tuple(dict.fromkeys(self._of.values()))

    @property
    def unused(self) -> list[str]:
        """Renamings that fitted no name."""
        return self._steps.unused(self._of)

    def intervals(self) -> Iterator[Interval]:
        """What was counted, in order of time; ``start_s`` is since the first request's begin."""
        self._fold()
        if not self._parts:
            return
        rows = self._parts[0].sort("place")
        places, counts = rows["place"].to_numpy(), rows["n"].to_numpy()
        starts = np.flatnonzero(np.diff(places // _PER_TAG, prepend=-1))
        tags = list(self._tags)
        found = []
        for first, last in pairwise([*starts.tolist(), rows.height]):
            slot, rest = divmod(int(places[first]), _PER_SLOT)
            histogram = Histogram(places[first:last] % _PER_TAG, counts[first:last])
            found.append((slot, tags[rest // _PER_TAG], histogram))
        for slot, tag, histogram in sorted(found, key=lambda of: of[:2]):
            start_s, end_s = self._bounds(slot)
            yield Interval(tag, start_s, end_s - start_s, histogram)

    def border_s(self, since_s: float) -> float:
        """The border of an interval that is nearest to a moment, s since the first request."""
        origin_s = self._begin_us / 1e6
        return max(0.0, round((origin_s + since_s) / self._slot_s) * self._slot_s - origin_s)

    def _bounds(self, slot: int) -> tuple[float, float]:
        begin_s, length_s = self._begin_us / 1e6, self.span.length_s
        if self.timeless:
            return 0.0, length_s
        start_s = slot * self._slot_s - begin_s
        return max(0.0, start_s), max(0.001, min(length_s, start_s + self._slot_s))

    def _name(self, names: list[str]) -> None:
        new = [name for name in names if name not in self._of]
        self._of |= self._steps.of(new)
        if len(set(self._of.values())) > MOST_STEPS:
            raise ConfigError(
                f"{self._where}: more than {MOST_STEPS:,} request names: put those together that "
                "are one step, for example --step 'GET /products/*=detail'"
            )

    def _widen(self) -> None:
        """Longer intervals, once there are too many. Raises ConfigError for an endless test."""
        if self.span.length_s > LONGEST_S:
            raise ConfigError(
                f"{self._where}: its requests lie {self.span.length_s / 86_400:,.0f} days apart: "
                "a clock was wrong, or these are several tests"
            )
        while self.span.length_s / self._slot_s > MOST_INTERVALS:
            self._slot_s *= 2
            self._parts = [part.with_columns(_halved()) for part in self._parts]

    def _fold(self) -> None:
        if self._parts:
            folded = _added_up(pl.concat(self._parts))
            self._parts, self._held = [folded], folded.height


def _halved() -> pl.Expr:
    """Places in slots of twice the length."""
    place = pl.col("place")
    return place // (2 * _PER_SLOT) * _PER_SLOT + place % _PER_SLOT


def _added_up(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("place").agg(pl.col("n").sum().cast(pl.Int64))
