"""``latency.hlog``: an HdrHistogram interval log that any HdrHistogram tool can open.

One line per interval and tag. The tag says what was measured:

    step/outcome/arm                 latency seen by the client
    step/outcome/arm/intended        latency from when the request was due (open model)
    step/outcome/arm/distortion      client time minus the server's own X-Response-Time
    generator/lag/arm                how late the generator's own timer fired

An outcome that is more than a word (``bad_body: payment_id is null``) is written with the percent
signs of urls: tags have no blanks, commas or slashes.

Several lines may share an interval and a tag (one per report of a worker); readers add them.
The log is append-only and every line stands alone, so a file cut at any byte loses at most its
last line.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

from recording.files import AppendedFile, read_regular
from recording.histogram import Histogram, decode_many, encode

GENERATOR = "generator"
"""Pseudo-step under which the generator records about itself."""
LATENCY = "latency"
DISTORTION = "distortion"
INTENDED = "intended"
UNPAIRED = "run"
"""The arm of a run that has only one."""
DISTORTION_GRAIN_US = 100
"""What distortion is rounded to. X-Response-Time has whole ms, so finer figures would be noise,
and noise is what fills a recording: half of its bytes."""

_TAG = re.compile(r"[\w.-]+/[\w.%-]+/[\w.-]+(/[\w.-]+)?")
_quoted = lru_cache(maxsize=1000)(quote)
_LINE = re.compile(
    r"Tag=(?P<tag>[^,]+),(?P<start>[\d.]+),(?P<length>[\d.]+),(?P<max>[\d.]+),(?P<data>\S+)"
)


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """What an interval's histogram measured."""

    step: str
    outcome: str
    arm: str = UNPAIRED
    kind: str = LATENCY

    def __str__(self) -> str:
        name = f"{self.step}/{_quoted(self.outcome, safe='')}/{self.arm}"
        return name if self.kind == LATENCY else f"{name}/{self.kind}"

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """Raises ValueError for anything but 3 or 4 parts of word characters."""
        if not _TAG.fullmatch(text):
            raise ValueError(f"not a tag: {text!r}")
        step, outcome, *more = text.split("/")
        return cls(step, unquote(outcome), *more)


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """One line of the log, or several added up; ``start_s`` is seconds since the run's epoch.

    ``recorded`` is the number of the recorder's intervals in it.
    """

    tag: Tag
    start_s: float
    length_s: float
    histogram: Histogram
    recorded: int = 1


@dataclass(frozen=True, slots=True)
class HistogramLog:
    """What a log holds. ``damaged_lines`` counts lines that could not be read."""

    intervals: tuple[Interval, ...]
    damaged_lines: int


class HistogramLogWriter(AppendedFile):
    """Appends intervals; each ``write`` is one system call, so lines are never interleaved."""

    def __init__(self, path: Path, epoch_wall_s: float) -> None:
        """Raises OSError."""
        super().__init__(path, _header(epoch_wall_s))

    def write(self, intervals: Iterable[Interval]) -> None:
        """Append; raises OSError (disk full) with nothing but whole earlier lines lost."""
        self._append("".join(_line(interval) for interval in intervals).encode())


def of_requests(intervals: Iterable[Interval], kind: str = LATENCY) -> Iterator[Interval]:
    """Those of one kind that hold requests of users, and not what the generator says of itself."""
    return (i for i in intervals if i.tag.kind == kind and i.tag.step != GENERATOR)


def _header(epoch_wall_s: float) -> str:
    moment = datetime.fromtimestamp(epoch_wall_s, UTC).isoformat()
    return (
        "#[Histogram log format version 1.3]\n"
        f"#[StartTime: {epoch_wall_s:.3f} (seconds since epoch), {moment}]\n"
        f"#[BaseTime: {epoch_wall_s:.3f} (seconds since epoch)]\n"
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
    )


def _line(interval: Interval) -> str:
    return (
        f"Tag={interval.tag},{interval.start_s:.3f},{interval.length_s:.3f},"
        f"{interval.histogram.max_us / 1000:.3f},{encode(interval.histogram)}\n"
    )


def read_hlog(path: Path) -> HistogramLog:
    """Everything readable in the log; a missing file is an empty log. Raises OSError."""
    try:
        text = read_regular(path).decode("ascii", errors="replace")
    except FileNotFoundError:
        return HistogramLog((), 0)
    return parse_hlog(text)


def parse_hlog(text: str) -> HistogramLog:
    """The log in ``text``; a line without its newline was cut off and counts as damaged."""
    lines = text.split("\n")
    damaged = int(bool(lines.pop()))
    matches: list[re.Match[str]] = []
    for line in lines:
        if line.startswith("Tag="):
            match = _LINE.fullmatch(line)
            damaged += match is None
            matches += [match] if match else []
        elif line and line[0] not in '#"':
            damaged += 1
    found, lost = _intervals(matches)
    return HistogramLog(tuple(found), damaged + lost)


def _intervals(matches: list[re.Match[str]]) -> tuple[list[Interval], int]:
    try:
        histograms = decode_many([match["data"] for match in matches])
    except ValueError:
        return _one_by_one(matches)
    tags: dict[str, Tag] = {}
    return [
        Interval(
            tags.get(m["tag"]) or tags.setdefault(m["tag"], Tag.parse(m["tag"])),
            float(m["start"]),
            float(m["length"]),
            h,
        )
        for m, h in zip(matches, histograms, strict=True)
    ], 0


def _one_by_one(matches: list[re.Match[str]]) -> tuple[list[Interval], int]:
    """The slow way, for a log with damaged lines: keep what can be read."""
    kept = list(_readable(matches))
    return kept, len(matches) - len(kept)


def _readable(matches: list[re.Match[str]]) -> Iterator[Interval]:
    for m in matches:
        try:
            histogram = decode_many([m["data"]])[0]
            yield Interval(Tag.parse(m["tag"]), float(m["start"]), float(m["length"]), histogram)
        except ValueError:
            continue
