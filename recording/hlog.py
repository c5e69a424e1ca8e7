"""``latency.hlog``: an HdrHistogram interval log that any HdrHistogram tool can open.

One line per interval and tag. The tag says what was measured:

    step/outcome/arm                 latency seen by the client
    step/outcome/arm/intended        latency from when the request was due (open model)
    step/outcome/arm/distortion      client time minus the server's own X-Response-Time, and minus
    step/outcome/arm/opening         what the client waited for a connection that was not there yet
    step/outcome/arm/retry           what the client waited before it asked again
    step/outcome/arm/at_most         latency at most, where an import knows bounds: else it is least
    generator/lag/arm                how late the generator's own timer fired

A step or outcome that is more than a word (``GET /cart``, ``bad_body: payment_id is null``) is
written with the percent signs of urls: tags have no blanks, commas or slashes.

Several lines may share an interval and a tag (one per report of a worker); readers add them.
The log is append-only and every line stands alone, so a file cut at any byte loses at most its
last line.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, unquote

from recording.clock import is_moment
from recording.files import AppendedFile
from recording.histogram import Histogram
from recording.wire import decode_all, encode_all

GENERATOR = "generator"
"""Pseudo-step under which the generator records about itself."""
LATENCY = "latency"
DISTORTION = "distortion"
INTENDED = "intended"
RETRY = "retry"
OPENING = "opening"
AT_MOST = "at_most"
UNPAIRED = "run"
"""The arm of a run that has only one."""
DISTORTION_GRAIN_US = 100
"""What distortion and openings are rounded to. X-Response-Time has whole ms, so finer figures would
be noise, and noise is what fills a recording: half of its bytes."""

_TAG = re.compile(r"[\w.%~-]+/[\w.%~-]+/[\w.-]+(/[\w.-]+)?")
_quoted = lru_cache(maxsize=1000)(quote)
_TAG_IS = "Tag="
_COMMENT = (b"#", b'"', b"\n")
"""How lines begin that carry no histogram."""
Line = tuple[float, float, bytes]
"""Start and length, s, and the histogram's bytes."""


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """What an interval's histogram measured."""

    step: str
    outcome: str
    arm: str = UNPAIRED
    kind: str = LATENCY

    def __str__(self) -> str:
        name = f"{_quoted(self.step, safe='')}/{_quoted(self.outcome, safe='')}/{self.arm}"
        return name if self.kind == LATENCY else f"{name}/{self.kind}"

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """Raises ValueError for anything but 3 or 4 parts of word characters."""
        if not _TAG.fullmatch(text):
            raise ValueError(f"not a tag: {text!r}")
        step, outcome, *more = text.split("/")
        return cls(unquote(step), unquote(outcome), *more)


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
        moment = datetime.fromtimestamp(epoch_wall_s, UTC).isoformat()
        header = (
            "#[Histogram log format version 1.3]\n"
            f"#[StartTime: {epoch_wall_s:.3f} (seconds since epoch), {moment}]\n"
            f"#[BaseTime: {epoch_wall_s:.3f} (seconds since epoch)]\n"
            '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
        )
        super().__init__(path, header)

    def write(self, intervals: Iterable[Interval]) -> None:
        """Append; raises OSError (disk full) with nothing but whole earlier lines lost."""
        written = list(intervals)
        texts = encode_all([i.histogram for i in written])
        lines = (
            f"Tag={i.tag},{i.start_s:.3f},{i.length_s:.3f},{i.histogram.max_us / 1000:.3f},{text}\n"
            for i, text in zip(written, texts, strict=True)
        )
        self._append("".join(lines).encode())


def of_requests(intervals: Iterable[Interval], kind: str = LATENCY) -> Iterator[Interval]:
    """Those of one kind that hold requests of users, and not what the generator says of itself."""
    return (i for i in intervals if i.tag.kind == kind and i.tag.step != GENERATOR)


def parse_hlog(lines: Iterable[bytes]) -> HistogramLog:
    """Every line of a short log by itself; damaged ones are counted."""
    told, damaged = [], 0
    for text in filter(holds_something, lines):
        try:
            told.append(parse_line(text))
        except ValueError:
            damaged += 1
    found = decoded(data for _, (_, _, data) in told)
    intervals = tuple(
        Interval(tag, start_s, length_s, histogram)
        for (tag, (start_s, length_s, _)), histogram in zip(told, found, strict=True)
        if histogram is not None
    )
    return HistogramLog(intervals, damaged + len(told) - len(intervals))


def decoded(data: Iterable[bytes]) -> list[Histogram | None]:
    """Histograms as a line has them without base64; None for one that is damaged."""
    every = list(data)
    try:
        return [*decode_all(every)]
    except ValueError:
        return [None] if len(every) == 1 else [found for one in every for found in decoded([one])]


def holds_something(text: bytes) -> bool:
    """Whether a line is more than a comment; one that was cut off may have been."""
    return text[:1] not in _COMMENT or text[-1:] != b"\n"


def parse_line(text: bytes) -> tuple[Tag, Line]:
    """Raises ValueError for a line that is spoilt or, without its newline, cut off."""
    if text[-1:] != b"\n":
        raise ValueError("not a whole line")
    tag, start, length, _max, data = text[:-1].split(b",")
    start_s, length_s = float(start), float(length)
    histogram = a2b_base64(data, strict_mode=True)
    if not (is_moment(start_s) and is_moment(length_s)):
        raise ValueError("not a stretch of a run")
    return tag_of(tag.decode("ascii")), (start_s, length_s, histogram)


@lru_cache(maxsize=10_000)
def tag_of(field: str) -> Tag:
    """What a line's first field says, ``Tag=browse/ok/run``. Raises ValueError."""
    if not field.startswith(_TAG_IS):
        raise ValueError("not a histogram's line")
    return Tag.parse(field.removeprefix(_TAG_IS))
