"""recording/hlog.py: the log's format, its tags, and what a crash leaves of it."""

from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from recording.histogram import HIGHEST_US, Histogram
from recording.hlog import DISTORTION, HistogramLogWriter, Interval, Tag, parse_hlog
from tests.hlog_file import read_hlog

EPOCH_S = 1_758_528_000.0
BROWSE = Tag("browse", "ok")


def write(path: Path, *intervals: Interval) -> None:
    with HistogramLogWriter(path, EPOCH_S) as log:
        log.write(intervals)


def interval(tag: Tag, start_s: float, *values: int) -> Interval:
    return Interval(tag, start_s, 1.0, Histogram.from_values(values))


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """Tags, times and values survive the file."""
    path = tmp_path / "latency.hlog"
    distortion = Tag("browse", "ok", kind=DISTORTION)
    write(path, interval(BROWSE, 0.0, 1000, 2000), interval(distortion, 1.0, 30))
    log = read_hlog(path)
    assert [(i.tag, i.start_s, i.histogram.n) for i in log.intervals] == [
        (BROWSE, 0.0, 2),
        (distortion, 1.0, 1),
    ]
    assert log.damaged_lines == 0


def test_the_hdrhistogram_packages_own_reader_opens_it(tmp_path: Path) -> None:
    """The file is a real histogram log: the reference reader finds every interval."""
    path = tmp_path / "latency.hlog"
    write(path, interval(BROWSE, 0.0, 1000), interval(BROWSE, 1.0, 2000, 3000))
    reader = HistogramLogReader(str(path), HdrHistogram(1, HIGHEST_US, 3))
    totals = []
    while (found := reader.get_next_interval_histogram()) is not None:
        totals.append(found.get_total_count())
    reader.close()
    assert totals == [1, 2]


def test_appending_to_a_log_writes_no_second_header(tmp_path: Path) -> None:
    """A file opened twice is one log."""
    path = tmp_path / "latency.hlog"
    write(path, interval(BROWSE, 0.0, 1000))
    write(path, interval(BROWSE, 1.0, 1000))
    assert path.read_text().count("format version") == 1
    assert len(read_hlog(path).intervals) == 2


def test_a_log_cut_at_any_byte_loses_at_most_its_last_line(tmp_path: Path) -> None:
    """Every prefix is readable, keeps all whole lines, and says when something was cut."""
    path = tmp_path / "latency.hlog"
    write(path, *(interval(BROWSE, float(i), 1000 + i) for i in range(4)))
    text = path.read_text()
    for cut in range(len(text)):
        log = parse_hlog(text[:cut].encode().splitlines(keepends=True))
        assert len(log.intervals) == text[:cut].count("\n") - min(text[:cut].count("\n"), 4)
        assert (log.damaged_lines > 0) == bool(text[:cut].rpartition("\n")[2])


def test_a_spoilt_line_costs_only_itself(tmp_path: Path) -> None:
    """Bytes overwritten in one line leave the others readable and are counted."""
    path = tmp_path / "latency.hlog"
    write(path, *(interval(BROWSE, float(i), 1000) for i in range(3)))
    lines = path.read_text().splitlines(keepends=True)
    lines[-2] = lines[-2][:-20] + "x" * 19 + "\n"
    log = parse_hlog(line.encode() for line in lines)
    assert (len(log.intervals), log.damaged_lines) == (2, 1)


def test_a_full_disk_is_an_error_not_a_silent_loss() -> None:
    """Writing to a full device raises; the caller ends the run."""
    with pytest.raises(OSError, match="No space left"):
        HistogramLogWriter(Path("/dev/full"), EPOCH_S)


@pytest.mark.parametrize("text", ["browse", "a/b", "a/b/c/d/e", "a,b/ok/run", "a b/ok/run"])
def test_a_tag_has_three_or_four_plain_parts(text: str) -> None:
    """Anything else would break the log's comma-separated lines."""
    with pytest.raises(ValueError, match="not a tag"):
        Tag.parse(text)
