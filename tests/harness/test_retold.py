"""Phases that tell services, and what is held after the load, in a real run and before one."""

from pathlib import Path

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import load_thresholds
from analysis.words.values import Outcome
from harness.scene.phases import check_phases
from harness.scene.services import service_settings
from recording.errors import ConfigError
from recording.profile_file import read_profile
from recording.rundir import RunDir
from tests.faults.in_process import loadgate
from tests.harness.conftest import FIXTURES, ROOT, StartRun, repeated_when_starved

PROFILE = FIXTURES / "told.toml"
AFTER = "load.phases.after.services"


@pytest.mark.live
@repeated_when_starved
def test_services_are_told_when_the_phase_begins(start_run: StartRun) -> None:
    """In its time; the run's story is on the screen, and what is left after it is judged."""
    run = start_run(profile=PROFILE)
    run.finish()
    events = {row["event"]: row for row in run.events()}
    told, began = events["settings_changed"], events["phase_started"]
    assert told["phase"] == began["phase"] == "after"
    assert 0 <= told["t_s"] - began["t_s"] < 2
    changed = [row for row in run.events() if row["event"] == "behaviour_changed"]
    assert {row["source"] for row in changed} == {"cart-service", "inventory-lock-service"}
    assert events["cooled_down"]["t_s"] - events["cooling_down"]["t_s"] >= 3
    verdict = judge(RunDir(run.root), load_thresholds(ROOT / "thresholds.toml"))
    rules = {row.rule: row.outcome for row in verdict.rows if row.subject == "cart-service"}
    assert rules["memory_left < 100 MB"] is Outcome.PASS
    assert [row["story_s"] for row in verdict.context["story"]] == [3600, 82800]


def read_and_check(override: str) -> None:
    profile, written = read_profile(PROFILE, [override])
    check_phases(profile.load, service_settings(profile.services, written), written)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (f"{AFTER}.cart.session_byte=1", "did you mean 'session_bytes'?"),
        (f"{AFTER}.crt.ttl_s=1", "unknown key 'services.crt'; did you mean 'cart'?"),
        (f"{AFTER}.cart.ttl_s=-1", "must be greater than or equal to 0.001"),
        (f"{AFTER}.cart.seed=1", "services.cart.seed cannot be changed while the service runs"),
        ("load.phases.after.tells=0s", "must be greater than 0"),
        (
            'target={checkout="http://127.0.0.1:9",payment="http://127.0.0.1:9",'
            'cart="http://127.0.0.1:9"}',
            "phases tell the mocks that a run starts",
        ),
    ],
)
def test_what_a_phase_cannot_tell_is_refused(override: str, said: str) -> None:
    """Before anything starts, by file and key."""
    with pytest.raises(ConfigError) as refused:
        read_and_check(override)
    assert said in str(refused.value)
    assert "told.toml" in str(refused.value)


@pytest.mark.parametrize("words", [("gate", "--profile"), ("capacity",)])
def test_a_gate_and_a_search_refuse_such_phases(words: tuple[str, ...], tmp_path: Path) -> None:
    """They compare stretches of one load: nobody would be told, or some of them."""
    path = tmp_path / "told.toml"
    gate = '[gate]\nslot = "1s"\ncut = "100ms"\nwarmup_rounds = 0\nlooks = [16]\n'
    path.write_text(PROFILE.read_text().replace('duration = "3s"', 'duration = "60s"') + gate)
    seen = loadgate(*words, str(path))
    assert (seen.exit_code, "phases that tell services" in seen.text) == (2, True), seen.text
