"""loadgate as a wheel in an environment of its own, called from folders that are not its own."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.harness.conftest import git

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment that has the wheel, and this one's packages beside it."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source = folder / "source"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
    _with_changes(source)
    built = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*built, str(source)], check=True)
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("loadgate-*.whl")
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "venv" / "lib" / version / "site-packages"
    others = (path for path in sys.path if path.endswith("site-packages"))
    (packages / "others.pth").write_text("\n".join(others))
    return python.with_name("loadgate")


def _with_changes(source: Path) -> None:
    """The clone with what is not committed yet, so that the test is about this tree."""
    changed = subprocess.run(
        ["git", "ls-files", "--modified", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in changed:
        there = source / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            there.write_bytes((ROOT / name).read_bytes())
        else:
            there.unlink(missing_ok=True)


def call(command: Path, here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """In ``here``, where nothing of this tree is found by way of the environment."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(command), *words], cwd=here, env=kept, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


def test_profiles_and_thresholds_come_along(installed: Path, tmp_path: Path) -> None:
    """By name, from a folder whose own packages are called as ours are, and are left alone."""
    for name in ("analysis", "recording", "harness", "tests", "locustfiles", "mock_services"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the shop was imported')")
    done = call(installed, tmp_path, "run", "smoke", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr


def test_ready_mappings_of_metrics_come_along(installed: Path, tmp_path: Path) -> None:
    """A file each, which are data and no code."""
    assert "hikaricp" in call(installed, tmp_path, "metrics", "mappings").stdout


def test_files_of_the_current_folder_win(installed: Path, tmp_path: Path) -> None:
    """Limits that a shop wrote for itself, before those of the wheel."""
    (tmp_path / "thresholds.toml").write_text("[nobody]\n")
    assert "thresholds.toml:1: [nobody]" in call(installed, tmp_path, "run", "smoke").stderr


def test_a_gate_in_a_shops_repository_is_no_gate_of_our_mocks(
    installed: Path, tmp_path: Path
) -> None:
    """It says what an arm is, and how services of the shop's are named."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    done = call(installed, tmp_path, "gate")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "revisions of loadgate's own mocks" in done.stderr
    assert "--base url:FILE" in done.stderr


@pytest.mark.live
@pytest.mark.long
def test_a_run_of_the_wheel_passes_beside_a_shops_packages(installed: Path, tmp_path: Path) -> None:
    """The whole chain, with nothing of this tree: mocks, Locust, sampler, judge, reports."""
    (tmp_path / "recording").mkdir()
    (tmp_path / "recording" / "__init__.py").write_text("raise SystemExit('the shop was imported')")
    done = call(installed, tmp_path, "run", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "report.html").stat().st_size > 100_000
