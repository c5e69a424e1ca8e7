"""`loadgate calibrate` with a stand-in for the gate: a small script that prints its JSON."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from analysis.calibration.injection import Slowdown
from analysis.calibration.record import GateRecord, read_records
from harness.cli import app
from harness.run.calibrate import plan
from harness.scene.inject import latencies_in_force, overrides
from recording.errors import ConfigError, RunFailedError
from recording.flow import STEPS
from recording.profile_file import load_profile
from tests.harness.conftest import FIXTURES, wait_for

TAIL = Slowdown("p99", 0.2)
TINY = FIXTURES / "tiny.toml"
GATE = """
import json, sys
slowed = sorted({word.split(".")[3] for word in sys.argv if word.startswith("services.")})
with open(sys.argv[1], "a") as calls:
    calls.write(json.dumps(sys.argv[2:]) + "\\n")
rows = [{"endpoint": step, "metric": "p99", "verdict": "FAIL"} for step in slowed]
verdict = "FAIL" if slowed else "PASS"
breaches = [{"subject": step, "metric": "p99"} for step in slowed]
context = {"rounds": 24, "requests_counted": 1000}
print(json.dumps({"verdict": verdict, "rows": rows, "breaches": breaches, "context": context}))
sys.exit(3 if slowed else 0)
"""


def script(folder: Path, text: str) -> str:
    """A command that runs this text; its first argument is where it logs its calls."""
    path = folder / "gate.py"
    path.write_text(text)
    return f"{sys.executable} {path} {folder / 'calls'}"


def call(folder: Path, text: str, *words: str) -> Result:
    command = ["calibrate", "--gate", script(folder, text), "--profile", str(TINY)]
    command += ["--folder", str(folder / "kept"), *words]
    command += [] if "--simulate" in words else ["--simulate", "0"]
    return CliRunner().invoke(app, command)


def kept(folder: Path) -> list[GateRecord]:
    """The gates on disk."""
    (path,) = (folder / "kept").glob("*.jsonl")
    return read_records(path)[0]


def calls(folder: Path) -> list[list[str]]:
    """The arguments of every gate that was started."""
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


def test_gates_are_run_counted_and_printed(tmp_path: Path) -> None:
    """A/A and A/B, each a process of its own, into one table."""
    done = call(tmp_path, GATE, "--aa", "3", "--inject", "p99=+20%", "--gates", "7", "--json")
    assert done.exit_code == 0, done.output
    rows = {row["injection"]: row for row in json.loads(done.stdout)["rows"]}
    assert (rows[""]["passed"], rows["p99=+20%"]["found"]) == (3, 7)
    assert len(calls(tmp_path)) == 10


def test_all_steps_take_their_turn(tmp_path: Path) -> None:
    """Also over two calls, the second of which goes on where the first ended."""
    for count in (3, len(STEPS) - 3):
        call(tmp_path, GATE, "--inject", "p99=+20%", "--gates", str(count))
    assert {record.endpoint for record in kept(tmp_path)} == set(STEPS)


def test_an_ab_gate_slows_the_tail_of_one_step_of_head(tmp_path: Path) -> None:
    """By overrides that the profile's schema accepts, of the quantiles in force."""
    call(tmp_path, GATE, "--inject", "p99=+20%", "--gates", "1")
    (words,) = calls(tmp_path)
    sets = [words[i + 1] for i, word in enumerate(words) if word == "--head-set"]
    changed = load_profile(TINY, sets).services
    (record,) = kept(tmp_path)
    before = latencies_in_force(TINY)[record.endpoint]
    (table,) = (dict(t["latency"]) for t in changed.values() if "latency" in t)
    assert table[record.endpoint]["p99_ms"] == pytest.approx(1.2 * before[1].p99, rel=1e-5)
    assert table[record.endpoint]["p50_ms"] == before[1].p50
    assert words[-1] == "--json"


def test_the_profiles_own_quantiles_are_slowed(tmp_path: Path) -> None:
    """A profile that lowers an endpoint's latency is the one that is injected into."""
    path = tmp_path / "own.toml"
    path.write_text("[services.payment.latency.charge]\np99_ms = 700\n")
    assert "services.payment.latency.charge.p99_ms=840" in overrides(
        "charge", TAIL, latencies_in_force(path)
    )


def test_a_second_call_adds_to_the_first(tmp_path: Path) -> None:
    """Per host class, in one file."""
    for _ in range(2):
        done = call(tmp_path, GATE, "--aa", "2")
    assert "4 A/A gates, 0 FAIL (<= 52.7 %)" in done.output


def test_another_profile_starts_anew(tmp_path: Path) -> None:
    """Gates of different setups are not added up; the old ones stay in the file."""
    call(tmp_path, GATE, "--aa", "2")
    own = tmp_path / "own.toml"
    own.write_text(TINY.read_text().replace("users = 20", "users = 30"))
    done = call(tmp_path, GATE, "--aa", "1", "--profile", str(own))
    assert "1 A/A gate," in done.output
    assert (
        "2 gates of another command, profile, [regression] or kind of draws are left out"
        in done.output
    )


def test_invalid_and_inconclusive_gates_are_verdicts(tmp_path: Path) -> None:
    """Exit codes 4 and 5 are answers of a gate, not failures of the calibration; it says why."""
    text = 'print(\'{"verdict": "INVALID", "context": null, "summary": "too much noise"}\')'
    text += "; raise SystemExit(4)"
    done = call(tmp_path, text, "--aa", "2")
    assert done.exit_code == 0, done.output
    assert "2 INVALID left out" in done.output
    assert "too much noise" in done.output


@pytest.mark.parametrize(
    "text",
    [
        'import sys; sys.exit("no such arm")',
        'print("{"); import sys; print("no such arm", file=sys.stderr)',
        'print(\'{"verdict": "PASS"}\'); raise SystemExit("no such arm")',
        'print(\'{"verdict": "MAYBE"}\'); import sys; print("no such arm", file=sys.stderr)',
    ],
)
def test_a_gate_without_a_verdict_stops_with_its_own_words(tmp_path: Path, text: str) -> None:
    """A broken gate must not be counted, nor be repeated fifty times."""
    done = call(tmp_path, text, "--aa", "2")
    assert isinstance(done.exception, RunFailedError)
    assert "no such arm" in str(done.exception)
    assert not list((tmp_path / "kept").glob("*.jsonl"))


def test_ctrl_c_keeps_what_ended_and_stops_the_gate(tmp_path: Path) -> None:
    """The gate under way gets the signal once, ends in its own order, and is not counted."""
    waits = GATE.replace(
        "sys.exit(3",
        "import os, signal\n"
        "if open(sys.argv[1]).read().count('--json') > 1:\n"
        "    open(sys.argv[1] + '.waiting', 'w').close()\n"
        "    try:\n        signal.pause()\n"
        "    except KeyboardInterrupt:\n"
        "        open(sys.argv[1] + '.stopped', 'w').close()\n"
        "sys.exit(3",
    )
    words = [
        "--aa",
        "3",
        "--simulate",
        "0",
        "--gate",
        script(tmp_path, waits),
        "--profile",
        str(TINY),
    ]
    command = [sys.executable, "-m", "harness.cli", "calibrate", *words]
    command += ["--folder", str(tmp_path / "kept")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    wait_for((tmp_path / "calls.waiting").exists)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 5
    assert (tmp_path / "calls.stopped").exists()
    assert len(kept(tmp_path)) == 1
    assert b"1 A/A gate" in output


def test_without_arguments_it_prints_what_is_known(tmp_path: Path) -> None:
    """Nothing is run."""
    assert "no gates kept" in call(tmp_path, GATE).output
    call(tmp_path, GATE, "--aa", "1")
    assert "1 A/A gate" in call(tmp_path, GATE).output
    assert len(calls(tmp_path)) == 1


def test_ab_gates_need_to_know_how_head_is_slowed(tmp_path: Path) -> None:
    """--gates alone is a mistake and says what to add."""
    done = call(tmp_path, GATE, "--gates", "2")
    assert isinstance(done.exception, ConfigError)
    assert "--inject" in str(done.exception)


def test_real_gates_come_with_as_many_of_each_kind_and_simulated_ones(tmp_path: Path) -> None:
    """`--aa 1 --inject ...` alone: one slowed gate, and simulated ones only once."""
    with patch("harness.verbs.calibrate.SIMULATED", 2):
        for _ in range(2):
            words = ["--aa", "1", "--inject", "p99=+20%", "--gate", script(tmp_path, GATE)]
            words += ["--profile", str(TINY), "--folder", str(tmp_path / "kept")]
            assert CliRunner().invoke(app, ["calibrate", *words]).exit_code == 0
    found = Counter((record.kind, record.injection) for record in kept(tmp_path))
    assert found == {
        (kind, injection): 2 for kind in ("real", "simulated") for injection in ("", "p99=+20%")
    }


def test_simulated_gates_need_no_gate(tmp_path: Path) -> None:
    """Both kinds, kept beside the real ones; a second call draws others."""
    for _ in range(2):
        done = call(tmp_path, "raise SystemExit(1)", "--simulate", "1", "--inject", "p99=+20%")
    assert done.exit_code == 0, done.output
    found: list[Any] = [(r.kind, r.injection, r.host_model) for r in kept(tmp_path)]
    assert found == [
        *(("simulated", injection, "iid") for injection in ("", "p99=+20%")),
        *(("simulated", injection, "ar1-0.8") for injection in ("", "p99=+20%")),
    ]


def test_the_order_of_the_gates_is_drawn_from_the_seed() -> None:
    """A calibration that is stopped early holds a bit of everything; the same seed, the same."""
    first = plan(10, [TAIL], 10, [], seed=1)
    assert first == plan(10, [TAIL], 10, [], seed=1)
    assert first != plan(10, [TAIL], 10, [], seed=2)
    assert len({gate.injection for gate in first[:10]}) == 2


def test_each_gate_has_a_seed_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    """Handed to the gate and in its record; the calibration's own seed repeats them all."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        call(tmp_path / folder, GATE, "--aa", "3", "--seed", "5")
    first, again = (
        [words[words.index("--seed") + 1] for words in calls(tmp_path / folder)]
        for folder in ("a", "b")
    )
    assert first == again
    assert len(set(first)) == 3
    assert [str(record.seed) for record in kept(tmp_path / "a")] == first


def test_same_draws_are_another_calibration(tmp_path: Path) -> None:
    """Told to each gate, said with the counts, and never added to independent ones."""
    call(tmp_path, GATE, "--aa", "2")
    done = call(tmp_path, GATE, "--aa", "1", "--same-draws")
    assert ["--same-draws" in words for words in calls(tmp_path)] == [False, False, True]
    assert "same draws: 1 A/A gate" in done.output
    assert "2 gates of another command, profile, [regression] or kind of draws" in done.output
