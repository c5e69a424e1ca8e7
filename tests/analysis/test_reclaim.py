"""What services hold at the end of the cool-down, over what before the load."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome, RuleRow, Verdict
from recording.series import Sample
from tests.analysis.recordings import END_S, LOAD, Recording

CART = "cart-service"
BEGINS_S = 3.0
"""Of the load; samples before it have 100 MB, and 2 connections in use."""
LIMITS = parse_thresholds(
    f'[{CART}]\nreclaim = ["pool_left == 0", "replicas_left == 0", "memory_left < 50 MB"]\n'
)
SPAN_S = 8.0


def judged(
    folder: Path,
    after: Mapping[str, float],
    until_s: float = END_S + SPAN_S,
    whole: bool = True,
    planned: bool = True,
) -> Verdict:
    """A run whose cart holds that much after the load, sampled until then."""
    before = [Sample(0, CART, "service_replicas", 2.0)]
    later_s = range(int(END_S) + 1, int(until_s) + 1)
    late = [Sample(s, CART, name, value) for s in later_s for name, value in after.items()]
    end = {"t_s": END_S + SPAN_S, "source": "harness", "event": "cooled_down"}
    load = LOAD.model_copy(update={"cooldown": SPAN_S if planned else None})
    recording = Recording(
        load=load, begins_s=BEGINS_S, samples=[*before, *late], events=[end] if whole else []
    )
    recording.judged = ("reclaim",)
    return judge(recording.write(folder / "run"), LIMITS)


def rows(verdict: Verdict) -> dict[str, RuleRow]:
    return {row.measurement.metric: row for row in verdict.rows}


NORMAL = {
    "process_resident_memory_bytes": 110 * 2.0**20,
    "service_replicas": 2.0,
    "connection_pool_active/p/0": 0.0,
}


def test_what_is_given_back_is_a_pass(tmp_path: Path) -> None:
    """Connections, replicas, and memory but for some."""
    verdict = judged(tmp_path, NORMAL)
    assert verdict.verdict is Outcome.PASS, verdict.summary


@pytest.mark.parametrize(
    ("metric", "series", "value", "left"),
    [
        ("pool_left", "connection_pool_active/p/0", 5.0, 3.0),
        ("replicas_left", "service_replicas", 3.0, 1.0),
        ("memory_left", "process_resident_memory_bytes", 200 * 2.0**20, 100.0),
    ],
)
def test_what_is_kept_is_a_breach(
    tmp_path: Path, metric: str, series: str, value: float, left: float
) -> None:
    """With both levels in words."""
    verdict = judged(tmp_path, {**NORMAL, series: value})
    (breach,) = verdict.breaches
    assert (breach.subject, breach.metric, breach.actual) == (CART, metric, left)
    assert "before the load, " in breach.because
    assert breach.because.endswith("at the end of the cool-down of 8s")


def test_without_a_cool_down_nothing_is_known(tmp_path: Path) -> None:
    """Nor where it was cut short; no PASS wants it of a run that was to have none."""
    for planned in (True, False):
        verdict = judged(tmp_path / f"{planned}", NORMAL, whole=False, planned=planned)
        for row in rows(verdict).values():
            assert row.outcome is Outcome.INCONCLUSIVE
            assert row.required is planned


def test_a_single_sample_is_no_level(tmp_path: Path) -> None:
    """It may be any moment's, and two more were due after it."""
    verdict = judged(tmp_path, NORMAL, until_s=END_S + 6)
    assert {row.outcome for row in rows(verdict).values()} == {Outcome.INCONCLUSIVE}


def test_a_service_that_gave_no_metrics_at_the_end_is_no_data(tmp_path: Path) -> None:
    """What it held before that is not what it holds then."""
    verdict = judged(tmp_path, NORMAL, until_s=END_S + SPAN_S / 2)
    assert {row.outcome for row in rows(verdict).values()} == {Outcome.INCONCLUSIVE}
    assert verdict.verdict is Outcome.INCONCLUSIVE
