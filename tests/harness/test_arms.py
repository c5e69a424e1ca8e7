"""What an arm resolves to, in a repository with revisions of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.scene.services import Origin, start_services
from harness.system.paths import environment_of
from recording.clock import RunClock
from recording.errors import RunFailedError
from tests.harness.conftest import ROOT, copy_code, git

PREPARED = """
import sys
from pathlib import Path
from harness.scene.arms import prepared
from recording.profile_file import load_profile
profile = load_profile(Path(sys.argv[1]))
with prepared("base", "ref:main", sys.argv[2:], profile, "gate.toml") as arm:
    print(sorted(arm.settings["cart"]), *arm.facts.notes, sep="; ")
"""
KNOB = "class CartSettings(ServiceSettings):\n"
PROFILE = """
[load]
phases = [{ name = "rounds", duration = "9s", users = 1, measured = true }]
[services.cart]
ttl_s = 9.0
knob = 2.0
"""


@pytest.fixture
def newer(project: Path) -> Path:
    """The repository on a branch that knows one more setting, and wants other packages."""
    git(project, "checkout", "--quiet", "-b", "more")
    settings = project / "mock_services" / "cart" / "settings.py"
    assert KNOB in settings.read_text()
    settings.write_text(settings.read_text().replace(KNOB, KNOB + "    knob: float = 1.0\n"))
    (project / "requirements.lock").write_text("fastapi==1\n")
    git(project, "commit", "--quiet", "--all", "--message", "a knob")
    return project


def python(project: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run Python on a project's own code."""
    return subprocess.run(
        [sys.executable, *words], cwd=project, env=environment_of(project),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_older_revision_runs_without_what_it_does_not_know(newer: Path, tmp_path: Path) -> None:
    """A profile may use a new setting; that, and other packages, is told with the verdict."""
    profile = tmp_path / "profile.toml"
    profile.write_text(PROFILE)
    done = python(newer, "-c", PREPARED, str(profile))
    assert done.stdout.startswith("['ttl_s']; "), done.stderr
    assert "its requirements.lock is another one" in done.stdout
    assert "its mocks do not know services.cart.knob, so it ran without" in done.stdout
    asked = python(newer, "-c", PREPARED, str(profile), "services.cart.knob=3")
    assert "does not know services.cart.knob" in asked.stderr


def test_services_run_the_code_of_their_arm_wherever_one_stands(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another checkout in the current folder is not measured in its place, nor ours in an arm's."""
    (project / "mock_services" / "serve.py").write_text("raise SystemExit('another checkout')")
    monkeypatch.chdir(project)
    start_services({}, RunClock.start(), logs=tmp_path).stop()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    with pytest.raises(RunFailedError, match="another checkout"):
        start_services({}, RunClock.start(), logs=tmp_path, origin=Origin(project)).stop()


def test_a_shallow_clone_is_told_what_to_fetch(newer: Path, tmp_path: Path) -> None:
    """CI checks out one commit unless it is asked for more."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{newer}", str(clone))
    git(clone, "checkout", "--quiet", "--detach")
    git(clone, "branch", "--quiet", "-D", "more")
    git(clone, "remote", "remove", "origin")
    done = python(clone, "-m", "harness.cli", "gate", "--profile", str(ROOT / "profiles/gate.toml"),
                  "--thresholds", str(ROOT / "thresholds.toml"))  # fmt: skip
    assert done.returncode == 2
    assert "fetch-depth: 0" in done.stderr


def test_a_folder_without_a_repository_is_said_to_be_one(tmp_path: Path) -> None:
    """In git's own words, and not as a revision that is missing."""
    copy_code(tmp_path)
    done = python(tmp_path, "-c", "from harness.system.git import resolve; resolve('HEAD')")
    assert "not a git repository" in done.stderr
