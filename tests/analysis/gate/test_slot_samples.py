"""Counters and gauges go to the slot that caused them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from analysis.evidence.run import Evidence
from analysis.paired.rounds import Rounds
from analysis.paired.slot_samples import growth, highest, labels_of, round_means, services_of
from recording.series_reader import Series
from recording.slots import Slots

# base 10-12, head 12-14, head 14-16, base 16-18
SLOTS = Slots(start_s=10.0, slot_s=2.0, cut_s=0.5, head_first=(False, True))
T_S = np.arange(9.25, 20.0, 0.5)


def series(**metrics: np.ndarray) -> Series:
    """One service of which both arms show the same."""
    return Series(
        {(f"s@{arm}", m): (T_S, v) for arm in ("base", "head") for m, v in metrics.items()}, 0
    )


def rounds(sampled: Series) -> Rounds:
    """Two of them, of which nothing but these samples is known."""
    return Rounds(cast(Evidence, SimpleNamespace(resources=sampled)), SLOTS, 2)


def worked(from_s: float, to_s: float) -> np.ndarray:
    """A counter that grows by 1 a second between two moments."""
    return np.clip(T_S, from_s, to_s) - from_s


def test_work_that_ends_in_the_others_slot_is_still_its_own() -> None:
    """Base works from 10 s to 12.4 s, four tenths of a second into head's slot."""
    found = growth(rounds(series(cpu=worked(10.0, 12.4))), "s", "cpu")
    assert found[0] == pytest.approx([2.4, 0.0])


def test_between_two_slots_of_one_arm_the_counter_is_interpolated() -> None:
    """Head works from 12 s to 16 s without a pause: 2 s for each of its slots."""
    found = growth(rounds(series(cpu=worked(12.0, 16.0))), "s", "cpu")
    assert found[1] == pytest.approx([2.0, 2.0])


def test_a_restarted_counter_loses_nothing_it_shows() -> None:
    """After a fall everything the counter shows is new."""
    values = np.where(T_S < 13, 100.0, 5.0)
    found = growth(rounds(series(cpu=values)), "s", "cpu")
    assert found[1][0] == pytest.approx(5.0)


def test_a_steady_counter_that_is_not_sampled_is_unknown() -> None:
    """Nothing was sampled late in base's slots: no growth is not the same as no knowledge."""
    short = Series({("s@base", "cpu"): (T_S[:4], T_S[:4]), ("s@head", "cpu"): (T_S, T_S)}, 0)
    found = growth(rounds(short), "s", "cpu", steady=True)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_a_run_that_stops_after_a_slot_keeps_it() -> None:
    """Base's last slot ends with the recording at 18 s; its window would go on."""
    upto = T_S < 18.0
    stopped = Series({("s@base", "cpu"): (T_S[upto], worked(16.0, 20.0)[upto])}, 0)
    found = growth(rounds(stopped), "s", "cpu", steady=True)
    assert found[0][1] == pytest.approx(1.75)


def test_a_counter_of_events_begins_with_the_first_one() -> None:
    """A label that appears in mid-run appears with what it counted so far."""
    born = Series({("s@head", "errors/500"): (np.array([13.0]), np.array([7.0]))}, 0)
    found = growth(rounds(born), "s", "errors/500")
    assert found.tolist() == [[0.0, 0.0], [7.0, 0.0]]


def test_the_highest_sample_is_looked_for_in_the_arms_own_slot_only() -> None:
    """A peak at 13.25 s is head's and not base's."""
    found = highest(rounds(series(active=np.where(T_S == 13.25, 9.0, 1.0))), "s", "active")
    assert found.tolist() == [[1.0, 1.0], [9.0, 1.0]]


def test_round_means_cover_both_slots() -> None:
    """Round 0 is 10 to 14 s, round 1 is 14 to 18 s."""
    found = round_means(rounds(series(rss=T_S)), "s@base", "rss")
    assert found == pytest.approx([12.0, 16.0])


def test_a_label_of_one_arm_is_a_label() -> None:
    """Head alone answers with 500: those requests count too."""
    one = Series({("s@head", "n/500"): (T_S, T_S), ("s@base", "n/200"): (T_S, T_S)}, 0)
    assert labels_of(one, "s", "n") == ["200", "500"]
    assert services_of(one, "n") == ["s"]


def test_what_is_below_zero_says_nothing() -> None:
    """As -1 does of a pool; and nothing that runs has no memory."""
    cannot_tell = np.where(T_S < 12.0, -1.0, 7.0)
    assert np.isnan(highest(rounds(series(active=-np.ones(T_S.size))), "s", "active")).all()
    found = highest(rounds(series(active=cannot_tell)), "s", "active")
    assert np.isnan(found[0, 0])
    assert found[0, 1] == 7.0
    for nothing in (-1.0, 0.0):
        rss = np.where(T_S < 12.0, nothing, 7.0)
        assert round_means(rounds(series(rss=rss)), "s@base", "rss").tolist() == [7.0, 7.0]
        none = np.full(T_S.size, nothing)
        assert np.isnan(round_means(rounds(series(rss=none)), "s@base", "rss")).all()
