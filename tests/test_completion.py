"""The shell completes what there is; the Makefile hands words on as they were written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app

ROOT = Path(__file__).parents[1]


def completed(line: str) -> list[str]:
    environ = {
        "_LOADGATE_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = CliRunner().invoke(app, [], prog_name="loadgate", env=environ)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("loadgate ca", ["capacity", "calibrate"]),
        ("loadgate run s", ["smoke", "soak"]),
        ("loadgate run smoke --dr", ["--dry-run"]),
        ("loadgate gate --profile t", ["tune"]),
        ("loadgate schema b", ["behaviour"]),
        ("loadgate mocks st", ["status"]),
    ],
)
def test_words_are_completed(line: str, words: list[str]) -> None:
    """Verbs, profiles, options."""
    assert completed(line) == words


def test_run_directories_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the folder they lie in."""
    monkeypatch.chdir(tmp_path)
    run = Path("runs", "20260301-101500-smoke-1f2e")
    run.mkdir(parents=True)
    (run / "manifest.json").touch()
    assert completed("loadgate report r") == completed("loadgate report runs/2") == [str(run)]
    assert completed("loadgate compare runs/") == [str(run)]


def test_bash_completes_with_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script of `--show-completion`, in a real bash."""
    command = tmp_path / "loadgate"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m harness "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: ("bash", "/bin/bash"))
    shown = CliRunner().invoke(app, ["--show-completion", "bash"], prog_name="loadgate").stdout
    line = "COMP_WORDS=(loadgate run smo); COMP_CWORD=2; _loadgate_completion loadgate"
    script = f"{shown}\n{line}; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["smoke"], done.stderr


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        (["loadtest", 'SET=description="x y" seed=1'],
         ["run", "release", '--set=description="x y"', "--set=seed=1"]),
        (["loadtest", "PROFILE=smoke", "SET=faults=[{at='9s',kind='down'}] a=*"],
         ["run", "smoke", "--set=faults=[{at='9s',kind='down'}]", "--set=a=*"]),
        (["loadtest"], ["run", "release"]),
        (["gate", "SET=seed=1", "ARGS=--base . --head 'a b'"],
         ["gate", "--allow-equal", "--base", ".", "--head", "a b", "--set=seed=1"]),
        (["mocks", "SET=services.cart.ttl_s=60"], ["mocks", "--set=services.cart.ttl_s=60"]),
        (["mocks", "SET="], ["mocks"]),
    ],
)  # fmt: skip
def test_make_hands_on_what_was_written(
    words: list[str], handed_on: list[str], tmp_path: Path
) -> None:
    """Quotes hold a word together and stay; nothing is a pattern of file names."""
    (tmp_path / "loadgate").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "loadgate").chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", "-o", ".venv/.ready", f"BIN={tmp_path}", *words],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == handed_on, done.stderr


def test_make_report_before_any_run_says_so(tmp_path: Path) -> None:
    """And what to do."""
    done = subprocess.run(
        ["make", "-f", str(ROOT / "Makefile"), "-o", ".venv/.ready",
         f"BIN={Path(sys.executable).parent}", "report"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no runs in runs/ yet: try `loadgate run smoke`" in done.stderr
