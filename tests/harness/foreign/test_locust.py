"""Locust's own CSV files against what each of the same requests took."""

import csv
import shutil
from math import inf
from pathlib import Path

import numpy as np
import pytest

from analysis.evidence.requests import QUANTILES
from analysis.judge import judged
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome
from harness.foreign.reading import read_foreign
from harness.foreign.steps import Steps
from harness.foreign.tally import Tally
from harness.foreign.written import Window, write_run
from recording.errors import ConfigError
from recording.histogram import merge
from recording.hlog import AT_MOST, LATENCY

FIXTURES = Path(__file__).parents[2] / "fixtures" / "foreign"
STATS, HISTORY = "locust_stats.csv", "locust_stats_history.csv"
FAIL = '/a,"b"'
WRITTEN = {"browse": 396, FAIL: 114}
BUCKET = 0.001


def raw() -> dict[str, list[float]]:
    """Response times in order by name, ms, of those that were over when Locust wrote its files."""
    found: dict[str, list[float]] = {"browse": [], FAIL: []}
    for line in (FIXTURES / "locust-raw.csv").read_text().splitlines():
        name, ms, _ok = line.rsplit(",", 2)
        found[name].append(float(ms))
    return {name: sorted(times[: WRITTEN[name]]) for name, times in found.items()}


def values_ms(tally: Tally, step: str, kind: str) -> list[float]:
    """Every request's, in order."""
    kept = merge(i.histogram for i in tally.intervals() if (i.tag.step, i.tag.kind) == (step, kind))
    return (np.repeat(kept.values_us, kept.counts) / 1000).tolist()


def alone(tmp_path: Path, *names: str) -> Path:
    for name in names:
        shutil.copy(FIXTURES / name, tmp_path / name)
    return tmp_path / names[0]


@pytest.mark.parametrize("names", [(STATS, HISTORY), (HISTORY, STATS), (STATS,), (HISTORY,)])
def test_every_request_lies_within_its_bounds(names: tuple[str, ...], tmp_path: Path) -> None:
    """Rank by rank, whichever of the files there are; counts and failures are exact.

    Locust's percentiles may be one rank higher than ours.
    """
    tally = read_foreign(alone(tmp_path, *names), Steps()).tally
    took = raw()
    assert set(tally.steps) == set(took)
    for step, times in took.items():
        lows, highs = (values_ms(tally, step, kind) for kind in (LATENCY, AT_MOST))
        for low, ms, next_ms, high in zip(lows, times, [*times[1:], inf], highs, strict=True):
            assert low * (1 - BUCKET) - 0.001 <= next_ms
            assert ms <= high * (1 + BUCKET) + 0.001
    failed = [i for i in tally.intervals() if i.tag.outcome == "failed" and i.tag.kind == LATENCY]
    assert {i.tag.step for i in failed} == {FAIL}
    assert sum(i.histogram.n for i in failed) == len(took[FAIL])


def test_percentiles_are_as_narrow_as_their_rounding(tmp_path: Path) -> None:
    """A published percentile is known to a hundredth or a ms."""
    tally = read_foreign(alone(tmp_path, STATS), Steps()).tally
    lows, highs = (values_ms(tally, "browse", kind) for kind in (LATENCY, AT_MOST))
    for q in (0.5, 0.9, 0.95, 0.99):
        rank = int(len(lows) * q)  # Locust's, from 0
        assert highs[rank] - lows[rank] <= max(1.01, 0.1 * highs[rank])


def judged_by(rules: str, file: Path, tmp_path: Path) -> dict[str, tuple[Outcome, float]]:
    run = write_run(tmp_path / "runs", read_foreign(file, Steps()), Window())
    verdict = judged(run, parse_thresholds(rules)).verdict
    return {row.rule: (row.outcome, row.measurement.value) for row in verdict.rows}


def test_rules_are_decided_where_the_bounds_agree(tmp_path: Path) -> None:
    """FAIL by the lower, PASS by the upper bound, and open between them."""
    file = alone(tmp_path, STATS, HISTORY)
    rules = """
    [journey]
    latency = ["p50 < 10 ms", "p50 < 20 ms", "p90 < 400 ms", "max < 400 ms", "max < 150 ms"]
    errors = ["failures < 115", "error_rate < 20 %"]
    """
    found = {rule: outcome for rule, (outcome, _) in judged_by(rules, file, tmp_path).items()}
    assert found == {
        "p50 < 10 ms": Outcome.FAIL,
        "p50 < 20 ms": Outcome.INCONCLUSIVE,
        "p90 < 400 ms": Outcome.INCONCLUSIVE,  # a quarter of the requests failed
        "max < 400 ms": Outcome.INCONCLUSIVE,
        "max < 150 ms": Outcome.FAIL,
        "failures < 115": Outcome.PASS,
        "error_rate < 20 %": Outcome.FAIL,
    }


def test_a_run_without_failures_can_pass(tmp_path: Path) -> None:
    """By upper bounds alone."""
    with (FIXTURES / STATS).open(newline="") as file:
        rows = [row for row in csv.reader(file) if row[1] in ("Name", "browse")]
    rows.append(["", "Aggregated", *rows[-1][2:]])
    path = tmp_path / STATS
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    rules = '[journey]\nlatency = ["p90 < 400 ms", "p95 < 100 ms", "p95 < 50 ms"]\n'
    found = {rule: outcome for rule, (outcome, _) in judged_by(rules, path, tmp_path).items()}
    assert found["p90 < 400 ms"] is Outcome.PASS
    assert found["p95 < 100 ms"] is Outcome.INCONCLUSIVE
    assert found["p95 < 50 ms"] is Outcome.FAIL


def test_the_run_is_as_long_as_its_history(tmp_path: Path) -> None:
    """Or, of statistics alone, as their rate says."""
    both = read_foreign(alone(tmp_path, STATS, HISTORY), Steps()).tally
    (tmp_path / HISTORY).unlink()
    rate_only = read_foreign(tmp_path / STATS, Steps()).tally
    assert both.span.length_s == 13
    assert rate_only.span.length_s == pytest.approx(13.0, abs=0.01)


def test_a_part_cannot_be_measured(tmp_path: Path) -> None:
    """Percentiles are of the whole."""
    with pytest.raises(ConfigError, match="tell of the whole run only"):
        write_run(tmp_path, read_foreign(FIXTURES / STATS, Steps()), Window(from_s=1.0))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",396,0,", ",many,0,", "line 3: Request Count is many: a whole number"),
        (",396,0,", ",396,-1,", "line 3: Failure Count is -1: a whole number"),
        (",396,0,", ",396,397,", "line 3: Failure Count is 397: at most the 396 requests"),
        (",71,120,150,", ",nan,120,150,", "line 3: 95% is nan: ms"),
        (",170\n", ",170,1\n", "line 3: 23 fields, and there are 22 columns"),
        (",396,0,", ",395,0,", "line 4: Request Count: Aggregated has 510, and its rows .* to 509"),
        (",396,0,", ",396,7,", "line 4: Failure Count: Aggregated has 114, and its rows .* to 121"),
        (",396,0,", ",1e30,0,", "line 3: Request Count is 1e30: a whole number"),
        (",71,120,150,", ",71,1e17,150,", "line 3: 98% is 1e17: ms, a number"),
        (",71,120,150,", ",71,120,110,", "line 3: 99% is 110.0: from 120 to"),
        (",71,120,150,", ",71,120,9000,", "line 3: 99% is 9000.0: from 120 to"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    """And column, and what is allowed."""
    path = tmp_path / STATS
    text = (FIXTURES / STATS).read_text().replace("\r\n", "\n")
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=said):
        read_foreign(path, Steps())


@pytest.mark.parametrize("left", [1, 2, 2.9, 3.9])
def test_statistics_that_were_cut_off_are_none(left: float, tmp_path: Path) -> None:
    """An endpoint that failed always would be gone without a word."""
    lines = (FIXTURES / STATS).read_text().splitlines(keepends=True)
    whole = int(left)
    rest = lines[whole][: int(len(lines[whole]) * (left % 1))] if left % 1 else ""
    path = tmp_path / STATS
    path.write_text("".join(lines[:whole]) + rest)
    with pytest.raises(ConfigError, match="no row"):
        read_foreign(path, Steps())


def test_an_endpoint_may_be_called_as_the_sum_is(tmp_path: Path) -> None:
    """It is told apart by its method, and its failures count."""
    path = tmp_path / STATS
    path.write_text((FIXTURES / STATS).read_text().replace('"/a,""b"""', "Aggregated"))
    tally = read_foreign(path, Steps()).tally
    assert set(tally.steps) == {"browse", "Aggregated"}
    assert tally.requests == sum(WRITTEN.values())


@pytest.mark.parametrize(
    ("per_s", "said"),
    [("0", "in at most 60 days"), ("1e-300", "in at most 60 days"), ("nan", "is nan")],
)
def test_a_rate_that_no_test_has_is_refused(per_s: str, said: str, tmp_path: Path) -> None:
    """It tells how long the run was, where nothing else does."""
    lines = (FIXTURES / STATS).read_text().splitlines()
    fields = lines[-1].split(",")
    fields[9] = per_s
    path = tmp_path / STATS
    path.write_text("\n".join([*lines[:-1], ",".join(fields)]) + "\n")
    with pytest.raises(ConfigError, match=f"line 4: Requests/s .*{said}"):
        read_foreign(path, Steps())


def test_a_history_whose_clock_went_back_is_refused(tmp_path: Path) -> None:
    """Nobody knows how long it was."""
    lines = (FIXTURES / HISTORY).read_text().splitlines()
    fields = lines[-1].split(",")
    fields[0] = str(int(fields[0]) - 1000)
    path = tmp_path / HISTORY
    path.write_text("\n".join([*lines[:-1], ",".join(fields)]) + "\n")
    with pytest.raises(ConfigError, match=r"Timestamp is .* not before"):
        read_foreign(path, Steps())


def test_percentiles_that_are_judged_are_among_locusts() -> None:
    """So that each of them has bounds as narrow as can be."""
    assert {f"{100 * q:g}%" for q in QUANTILES.values()} <= {
        "50%", "66%", "75%", "80%", "90%", "95%", "98%", "99%", "99.9%", "99.99%", "100%",
    }  # fmt: skip
