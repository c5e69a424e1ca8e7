"""HdrHistogram's logs: the values that its own tests assert, and what no log is."""

import base64
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.foreign.hdr_log import UNTAGGED
from harness.foreign.hdr_payload import Buckets, decode
from harness.foreign.reading import read_foreign
from harness.foreign.source import Source
from harness.foreign.steps import Steps
from harness.foreign.tally import Tally
from recording.errors import ConfigError
from recording.histogram import Histogram, merge
from recording.hlog import AT_MOST, LATENCY, HistogramLogWriter, Interval, Tag

FIXTURES = Path(__file__).parents[2] / "fixtures" / "foreign"
ASSERTED = {  # src/test/java/org/HdrHistogram/HistogramLogReaderWriterTest.java
    "jHiccup-2.0.7S.logV2": (62, 48_761, 1_745_879_039, 1_796_210_687),
    "jHiccup-2.0.6.logV1": (88, 65_964, 1_829_765_119, 1_888_485_375),
    "jHiccup-2.0.1.logV0": (81, 61_256, 1_510_998_015, 1_569_718_271),
    "ycsb.logV1": (602, 300_056, 1_214_463, 1_546_239),
}


def lines(name: str) -> list[bytes]:
    (piece,) = Source(FIXTURES / f"{name}.hlog.gz").pieces(quoted=False)
    return [line for line in piece.data.splitlines() if line[:1] not in (b"#", b'"')]


def added_up(histograms: list[Buckets]) -> HdrHistogram:
    """As the tests do: values into a histogram of three digits."""
    total = HdrHistogram(1, 3_600_000_000_000, 3)
    for each in histograms:
        for value, count in zip(each.low.tolist(), each.counts.tolist(), strict=True):
            total.record_value(value, count)
    return total


@pytest.mark.parametrize("name", ASSERTED)
def test_the_values_of_hdrhistograms_own_tests(name: str) -> None:
    """Of each version's file: histograms, values, the one at 99.9 % and the highest."""
    histograms = [decode(line.rpartition(b",")[2]) for line in lines(name)]
    total = added_up(histograms)
    at = total.get_value_at_percentile(99.9)
    found = (len(histograms), total.get_total_count(), at, total.get_max_value())
    assert found == ASSERTED[name]


@pytest.mark.parametrize("name", ASSERTED)
def test_an_import_has_them_too(name: str) -> None:
    """In µs, to the bucket; with two digits the value lies between what is kept."""
    tally = read_foreign(FIXTURES / f"{name}.hlog.gz", Steps()).tally
    _, n, _, highest = ASSERTED[name]
    kept = {
        kind: merge(i.histogram for i in tally.intervals() if i.tag.kind == kind)
        for kind in (LATENCY, AT_MOST)
    }
    assert kept[LATENCY].n == n == tally.requests
    least, most = kept[LATENCY].max_us, max(kept[AT_MOST].max_us, kept[LATENCY].max_us)
    assert 0.999 * least <= highest / 1000 <= 1.001 * most
    assert tally.steps == (UNTAGGED,)


def test_tags_are_steps() -> None:
    """Those without and those with one are alike in this file."""
    tally = read_foreign(FIXTURES / "tagged-Log.logV2.hlog.gz", Steps({"A": "browse"})).tally
    by_step = {
        step: merge(
            i.histogram for i in tally.intervals() if (i.tag.step, i.tag.kind) == (step, LATENCY)
        )
        for step in tally.steps
    }
    assert set(by_step) == {UNTAGGED, "browse"}
    assert by_step[UNTAGGED].n == by_step["browse"].n == 16_145


def test_a_log_of_ours_comes_back_as_it_was(tmp_path: Path) -> None:
    """Steps, outcomes and counts to the bucket; what it says of the generator is no request."""
    path, values_us = tmp_path / "latency.hlog", np.arange(1, 4000, 7) ** 2
    kept = Histogram.from_values(values_us)
    tags = (Tag("browse", "ok"), Tag("GET /x y", "http_5xx"), Tag("browse", "ok", kind="retry"))
    with HistogramLogWriter(path, 1_795_872_000.0) as log:
        log.write(Interval(tag, t_s, 1.0, kept) for t_s in (0.0, 1.0) for tag in tags)
        log.write([Interval(Tag("generator", "lag"), 0.0, 1.0, kept)])
    found = list(read_foreign(path, Steps()).tally.intervals())
    assert {i.tag for i in found} == set(tags[:2])
    for interval in found:
        assert (interval.histogram.indices == kept.indices).all()
        assert (interval.histogram.counts == kept.counts).all()


@settings(max_examples=6, deadline=None)
@given(
    digits=st.integers(1, 3),
    lowest=st.sampled_from([1, 1000, 20_000]),
    values=st.lists(st.integers(1, 3_600_000_000), min_size=1, max_size=30),
)
def test_any_layout_of_v2_is_read_as_the_reference_reads_it(
    digits: int, lowest: int, values: list[int]
) -> None:
    """Lowest and highest value of every bucket, and its count."""
    oracle = HdrHistogram(lowest, 3_600_000_000, digits)
    for value in values:
        oracle.record_value(value)
    found = decode(oracle.encode())
    expected = [
        (item.value_iterated_to, item.count_at_value_iterated_to)
        for item in oracle.get_recorded_iterator()
    ]
    assert [*zip(found.high.tolist(), found.counts.tolist(), strict=True)] == expected
    assert found.digits == digits


def packed(inner: int, data: bytes, outer: int | None = None) -> bytes:
    body = zlib.compress(struct.pack(">i", inner) + data)
    cookie = inner + 1 if outer is None else outer
    return base64.b64encode(struct.pack(">ii", cookie, len(body)) + body)


V2 = struct.pack(">iiiqqd", 2, 0, 3, 1, 3_600_000_000, 1.0)
WRONG = {
    "no base64": b"HIST!",
    "nothing in it": b"",
    "another cookie": packed(0x0C72124E, V2 + b"\x02\x02"),
    "a version within another": packed(0x1C849313, V2 + b"\x02\x02", 0x1C849322),
    "counts cut off": packed(0x1C849313, V2 + b"\x02"),
    "a number cut off": packed(0x1C849313, V2 + b"\x02\x80"),
    "shifted": packed(0x1C849313, V2[:4] + b"\x00\x00\x00\x01" + V2[8:] + b"\x02\x02"),
    "nine digits": packed(0x1C849313, V2[:8] + b"\x00\x00\x00\x09" + V2[12:] + b"\x02\x02"),
    "odd words": packed(0x1C849368, struct.pack(">iqqq", 3, 1, 10**9, 1) + bytes(6)),
    "negative": packed(0x1C849388, struct.pack(">iqqq", 3, 1, 10**9, 1) + b"\xff" * 8),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_histogram_is_refused(name: str) -> None:
    """With ValueError, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r".+"):
        decode(WRONG[name])


def log_of(tmp_path: Path, *of: str, header: str = "#[StartTime: 1795872000.0]\n") -> Tally:
    path = tmp_path / "x.hlog"
    path.write_text(header + "".join(f"{line}\n" for line in of))
    return read_foreign(path, Steps()).tally


@pytest.mark.parametrize(
    ("maximum", "max_us"), [(0.2, 200), (200.0, 200_000), (200_000.0, 200_000_000)]
)
def test_the_unit_is_told_by_the_interval_max_in_ms(
    maximum: float, max_us: int, tmp_path: Path
) -> None:
    """Values of 200,000: ns, µs or ms."""
    oracle = HdrHistogram(1, 3_600_000_000, 3)
    oracle.record_value(200_000)
    tally = log_of(tmp_path, f"0.1,1.0,{maximum},{oracle.encode().decode()}")
    (interval,) = tally.intervals()
    assert interval.histogram.max_us == pytest.approx(max_us, rel=1e-3)


def test_a_note_without_a_time_is_a_comment(tmp_path: Path) -> None:
    """Then times are since 1970, as they stand there."""
    oracle = HdrHistogram(1, 3_600_000_000, 3)
    oracle.record_value(200_000)
    line = f"1795872000.5,1.0,0.2,{oracle.encode().decode()}"
    tally = log_of(tmp_path, line, header="#[StartTime: e+-]\n#[BaseTime: soon]\n")
    assert tally.span.begin_us == 1_795_872_000_500_000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0.1,1.0,0.2,HIST", "line 2: is no interval of a histogram log"),
        ("0.1,1.0,HISTFAAA", "not start, length, maximum and a histogram"),
        ("nan,1.0,0.2,{}", "times that are no numbers"),
        ("0.1,-1.0,0.2,{}", "times that are no numbers"),
        ("1e18,1.0,0.2,{}", "a moment in seconds since 1970"),
        ("0.1,1.0,0,{}", "line 2: does not tell the unit of its values: say --unit"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: str, said: str, tmp_path: Path) -> None:
    """With its number."""
    oracle = HdrHistogram(1, 3_600_000_000, 3)
    oracle.record_value(200_000)
    with pytest.raises(ConfigError, match=said):
        log_of(tmp_path, line.format(oracle.encode().decode()))
