"""--rounds and --time of a gate."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.statistics.looks import LookPlan
from harness.cli import app
from harness.scene.rounds import FEWEST, resized
from recording.errors import ConfigError
from recording.profile import MOST_ROUNDS
from recording.profile_file import load_profile

GATE = Path(__file__).parents[2] / "profiles" / "gate.toml"
PLAN = load_profile(GATE)


@pytest.mark.parametrize("rounds", range(FEWEST, 300, 2))
def test_any_number_of_rounds_is_a_profile_with_looks_at_the_same_places(rounds: int) -> None:
    """It loads, its last look is the number, and the first is at three fifths as ever."""
    made = load_profile(GATE, resized(PLAN, rounds, None)).gate
    assert made is not None
    assert made.looks[-1] == rounds
    assert made.looks[0] / rounds == pytest.approx(24 / 40, abs=1 / rounds)


@pytest.mark.parametrize("rounds", [FEWEST, 40, 60, 200, MOST_ROUNDS])
def test_the_shares_of_a_scaled_gate_add_up_to_the_promised_error(rounds: int) -> None:
    """However long it is, equal arms FAIL as seldom."""
    plan = LookPlan((24, 40)).scaled(rounds)
    assert sum(plan.share(0.005, n) for n in plan.rounds) == pytest.approx(0.005)


def test_a_look_at_which_nothing_could_be_decided_is_left_out() -> None:
    """Fewer than eight rounds decide nothing."""
    assert LookPlan((8, 16, 40)).scaled(16).rounds == (16,)
    assert LookPlan((24, 40)).scaled(40).rounds == (24, 40)


def test_a_time_is_filled_with_rounds_and_not_exceeded() -> None:
    """By less than two rounds."""
    made = load_profile(GATE, resized(PLAN, None, "10m"))
    assert made.gate is not None
    assert 600 - 4 * made.gate.slot < made.load.duration_s <= 600


@pytest.mark.parametrize(
    ("rounds", "time"),
    [(15, None), (14, None), (MOST_ROUNDS + 2, None), (-2, None), (None, "20s"), (None, "soon"),
     (None, "nan"), (40, "10m")],
)  # fmt: skip
def test_what_no_gate_can_be_is_refused_by_option(rounds: int | None, time: str | None) -> None:
    """In one line, with what is allowed."""
    with pytest.raises(ConfigError, match=r"^--(rounds|time)") as refused:
        resized(PLAN, rounds, time)
    assert "\n" not in str(refused.value)


def test_the_verb_refuses_it_before_anything_starts(tmp_path: Path) -> None:
    """No run directory."""
    done = CliRunner().invoke(app, ["gate", "--rounds", "15", "--runs", str(tmp_path / "runs")])
    assert "write an even number from 16 to 2000" in str(done.exception)
    assert not (tmp_path / "runs").exists()
