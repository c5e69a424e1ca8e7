"""recording/wire.py: what must never come out of a damaged or foreign text."""

from binascii import a2b_base64
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording import wire
from recording.histogram import BUCKETS, Histogram
from recording.wire import add_up, decode, decode_all, encode_all

COUNTS = st.lists(st.integers(1, 2**45), min_size=1, max_size=50)


def pack(numbers: Iterable[int]) -> str:
    """The text of a histogram with these numbers, written one after the other."""
    out = bytearray()
    for number in numbers:
        rest = (number << 1) if number >= 0 else ((-number << 1) - 1)
        while rest > 0x7F:
            out.append((rest & 0x7F) | 0x80)
            rest >>= 7
        out.append(rest)
    return wire.pack(bytes(out))


def numbers_of(histogram: Histogram) -> Iterator[int]:
    """A count is itself, one empty bucket 0, and more of them minus their number."""
    expected = 0
    for index, count in zip(histogram.indices.tolist(), histogram.counts.tolist(), strict=True):
        if gap := index - expected:
            yield -gap if gap > 1 else 0
        yield count
        expected = index + 1


HISTOGRAMS = st.dictionaries(
    st.integers(0, BUCKETS - 1) | st.integers(0, 200), st.integers(1, 200) | st.integers(1, 2**45)
).map(lambda kept: Histogram(np.array(sorted(kept), np.int64),
                             np.array([kept[i] for i in sorted(kept)], np.int64)))  # fmt: skip


@given(st.lists(HISTOGRAMS, max_size=5))
def test_many_at_once_are_written_as_each_number_by_number(histograms: list[Histogram]) -> None:
    """To the byte; empty ones among them too."""
    assert encode_all(histograms) == [pack(numbers_of(each)) for each in histograms]


@given(COUNTS, st.integers(2, BUCKETS - 60))
def test_numbers_of_every_length_survive(counts: list[int], gap: int) -> None:
    """Counts of up to seven bytes and gaps of any width come back where they were."""
    found = decode(pack([-gap, *counts]))
    assert found.indices.tolist() == list(range(gap, gap + len(counts)))
    assert found.counts.tolist() == counts


def test_many_at_once_are_read_as_one_by_one() -> None:
    """Each by itself, empty ones and long numbers among them; one that is damaged spoils all."""
    texts = [pack(numbers) for numbers in ([1], [], [-5, 3, -2000, 2**30, 7], [2**40], [], [-1])]
    data = [a2b_base64(text) for text in texts]
    for found, text in zip(decode_all(data), texts, strict=True):
        alone = decode(text)
        assert found.indices.tolist() == alone.indices.tolist()
        assert found.counts.tolist() == alone.counts.tolist()
    assert [found.n for found in decode_all([data[1]])] == [0]
    with pytest.raises(ValueError, match="damaged"):
        decode_all([*data, b"none"])


@pytest.mark.parametrize("numbers", [[-BUCKETS, 1], [-(2**40), 1], [-60_000] * 40_000 + [1]])
def test_a_count_beyond_the_last_bucket_is_damage(numbers: list[int]) -> None:
    """Whatever the run of empty buckets claims, no value is invented."""
    with pytest.raises(ValueError, match="damaged"):
        decode(pack(numbers))


@pytest.mark.parametrize("number", [2**45 + 1, 2**54, 2**62])
def test_more_values_than_anyone_can_have_recorded_are_damage(number: int) -> None:
    """A million a second for a year, in one bucket."""
    with pytest.raises(ValueError, match="damaged"):
        decode(pack([number]))


@given(st.lists(COUNTS | st.just([]), max_size=6))
def test_texts_add_up_to_the_sum_of_what_each_holds(texts: list[list[int]]) -> None:
    """Every text begins at bucket 0 again, whatever its neighbour ended with."""
    small = [[number % 2**40 + 1 for number in numbers] for numbers in texts]
    total = add_up([pack([-2, *numbers]) if numbers else pack([]) for numbers in small])
    expected = np.zeros(BUCKETS, np.int64)
    for numbers in small:
        if numbers:
            expected[2 : 2 + len(numbers)] += numbers
    assert total.indices.tolist() == np.flatnonzero(expected).tolist()
    assert total.counts.tolist() == expected[total.indices].tolist()


NUMBERS = st.integers(-300, 300) | st.sampled_from([-(2**17), 2**44, 2**46, 2**61])


@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_one_text_alone_is_read_as_beside_another(numbers: list[int]) -> None:
    """Few numbers are read one by one, many at once: the same histogram, or damage to both."""
    alone, beside = [pack(numbers)], [pack(numbers), pack([-1])]
    try:
        found = add_up(alone)
    except ValueError:
        with pytest.raises(ValueError, match="damaged"):
            add_up(beside)
        return
    together = add_up(beside)
    assert found.indices.tolist() == together.indices.tolist()
    assert found.counts.tolist() == together.counts.tolist()


@pytest.mark.parametrize("numbers", [[-BUCKETS, 1], [-(2**40), 1], [-60_000] * 40_000 + [1]])
def test_a_sum_invents_no_value_either(numbers: list[int]) -> None:
    """Damage in one text spoils the sum, so that its reader looks for the culprit."""
    with pytest.raises(ValueError, match="damaged"):
        add_up([pack([1, 2]), pack(numbers)])
