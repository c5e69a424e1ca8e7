"""wrk2's output against the values that its histogram was made of."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram

from harness.foreign.reading import read_foreign
from harness.foreign.steps import Steps
from harness.foreign.tally import Tally
from harness.foreign.written import Window, write_run
from recording.arrays import Ints
from recording.errors import ConfigError
from recording.histogram import merge
from recording.hlog import AT_MOST, LATENCY
from recording.outcomes import UNTOLD
from tests.harness.foreign import files

WIDTH = 0.001
VALUES_US = np.sort(np.rint(np.random.default_rng(1).lognormal(9, 0.9, 5000)).astype(int))


def table(values_us: Ints, title: str = "Recorded Latency") -> str:
    """As ``print_hdr_latency`` of wrk.c and ``hdr_percentiles_print`` write it."""
    histogram = HdrHistogram(1, 86_400_000_000, 3)
    for value in values_us.tolist():
        histogram.record_value(value)
    text = f"  Latency Distribution (HdrHistogram - {title})\n 50.000%    9.11ms\n"
    text += "\n  Detailed Percentile spectrum:\n"
    text += "       Value   Percentile   TotalCount 1/(1-Percentile)\n\n"
    for row in histogram.get_percentile_iterator(5):
        value, share = row.value_iterated_to, row.percentile_level_iterated_to / 100
        value_ms = histogram.get_highest_equivalent_value(value) / 1000
        last = "         inf" if share == 1 else f"{1 / (1 - share):12.2f}"
        text += f"{value_ms:12.3f} {share:12f} {row.total_count_to_this_value:12d} {last}\n"
    text += "#[Mean    =       11.000, StdDeviation   =       10.000]\n"
    text += f"#[Max     =      200.000, Total count    = {values_us.size:12d}]\n"
    text += "#[Buckets =           27, SubBuckets     =         2048]\n" + "-" * 58 + "\n"
    return text


def output(tables: str) -> str:
    """All that wrk2 prints of a run at 250 requests/s."""
    return (
        "Running 30s test @ http://127.0.0.1:80/index.html?x=1\n"
        "  2 threads and 100 connections\n"
        "  Thread calibration: mean lat.: 9747 usec, rate sampling interval: 21 msec\n"
        "  Thread Stats   Avg      Stdev     Max   +/- Stdev\n"
        "    Latency     6.46ms    1.93ms  12.34ms   67.66%\n"
        f"{tables}"
        "  7500 requests in 30.00s, 19.81MB read\n"
        "  Non-2xx or 3xx responses: 12\n"
        "Requests/sec:    250.00\nTransfer/sec:    676.18KB\n"
    )


def read(tmp_path: Path, text: str) -> Tally:
    path = tmp_path / "wrk2.txt"
    path.write_text(text)
    os.utime(path, (files.BEGAN_S, files.BEGAN_S))
    return read_foreign(path, Steps()).tally


def test_every_rank_lies_within_its_bounds(tmp_path: Path) -> None:
    """Which are one row of the table apart; what failed is not known."""
    tally = read(tmp_path, output(table(VALUES_US)))
    assert tally.requests == VALUES_US.size
    assert {(i.tag.step, i.tag.outcome) for i in tally.intervals()} == {("/index.html", UNTOLD)}
    low, high = (
        merge(i.histogram for i in tally.intervals() if i.tag.kind == kind)
        for kind in (LATENCY, AT_MOST)
    )
    lows, highs = (np.repeat(kept.values_us, kept.counts) for kept in (low, high))
    assert (lows * (1 - WIDTH) <= VALUES_US).all()
    assert (highs * (1 + WIDTH) >= VALUES_US).all()
    for q in (0.5, 0.95, 0.99, 0.999):
        rank = int(q * VALUES_US.size)
        assert highs[rank] - lows[rank] <= 0.2 * VALUES_US[rank]


def test_the_run_is_as_long_as_its_rate_says(tmp_path: Path) -> None:
    """Without the calibration, and ended when the file was written."""
    span = read(tmp_path, output(table(VALUES_US))).span
    assert span.length_s == pytest.approx(VALUES_US.size / 250)
    assert span.end_us == files.BEGAN_S * 1_000_000


def test_what_delayed_starts_hide_is_left_out(tmp_path: Path) -> None:
    """The second table of -U."""
    uncorrected = "Uncorrected Latency (measured without taking delayed starts into account)"
    text = output(table(VALUES_US) + "\n" + table(VALUES_US // 2, uncorrected))
    first = list(read(tmp_path, output(table(VALUES_US))).intervals())
    both = list(read(tmp_path, text).intervals())
    assert [i.histogram.values_us.tolist() for i in both] == [
        i.histogram.values_us.tolist() for i in first
    ]


def test_a_part_cannot_be_measured(tmp_path: Path) -> None:
    """There are no times."""
    path = tmp_path / "wrk2.txt"
    path.write_text(output(table(VALUES_US)))
    with pytest.raises(ConfigError, match="tell of the whole run only"):
        write_run(tmp_path, read_foreign(path, Steps()), Window(from_s=1.0))


WHOLE = output(table(VALUES_US))
WRONG = {
    "cut off in the table": (WHOLE[: WHOLE.index("#[Mean")], "its end is missing"),
    "cut off behind it": (WHOLE[: WHOLE.index("Requests/sec")], "its end is missing"),
    "rows are missing": (re.sub(r".* 5000 .*\n", "", WHOLE), "its end is missing"),
    "a number is none": (
        WHOLE.replace("     0.000000 ", "     0,000000 "), "line 12: is no row of Value",
    ),
    "going back": (
        WHOLE.replace("    0.100000 ", "    0.100000            0         1.11\n   1.0 "),
        "line 13: its Value or TotalCount is less",
    ),
    "two runs": (WHOLE + WHOLE, "a second run begins"),
    "none": (output(table(VALUES_US[:0])), "wrk2's output without any request"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_line(name: str, tmp_path: Path) -> None:
    """Nothing is guessed of a table that is not whole."""
    text, said = WRONG[name]
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("what", "instead", "said"),
    [
        (r"(?m)^( *[\d.]+ +1\.0+ +)5000", r"\g<1>" + "9" * 26, "TotalCount at most"),
        (
            r"(?m)^ *[\d.]+( +1\.0+ +5000)",
            "1" + "0" * 20 + r".000\1",
            "its Value is ms, at most 1 h",
        ),
        (r"Requests/sec: .*", "Requests/sec: " + "9" * 300 + ".0", "Requests/sec: above 0"),
        (r"Requests/sec: .*", "Requests/sec: 0.00", "Requests/sec: above 0"),
    ],
)
def test_giant_numbers_are_refused(what: str, instead: str, said: str, tmp_path: Path) -> None:
    """With the line, and what is allowed."""
    text, changed = re.subn(what, instead, output(table(VALUES_US)))
    assert changed
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, text)
