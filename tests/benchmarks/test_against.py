"""benchmarks/against.py: figures of two revisions as ratios."""

from math import isnan
from pathlib import Path

import pytest

from benchmarks.against import Ratio, _in_turn, _ratios
from benchmarks.figures.child import PROJECT

CPU, SIZE = ("b", "CPU", "µs"), ("e", "size", "MB")


def test_a_ratio_is_that_of_the_rounds_and_has_their_interval() -> None:
    """Half of it three times: 0.5, as surely as the rounds agree."""
    found = Ratio.of(CPU, [10.0, 12.0, 14.0], [5.0, 6.0, 7.0])
    assert found.ratio == found.low == found.high == pytest.approx(0.5)
    assert (found.base, found.here) == (12.0, 6.0)
    spread = Ratio.of(CPU, [10.0, 10.0, 10.0], [8.0, 10.0, 12.5])
    assert spread.ratio == pytest.approx(1.0)
    assert spread.low == pytest.approx(1 / spread.high)
    assert spread.low < 0.8 < 1.25 < spread.high


def test_one_round_has_no_interval() -> None:
    """Nobody knows how far another one would have been."""
    found = Ratio.of(CPU, [10.0], [9.0])
    assert found.ratio == pytest.approx(0.9)
    assert isnan(found.low)
    assert isnan(found.high)


def test_what_only_one_has_or_is_nothing_has_no_ratio() -> None:
    """A figure that is new, one of zero, one that a round lacks."""
    base = {CPU: [1.0, 2.0], SIZE: [0.0, 1.0]}
    assert [r.key for r in _ratios(base, {CPU: [1.0, 2.0], SIZE: [1.0, 1.0]})] == [CPU]
    assert not list(_ratios({}, {CPU: [1.0]}))
    assert not list(_ratios({CPU: [1.0]}, {CPU: [1.0, 1.0]}))


def test_each_round_has_both_in_another_order(tmp_path: Path) -> None:
    """Base first, then this tree first."""
    assert list(_in_turn(tmp_path, 2)) == [tmp_path, PROJECT, PROJECT, tmp_path]
