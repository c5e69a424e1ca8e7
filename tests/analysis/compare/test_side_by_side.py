"""Two runs made apart: shown, and never judged."""

import json
from collections.abc import Iterator
from itertools import chain
from math import exp, log, sqrt

import pytest

from analysis.compare.side_by_side import compare_pair, ratio_interval
from analysis.words.values import Outcome
from tests.analysis.compare.baselines import PERCENTILES, SUBJECTS, figure, made
from tests.hostile_text import ATTACKS, acts, commands

A, B = made("a"), made("b", {"charge": 1.5})


def test_two_runs_are_never_a_verdict() -> None:
    """However large the difference: it can be the host's."""
    found = compare_pair(A, B)
    assert (found.verdict, int(found.verdict.exit_code)) == (Outcome.INCONCLUSIVE, 5)
    assert any("loadgate gate" in reason for reason in found.reasons)


def test_every_step_and_percentile_has_its_ratio() -> None:
    """B over A, p50 to p99."""
    ratios = {(row.subject, row.metric): row.ratio for row in compare_pair(A, B).pairs}
    assert len(ratios) == len(SUBJECTS) * len(PERCENTILES)
    assert ratios["charge", "p99"] == pytest.approx(1.5)
    assert ratios["browse", "p99"] == 1.0


def test_the_interval_adds_the_distances_of_both_runs() -> None:
    """On the log scale, by the root of the sum of squares, each direction by itself."""
    a, b = figure("browse", "p99", 100, 90, 120), figure("browse", "p99", 110, 100, 130)
    down = sqrt(log(110 / 100) ** 2 + log(120 / 100) ** 2)
    up = sqrt(log(130 / 110) ** 2 + log(100 / 90) ** 2)
    assert ratio_interval(a, b) == (
        pytest.approx(1.1 * exp(-down)),
        pytest.approx(1.1 * exp(up)),
    )


def test_an_open_interval_stays_open() -> None:
    """Too few samples for a bound of one run is no bound of the ratio."""
    a, b = figure("browse", "p99", 100, None, 120), figure("browse", "p99", 110, 100, 130)
    low, high = ratio_interval(a, b)
    assert low is not None
    assert high is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"host_class": "epyc-4c"}, "host class differs: xeon-2c-8gb-linux6, then epyc-4c"),
        ({"host_class": "unknown"}, "host class: unknown"),
        ({"profile": "smoke"}, "profile differs: release, then smoke"),
        ({"measured_s": 16.0}, "measured time differs: 150 s, then 16 s"),
        (
            {"load": {"phases": [{"name": "sustained", "users": 800}]}},
            "load differs: phases.sustained.users = 600, then 800",
        ),
        (
            {"services": {"cart": {"ttl_s": 5}}},
            "services differs: cart.ttl_s = not set, then 5",
        ),
        ({"dirty": True}, "b: recorded from a tree with uncommitted changes"),
        ({"ended": "interrupted"}, "b: the run did not complete (interrupted)"),
    ],
)
def test_what_else_could_explain_a_difference_is_named(
    changed: dict[str, object], said: str
) -> None:
    """Host, profile, duration and every setting by its key."""
    notes = compare_pair(A, made("b", 1.0, **changed)).notes
    assert any(note.startswith(said) for note in notes)


def test_equal_runs_have_nothing_to_name() -> None:
    """The notes are not always there."""
    assert compare_pair(A, made("b")).notes == ()


def test_more_errors_are_named() -> None:
    """A request that failed fast makes a percentile look better."""
    worse = figure("charge", "error_rate", 3.0, 2.5, 3.5, unit="%")
    figures = (worse, *(f for f in B.figures if (f.subject, f.metric) != ("charge", "error_rate")))
    notes = compare_pair(A, made("b", figures=figures)).notes
    assert [note[:19] for note in notes] == ["charge: 3 % errors,"]


def test_the_json_is_complete_and_the_same_every_time() -> None:
    """Tools read the rows with both runs' values and intervals."""
    found = compare_pair(A, B)
    assert found.to_json() == compare_pair(A, B).to_json()
    first = json.loads(found.to_json())["pairs"][0]
    assert (first["a"]["value"], first["subject"], first["metric"]) == (100.0, "browse", "p50")


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_foreign_text_is_plain_in_the_json(text: str) -> None:
    """A manifest's id and revision, a stored file's profile and host: what a CI job's log shows."""
    text = text.encode(errors="replace").decode()
    shown = compare_pair(made(text, profile=text, revision=text), made("b", profile=text)).to_json()
    said = list(_texts(json.loads(shown)))
    assert len(said) > 10
    assert not [word for word in said if acts(word) or "\n" in word or commands(word)]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(_texts, chain(value.keys(), value.values())))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_texts, value))
