"""recording/histogram.py against raw values and against the HdrHistogram package."""

import math

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.statistics.percentiles import quantile
from recording.histogram import HIGHEST_US, Histogram, bucket_index, bucket_mid_us, merge
from recording.wire import add_up, decode, encode

VALUES = st.lists(st.integers(1, HIGHEST_US), min_size=1, max_size=300)
SHARES = st.floats(0.0, 1.0)


def same(a: Histogram, b: Histogram) -> bool:
    return np.array_equal(a.indices, b.indices) and np.array_equal(a.counts, b.counts)


def nearest_rank(values: list[int], q: float) -> int:
    return sorted(values)[max(0, math.ceil(q * len(values) - 1e-9) - 1)]


@given(VALUES, SHARES)
def test_percentiles_equal_those_of_the_raw_values_within_a_thousandth(
    values: list[int], q: float
) -> None:
    """Any percentile read from a histogram is within 0.1 % of the raw values' own."""
    h = Histogram.from_values(values)
    raw = nearest_rank(values, q)
    assert quantile(h.values_us, h.counts, q) == pytest.approx(raw, rel=1e-3)


@given(VALUES)
def test_a_histogram_survives_its_own_text(values: list[int]) -> None:
    """Decoding what was encoded gives the same buckets and counts."""
    h = Histogram.from_values(values)
    assert same(decode(encode(h)), h)


@settings(max_examples=30)
@given(VALUES)
def test_the_hdrhistogram_package_reads_what_we_write(values: list[int]) -> None:
    """The reference decoder finds the same total, maximum and p99 in our text."""
    theirs = HdrHistogram.decode(encode(Histogram.from_values(values)))
    assert theirs.get_total_count() == len(values)
    assert theirs.get_max_value() == pytest.approx(max(values), rel=1e-3)
    raw = nearest_rank(values, 0.99)
    assert theirs.get_value_at_percentile(99) == pytest.approx(raw, rel=1e-3)


@settings(max_examples=30)
@given(VALUES)
def test_we_read_what_the_hdrhistogram_package_writes(values: list[int]) -> None:
    """Buckets and counts come out of the reference encoder's text unchanged."""
    theirs = HdrHistogram(1, HIGHEST_US, 3)
    for value in values:
        assert theirs.record_value(value)
    assert same(decode(theirs.encode().decode()), Histogram.from_values(values))


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_merging_parts_equals_recording_the_union(parts: list[list[int]]) -> None:
    """Two workers merged are one process that saw both."""
    merged = merge(Histogram.from_values(part) for part in parts)
    assert same(merged, Histogram.from_values([v for part in parts for v in part]))


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_many_texts_add_up_to_their_union(parts: list[list[int]]) -> None:
    """Reading in bulk neither mixes nor loses values."""
    originals = [Histogram.from_values(part) for part in parts]
    total, union = add_up([encode(h) for h in originals]), merge(originals)
    assert same(total, union)


@given(st.integers(1, HIGHEST_US))
def test_a_bucket_holds_its_value_and_is_a_thousandth_wide(value: int) -> None:
    """Its middle is within 0.05 % (or half a µs)."""
    index = bucket_index([value])
    assert abs(bucket_mid_us(index)[0] - value) <= max(0.5, value * 0.0005)


def test_values_out_of_range_are_clipped_not_lost() -> None:
    """Zero counts as 1 µs and two hours as one hour: every request is counted."""
    h = Histogram.from_values([0, 2 * HIGHEST_US])
    assert h.n == 2
    assert h.values_us[0] == 1
    assert h.max_us == pytest.approx(HIGHEST_US, rel=1e-3)


def test_an_empty_histogram_round_trips() -> None:
    """No values is a histogram too."""
    assert decode(encode(Histogram.from_values([]))).n == 0


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "HISTFAAAAA=="])
def test_damaged_text_is_a_value_error(text: str) -> None:
    """Never anything else, so that a reader can go on with the next line."""
    with pytest.raises(ValueError, match="damaged"):
        decode(text)


def test_another_resolution_is_refused() -> None:
    """A histogram of two digits has other buckets: reading it as ours would invent values."""
    other = HdrHistogram(1, HIGHEST_US, 2)
    other.record_value(1000)
    with pytest.raises(ValueError, match="2 digits"):
        decode(other.encode().decode())
