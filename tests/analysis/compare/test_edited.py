"""Baselines that somebody edited or copied: an error with file and key, never a verdict."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import orjson
import pytest

from analysis.compare.against_baselines import compare_with_baselines, variation
from analysis.compare.baseline_store import read_baselines
from analysis.limits.regression import GateSettings
from analysis.words.values import Outcome
from recording.errors import ConfigError
from tests.analysis.compare.baselines import made, scattered

RULES = GateSettings(baseline_spread=0.10)


def stored(folder: Path, changed: Sequence[int], where: tuple[Any, ...], value: object) -> Path:
    """Six that agree, of which some have another value somewhere."""
    for i, each in enumerate(scattered(6, 0.01, seed=1)):
        table = orjson.loads(each.to_json())
        if i in changed:
            place = table
            for key in where[:-1]:
                place = place[key]
            place[where[-1]] = value
        (folder / f"{i}.json").write_bytes(orjson.dumps(table))
    return folder


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("figures", 1, "value"), "inf", "figures.1.value"),
        (("figures", 1, "value"), "nan", "figures.1.value"),
        (("figures", 1, "value"), "250", "figures.1.value"),
        (("figures", 1, "value"), -1, "figures.1.value"),
        (("figures", 1, "value"), 1e300, "figures.1.value"),
        (("figures", 1, "ci_high"), "inf", "figures.1.ci_high"),
        (("figures", 1, "unit"), "s", "p95 is kept in ms, not in 's'"),
        (("figures", 1, "metric"), "p50", "p50 is there more than once"),
        (("figures", 1, "n"), -5, "figures.1.n"),
        (("measured_s",), "nan", "measured_s"),
        (("run_id",), "r", "1.json: run_id: r is kept in 0.json too"),
    ],
)
def test_what_cannot_be_a_figure_is_refused(
    where: tuple[Any, ...], value: object, said: str, tmp_path: Path
) -> None:
    """A limit without an end is kept by every run."""
    with pytest.raises(ConfigError) as caught:
        read_baselines(stored(tmp_path, range(5), where, value))
    assert str(caught.value).startswith(str(tmp_path))
    assert said in str(caught.value)


def test_one_that_is_far_from_all_others_decides_nothing(tmp_path: Path) -> None:
    """Their spread is beyond numbers, and too large."""
    found = read_baselines(stored(tmp_path, [0], ("figures", 1, "value"), 1e29))
    assert variation(1e3) == inf
    verdict = compare_with_baselines(made("new"), found, RULES, "b")
    assert verdict.verdict is Outcome.INCONCLUSIVE


def test_one_that_did_not_complete_does_not_count(tmp_path: Path) -> None:
    """`baseline add` keeps none."""
    found = read_baselines(stored(tmp_path, range(2), ("ended",), "interrupted"))
    assert "holds 4 baselines" in compare_with_baselines(made("new"), found, RULES, "b").summary
