"""benchmarks/figures/figure.py: what a reader sees of a figure and its peer."""

import io

import pytest
from rich.console import Console

from benchmarks.figures.figure import Figure, Peer, as_json, at_least, at_most, print_table


def printed(*figures: Figure) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_table(figures, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_missing_peer_is_said_not_left_out() -> None:
    """A peer that could not be had shows as such, with the reason."""
    text = printed(Figure("b", "CPU", 5.0, "µs", peer=Peer("WireMock (no java)")))
    assert "not available" in text
    assert "no java" in text


def test_a_missed_limit_is_marked() -> None:
    """A reader need not compare numbers to see what missed."""
    assert "MISSED" in printed(Figure("e", "seconds", 11.0, "s", **at_most(11.0, 10.0, "s")))
    assert "holds" in printed(Figure("d", "rate", 1900.0, "/s", **at_least(1900.0, 1800.0, "/s")))


def test_the_ratio_is_the_peers_figure_in_units_of_ours() -> None:
    """3 GB against 500 MB is 6 times."""
    row = as_json([Figure("a", "memory", 500.0, "MB", peer=Peer("k6", 3000.0))], {})["figures"][0]
    assert row["peer"]["ratio"] == pytest.approx(6.0)


def test_no_ratio_is_made_of_a_peer_that_is_missing() -> None:
    """Nothing is invented."""
    row = as_json([Figure("a", "memory", 500.0, "MB", peer=Peer("k6"))], {})["figures"][0]
    assert row["peer"]["ratio"] is None
