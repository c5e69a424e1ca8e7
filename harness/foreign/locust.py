"""Locust's CSV files (``--csv``): percentiles of a whole run, and no distribution.

What the columns are: ``locust/stats.py`` of https://github.com/locustio/locust. A percentile q of
n requests is the value of rank ⌊nq⌋ + 1 (ours, of rank ⌈nq⌉, is taken for the same), of response
times rounded to 1 ms up to 100 ms, 10 ms up to 1 s, 100 ms up to 10 s, and 1 s beyond. So of some
ranks bounds are known, and of those between them that they lie between theirs.

``_stats.csv`` has the percentiles of the whole run, and no times; ``_stats_history.csv`` has
times, and percentiles of about the last 10 s (``--csv-full-history``) or of all requests together:
alone it tells of each name the median, the least and the most.
"""

import csv
import io
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from analysis.published.locust import ALL, FILES, Kind, kind_of
from harness.foreign.csv_table import first_record
from harness.foreign.format import COUNTED, LONGEST_S, SLOWEST_S, Format, is_test_time
from harness.foreign.format import LATENCY as LATENCY_SAID
from harness.foreign.source import Heard, Source, nobody
from recording.hlog import AT_MOST, LATENCY
from recording.outcomes import OK

PERCENTILES = ("50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%")
_COUNTS: Mapping[Kind, tuple[str, str]] = {
    "stats": ("Request Count", "Failure Count"),
    "history": ("Total Request Count", "Total Failure Count"),
}
_EXTREMES: Mapping[Kind, tuple[str, str]] = {
    "stats": ("Min Response Time", "Max Response Time"),
    "history": ("Total Min Response Time", "Total Max Response Time"),
}
_MEDIAN = "Total Median Response Time"
_TOTAL = ("", ALL)
"""Method and name of the row of all requests together."""
_SLACK = 1e-9
"""Of a product that is a whole number but for rounding."""
_MOST = 1 << 45
"""Requests: more than anyone can have made."""
_WHOLE, _MS = "a whole number of at least 0", f"ms, {LATENCY_SAID}"
_PER_S, _MOMENT = "a number of at least 0", "s since 1970"
_LIMITS = {_WHOLE: _MOST, _MS: SLOWEST_S * 1000}
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class _At:
    """A line of a file."""

    source: Source
    line: int
    row: Row

    def number(self, column: str, allowed: str = _MS) -> float:
        """Raises ConfigError for what is none."""
        text = self.row.get(column) or ""
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        beyond = not 0 <= found <= _LIMITS.get(allowed, sys.float_info.max)
        if beyond or (allowed == _WHOLE and found != int(found)):
            self.source.refuse_cell(self.line, column, text, allowed)
        return found

    @property
    def key(self) -> tuple[str, str]:
        """Method and name."""
        return self.row.get("Type") or self.row.get("Method") or "", self.row.get("Name") or ""

    @property
    def is_total(self) -> bool:
        """Whether it is of all requests together; one may be called the same."""
        return self.key == _TOTAL


@dataclass(frozen=True, slots=True)
class _Known:
    """A value of a rank, ms: not less than ``low``, not more than ``high``."""

    rank: int
    low: float
    high: float


def read_locust(source: Source, told: Heard) -> pl.DataFrame:
    """The requests of a file and of that beside it, counted. Raises ConfigError."""
    kind, rows = _last_rows(source, told)
    began_s, ended_s = _times(source, kind, rows)
    if beside := _sibling(source.path, kind):
        other = replace(source, path=beside)
        other_kind, others = _last_rows(other)
        if other_kind == "stats":
            kind, rows = other_kind, others
        else:
            began_s, ended_s = _times(other, other_kind, others)
    parts = [
        _rows(name, at, kind, began_s, ended_s) for name, at in _named(rows) if _requests(at, kind)
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=COUNTED)


def _requests(at: _At, kind: Kind) -> int:
    return int(at.number(_COUNTS[kind][0], _WHOLE))


def _failed(at: _At, kind: Kind) -> int:
    n, failed = _requests(at, kind), int(at.number(_COUNTS[kind][1], _WHOLE))
    if failed > n:
        at.source.refuse_cell(at.line, _COUNTS[kind][1], failed, f"at most the {n} requests")
    return failed


def _last_rows(source: Source, told: Heard = nobody) -> tuple[Kind, list[_At]]:
    """The last row of each method and name, and of all together the first ones before it too."""
    last: dict[tuple[str, str], _At] = {}
    moments: list[_At] = []
    kind: Kind | None = None
    for at in _each(source, told):
        kind = kind or kind_of(at.row)
        if kind == "history" and at.is_total:
            moments = _moments(moments, at)
        last[at.key] = at
    if kind is None or kind not in _COUNTS:
        source.refuse(1, f"no header of Locust's {FILES['stats']} or {FILES['history']}, or no row")
    _add_up(source, kind, last)
    return kind, [*moments, *last.values()]


def _add_up(source: Source, kind: Kind, last: Mapping[tuple[str, str], _At]) -> None:
    """Raises ConfigError where rows are missing, or are of another run than their sum.

    A history that was cut off may know more of some names than of all together.
    """
    total = last.get(_TOTAL)
    if total is None:
        lacks = f"no row {ALL}: it was cut off, and which requests are missing nobody knows"
        source.refuse(max((at.line for at in last.values()), default=1), lacks)
    for at in last.values():
        _failed(at, kind)
    own = [at for key, at in last.items() if key != _TOTAL]
    for column in _COUNTS[kind] if own else ():
        counted = sum(int(at.number(column, _WHOLE)) for at in own)
        said = int(total.number(column, _WHOLE))
        if counted < said or (counted > said and kind == "stats"):
            adds = f"{ALL} has {said:,}, and its rows add up to {counted:,}"
            source.refuse(total.line, f"{column}: {adds}")


def _moments(before: list[_At], at: _At) -> list[_At]:
    """The row before the first request, and that of the last one."""
    done = _requests(at, "history")
    if not before or not done:
        return [at]
    if len(before) == 1 or done > _requests(before[1], "history"):
        return [before[0], at]
    return before if done == _requests(before[1], "history") else [at]  # its counters began anew


def _each(source: Source, told: Heard) -> Iterator[_At]:
    names: list[str] = []
    for piece in source.pieces(quoted=True, told=told):
        text = piece.data.decode(errors="replace").replace("\r\n", "\n")
        reader, before = csv.reader(io.StringIO(text, newline="")), 0
        for record in reader:
            line, before = piece.line + before, reader.line_num
            if names and len(record) == len(names):
                yield _At(source, line, dict(zip(names, record, strict=True)))
            elif names and record and piece.whole:
                source.refuse(line, f"{len(record)} fields, and there are {len(names)} columns")
            names = names or record


def _times(source: Source, kind: Kind, rows: list[_At]) -> tuple[float, float]:
    """When the run began and ended, s since 1970; without times it ended when the file did."""
    if kind == "history":
        moments = [at for at in rows if at.is_total][:2]
        found = [at.number("Timestamp", _MOMENT) for at in moments]
        for at, moment_s in zip(moments, found, strict=True):
            if not is_test_time(moment_s) or moment_s < found[0]:
                allowed = f"{_MOMENT}, and not before that of the rows above"
                source.refuse_cell(at.line, "Timestamp", at.row["Timestamp"], allowed)
        return found[0], max(found[-1], found[0] + 1)
    ended_s = source.path.stat().st_mtime
    total = next(at for at in rows if at.is_total)
    n, per_s = _requests(total, kind), total.number("Requests/s", _PER_S)
    if n > per_s * LONGEST_S:
        allowed = f"for {n:,} requests in at most {LONGEST_S // 86_400} days"
        source.refuse_cell(total.line, "Requests/s", per_s, allowed)
    return ended_s - (n / per_s if n else 1.0), ended_s


def _sibling(path: Path, kind: Kind) -> Path | None:
    """What Locust wrote beside it, by its names for the files."""
    if not path.name.endswith(FILES[kind]):
        return None
    other: Kind = "history" if kind == "stats" else "stats"
    beside = path.with_name(path.name.removesuffix(FILES[kind]) + FILES[other])
    return beside if beside.is_file() else None


def _named(rows: Iterable[_At]) -> Iterator[tuple[str, _At]]:
    """Rows by their names, with the method where two have the same; all together if that is all."""
    last = {at.key: at for at in rows}
    own = [key for key in last if key != _TOTAL] or list(last)
    names = [name for _, name in own]
    for method, name in own:
        yield (f"{method} {name}" if names.count(name) > 1 else name), last[method, name]


def _rows(name: str, at: _At, kind: Kind, began_s: float, ended_s: float) -> pl.DataFrame:
    """Each rank's bounds. Which of the requests failed is not said, only how many of them."""
    n, failed = _requests(at, kind), _failed(at, kind)
    steps = list(_between(_known(at, kind, n)))
    common: dict[str, Any] = {
        "name": name, "begin_us": round(began_s * 1e6), "end_us": round(ended_s * 1e6),
    }  # fmt: skip
    made = []
    for count, low, high in steps:
        bad = min(count, failed)
        failed -= bad
        for outcome, part in (("failed", bad), (OK, count - bad)):
            for bound, us in ((LATENCY, math.floor(low * 1000)), (AT_MOST, math.ceil(high * 1000))):
                made.append(
                    common | {"outcome": outcome, "kind": bound, "latency_us": us, "n": part}
                )
    return pl.DataFrame(made, schema=COUNTED).filter(pl.col("n") > 0)


def _known(at: _At, kind: Kind, n: int) -> list[_Known]:
    """Ranks whose value is known, in order, with bounds that do not cross."""
    least, most = (at.number(column) for column in _EXTREMES[kind])
    if least > most:
        at.source.refuse_cell(
            at.line, _EXTREMES[kind][0], least, f"at most the {most:g} ms below it"
        )
    found = [_Known(1, least, least), _Known(n, most, most)]
    if kind == "stats" or at.is_total:
        before_ms = 0.0
        columns = [c for c in PERCENTILES if at.row.get(c) not in (None, "", "N/A")]
        for column in columns:
            at_rank, ms = n * float(column[:-1]) / 100, at.number(column)
            if not (before_ms <= ms and _fits(ms, least, most)):
                allowed = f"from {max(before_ms, least):g} to {most:g} ms, as its row says"
                at.source.refuse_cell(at.line, column, ms, allowed)
            before_ms = ms
            for rank in (math.ceil(at_rank - _SLACK), math.floor(at_rank + _SLACK) + 1):
                found.append(_rounded(min(n, max(1, rank)), ms, least, most))
    else:
        found.append(_rounded((n - 1) // 2 + 1, at.number(_MEDIAN), least, most))
    by_rank: dict[int, _Known] = {}
    for each in sorted(found, key=lambda known: known.rank):
        other = by_rank.get(each.rank, each)
        both = _Known(each.rank, max(each.low, other.low), min(each.high, other.high))
        by_rank[each.rank] = both
    return list(by_rank.values())


def _rounded(rank: int, ms: float, least: float, most: float) -> _Known:
    low, high = ms - _step_ms(ms - 0.01) / 2, ms + _step_ms(ms) / 2
    return _Known(rank, min(max(low, least), most), max(min(high, most), least))


def _fits(ms: float, least: float, most: float) -> bool:
    """Whether what was rounded to this can lie between these."""
    return ms + _step_ms(ms) / 2 >= least and ms - _step_ms(ms - 0.01) / 2 <= most


def _step_ms(ms: float) -> float:
    return next((step for below, step in ((100, 1), (1000, 10), (10_000, 100)) if ms < below), 1000)


def _between(known: list[_Known]) -> Iterator[tuple[int, float, float]]:
    """How many requests lie between which bounds, ms."""
    yield 1, known[0].low, known[0].high
    for before, after in pairwise(known):
        if between := after.rank - before.rank - 1:
            yield between, before.low, max(before.low, after.high)
        yield 1, after.low, max(after.low, after.high)


def _begins(head: bytes) -> bool:
    return kind_of(dict.fromkeys(first_record(head), "")) is not None


CSV = Format(
    "locust", "Locust's CSV files", _begins, None, (
        "latencies are known at Locust's percentiles, rounded to two digits, and within bounds "
        "between them: a rule fails by the lower and holds by the upper bound",
        "how requests varied in time is not told: their intervals take them as independent",
    ),
    at_once=read_locust, lacks=("times of requests", "a distribution of latencies"),
)  # fmt: skip
