"""recording/hlog_blocks.py: a long log added up over time, against the line-by-line reader."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.histogram import Histogram, merge
from recording.hlog import HistogramLogWriter, Interval, Tag
from recording.hlog_blocks import read_hlog_blocks
from tests.hlog_file import read_hlog

BROWSE, CHARGE = Tag("browse", "ok"), Tag("charge", "ok")


def write(path: Path, *intervals: Interval) -> Path:
    path.unlink(missing_ok=True)
    with HistogramLogWriter(path, 0.0) as log:
        log.write(intervals)
    return path


def interval(tag: Tag, start_s: float, values: Sequence[int]) -> Interval:
    return Interval(tag, start_s, 1.0, Histogram.from_values(values))


def same(a: Histogram, b: Histogram) -> bool:
    return np.array_equal(a.indices, b.indices) and np.array_equal(a.counts, b.counts)


LINES = st.lists(
    st.tuples(
        st.sampled_from([BROWSE, CHARGE]),
        st.integers(0, 30),
        st.lists(st.integers(1, 10**8), min_size=1, max_size=20),
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(LINES, st.floats(0.5, 40.0))
def test_blocks_hold_exactly_what_the_lines_held(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[Tag, int, list[int]]],
    block_s: float,
) -> None:
    """Whatever the order of lines and the length of blocks, each tag's total is the same."""
    path = write(
        tmp_path_factory.getbasetemp() / "blocks.hlog",
        *(interval(tag, float(start), values) for tag, start, values in lines),
    )
    blocks = read_hlog_blocks(path, [10.0, 20.0], block_s).intervals
    for tag in (BROWSE, CHARGE):
        theirs = merge(i.histogram for i in read_hlog(path).intervals if i.tag == tag)
        assert same(merge(b.histogram for b in blocks if b.tag == tag), theirs)


def test_short_blocks_keep_every_interval_by_itself(tmp_path: Path) -> None:
    """With blocks of half an interval nothing is added up."""
    path = write(tmp_path / "a.hlog", *(interval(BROWSE, float(i), [1000 + i]) for i in range(9)))
    found = read_hlog_blocks(path, [0.3], 0.5).intervals
    assert [(i.start_s, i.length_s, i.recorded) for i in found] == [
        (float(i), 1.0, 1) for i in range(9)
    ]


def test_a_block_does_not_cross_a_border(tmp_path: Path) -> None:
    """An interval belongs to the phase that its middle lies in, whatever the length of a block."""
    path = write(tmp_path / "a.hlog", *(interval(BROWSE, float(i), [1000]) for i in range(10)))
    found = read_hlog_blocks(path, [4.6], 100.0).intervals
    assert [(i.start_s, i.length_s, i.histogram.n) for i in found] == [
        (0.0, 5.0, 5),
        (5.0, 5.0, 5),
    ]


def test_all_tags_of_a_block_share_its_start(tmp_path: Path) -> None:
    """A tag that is rare begins late, and its block still lines up with the others'."""
    lines = [interval(BROWSE, float(i), [1000]) for i in range(4)]
    path = write(tmp_path / "a.hlog", *lines, interval(CHARGE, 3.0, [1000]))
    found = read_hlog_blocks(path, [], 10.0).intervals
    assert {(i.tag, i.start_s) for i in found} == {(BROWSE, 0.0), (CHARGE, 0.0)}


def test_a_late_line_joins_its_block_and_covers_no_interval_twice(tmp_path: Path) -> None:
    """A worker's late report stands further down; its block gets its values and no new time."""
    path = write(
        tmp_path / "a.hlog",
        interval(BROWSE, 0.0, [1000]),
        interval(BROWSE, 50.0, [1000]),
        interval(BROWSE, 0.0, [2000]),
    )
    first, last = read_hlog_blocks(path, [], 10.0).intervals
    assert (first.start_s, first.histogram.n, first.recorded) == (0.0, 2, 1)
    assert (last.start_s, last.histogram.n) == (50.0, 1)


def test_every_cut_is_readable_and_counted(tmp_path: Path) -> None:
    """A log cut at any byte loses at most its last line, and says so."""
    path = write(tmp_path / "a.hlog", *(interval(BROWSE, float(i), [1000 + i]) for i in range(3)))
    data = path.read_bytes()
    for cut in range(0, len(data), 7):
        path.write_bytes(data[:cut])
        log = read_hlog_blocks(path, [], 0.5)
        assert len(log.intervals) == data[:cut].rpartition(b"\n")[0].count(b"Tag=")
        assert bool(log.damaged_lines) == bool(data[:cut].rpartition(b"\n")[2])


@pytest.mark.parametrize("spoil", [b"x" * 19, b"", b"AAAA"])
def test_a_spoilt_line_costs_only_itself(tmp_path: Path, spoil: bytes) -> None:
    """Lines around a damaged one are kept and the damage is counted."""
    path = write(tmp_path / "a.hlog", *(interval(BROWSE, float(i), [1000]) for i in range(3)))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-2] = lines[-2][:-20] + spoil + b"\n"
    path.write_bytes(b"".join(lines))
    log = read_hlog_blocks(path, [], 0.5)
    assert (len(log.intervals), log.damaged_lines) == (2, 1)


def test_a_missing_log_is_an_empty_one(tmp_path: Path) -> None:
    """No file, no intervals, no exception."""
    assert read_hlog_blocks(tmp_path / "none.hlog", [], 1.0).intervals == ()
