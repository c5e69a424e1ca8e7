"""`loadgate compare` and `loadgate baseline` on recordings made to order."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from harness.cli import app
from recording.errors import ConfigError, NotARunError, RunFailedError
from tests.analysis.compare.test_baseline import recorded
from tests.analysis.recordings import Recording

STEPS = ("browse", "charge")
LIMITS = """
[journey]
latency = ["p99 < 10 s"]
[regression]
metrics = ["p95", "p99"]
min_effect = "5 %"
tolerated = "10 %"
floor = "5 ms"
"""


def call(folder: Path, *words: object, limits: str = LIMITS) -> Result:
    (folder / "limits.toml").write_text(limits)
    options = ["--thresholds", folder / "limits.toml"] if "list" not in words else []
    store = ["--baselines", folder / "kept"]
    return CliRunner().invoke(app, [str(word) for word in (*words, *options, *store)])


def run(folder: Path, name: str, ms: float, **manifest: Any) -> Path:
    recorded(folder / name, Recording(latency_ms={"charge": ms}, steps=STEPS), **manifest)
    return folder / name


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six baselines, whose every step varies by about 1 %."""
    folder = tmp_path_factory.mktemp("stored")
    for i, ms in enumerate((98.5, 99.5, 100.0, 100.5, 101.0, 101.5)):
        recorded(folder / f"run{i}", Recording(latency_ms=dict.fromkeys(STEPS, ms), steps=STEPS))
    done = call(folder, "baseline", "add", *(folder / f"run{i}" for i in range(6)))
    assert done.exit_code == 0, done.output
    return folder


def test_added_baselines_are_listed(stored: Path) -> None:
    """By host class and load, and whether there are enough of them."""
    done = call(stored, "baseline", "list")
    assert "xeon-2c-8gb-linux6" in done.output
    assert "ready" in done.output
    rows = json.loads(call(stored, "baseline", "list", "--json").stdout)
    assert [row["run"] for row in rows] == [f"run{i}" for i in range(6)]


def test_a_slow_run_exits_3_and_is_named(stored: Path) -> None:
    """The whole chain: recording, folder, verdict, exit code."""
    done = call(stored, "compare", run(stored, "slow", 150.0), "--json")
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    assert found["verdict"] == "FAIL"
    assert {r["endpoint"] for r in found["rows"] if r["verdict"] == "FAIL"} >= {"charge"}


def test_a_run_like_the_others_exits_0(stored: Path) -> None:
    """And prints the ratio and what it could have seen."""
    done = call(stored, "compare", run(stored, "same", 100.0))
    assert done.exit_code == 0, done.output
    assert "As fast as 6 baselines" in done.output


def test_two_runs_exit_5_which_ci_may_map(stored: Path) -> None:
    """INCONCLUSIVE, or what --inconclusive says."""
    runs = stored / "run0", stored / "run1"
    assert call(stored, "compare", *runs).exit_code == 5
    assert call(stored, "compare", *runs, "--inconclusive", "pass").exit_code == 0


def test_too_few_baselines_exit_5(tmp_path: Path) -> None:
    """With the number that is missing."""
    done = call(tmp_path, "compare", run(tmp_path, "only", 100.0))
    assert done.exit_code == 5
    assert "0 baselines" in done.output


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"ended": "interrupted"}, "did not complete"),
        ({"host": {"cores": 2}}, "host does not say where it ran"),
    ],
)
def test_what_cannot_be_a_baseline_is_refused(
    stored: Path, tmp_path: Path, manifest: dict[str, Any], said: str
) -> None:
    """And nothing is stored, not even the good run beside it."""
    runs = stored / "run0", run(tmp_path, "bad", 100.0, **manifest)
    done = call(tmp_path, "baseline", "add", *runs)
    assert isinstance(done.exception, RunFailedError)
    assert said in str(done.exception)
    assert not (tmp_path / "kept").exists()


def test_limits_without_regression_are_an_error_that_says_what_is_needed(tmp_path: Path) -> None:
    """File, section and keys."""
    limits = LIMITS.partition("[regression]")[0]
    done = call(tmp_path, "compare", run(tmp_path, "only", 100.0), limits=limits)
    assert isinstance(done.exception, ConfigError)
    assert "limits.toml: [regression] is missing" in str(done.exception)


def test_a_path_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    """It is named."""
    done = call(tmp_path, "compare", tmp_path / "nothing")
    assert isinstance(done.exception, NotARunError)
