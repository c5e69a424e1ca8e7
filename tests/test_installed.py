"""loadgate as a wheel in an environment of its own, called from folders that are not its own."""

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from harness.generator.generator import free_port
from tests.harness.conftest import FIXTURES, git
from tests.harness.small_shop import small_shop

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-of-this-test"
OURS_NOT = "a package of the shop was imported"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment that has the wheel: one for all processes of pytest."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    command = shared / "installed" / "venv" / "bin" / "loadgate"
    with (shared / "installed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not command.exists():
            _install(shared / "installed")
    return command


def _install(folder: Path) -> None:
    """Build the wheel and its environment, with this one's packages beside it."""
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


def outside(**more: str) -> dict[str, str]:
    """An environment in which nothing leads to this tree."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return kept | more


def call(command: Path, here: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """In ``here``, with ``more`` in its environment."""
    return subprocess.run(
        [str(command), *words], cwd=here, env=outside(**more), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder whose own packages are called as ours are, and say so when they are imported."""
    for name in ("analysis", "recording", "harness", "tests", "locustfiles", "mock_services"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit({OURS_NOT!r})")
    return tmp_path


def test_profiles_and_thresholds_come_along(installed: Path, shop: Path) -> None:
    """By name, whatever the folder's own packages are called, and even where all Python has it."""
    done = call(installed, shop, "run", "smoke", "--dry-run", PYTHONPATH=".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_shops_packages_are_found_as_before(installed: Path, shop: Path) -> None:
    """Where loadgate is installed beside the shop, in the shop's own environment."""
    done = call(installed.with_name("python"), shop, "-c", "import recording")
    assert OURS_NOT in done.stderr


def test_no_process_of_a_run_takes_a_shops_packages_for_ours(installed: Path, shop: Path) -> None:
    """Master, worker, Locust, mocks, proxy and page, with the shop's folder on Python's path."""
    fault = 'faults=[{at="1s",for="1s",service="cart",kind="latency",latency="1ms"}]'
    few = ("--set", "load.phases.sustained.users=3", "--set", "load.phases.ramp-up.users=3")
    short = "load.phases.sustained.duration=2s"
    limits, port = str(FIXTURES / "tiny_thresholds.toml"), free_port(1)
    run = [
        "run", str(FIXTURES / "tiny.toml"), "--thresholds", limits, "--set", fault, "--set", short,
        *few, "--live-port", "0", "--workers-expected", "1", "--port", str(port), "--token", TOKEN,
    ]  # fmt: skip
    work = ["worker", "--master", f"127.0.0.1:{port}", "--token", TOKEN]
    sides = [
        subprocess.Popen(
            [str(installed), *words], cwd=shop, env=outside(PYTHONPATH=str(shop)),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for words in (run, work)
    ]  # fmt: skip
    said = "".join(side.communicate(timeout=120)[0] for side in sides)
    (found,) = (shop / "runs").glob("*/")
    logs = {path.name: path.read_text(errors="replace") for path in (found / "logs").iterdir()}
    assert {"locust.log", "proxy.log", "page.log", "cart.log"} <= logs.keys()
    assert OURS_NOT not in said + "".join(logs.values())
    assert (found / "report.html").exists(), said
    assert (found / "latency.hlog").stat().st_size > 1_000, said


def test_ready_mappings_of_metrics_come_along(installed: Path, tmp_path: Path) -> None:
    """A file each, which are data and no code."""
    assert "hikaricp" in call(installed, tmp_path, "metrics", "mappings").stdout


def test_init_writes_into_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    """Its templates come along; what is missing is a place that a run names."""
    done = call(installed, tmp_path, "init")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fill in" in done.stdout
    refused = call(installed, tmp_path, "run")
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "loadgate/shop.toml:" in refused.stderr


def test_a_scenario_module_finds_what_it_imports(installed: Path, shop: Path) -> None:
    """Beside packages of the shop's that are called as ours are."""
    (shop / "scenario.py").write_text(
        "from loadgate_scenario import *\n"
        "STEP = Step('home', 'GET', Request('/'))\n"
        "SCENARIO = Scenario((Service('shop'),), (STEP,))\n"
    )
    phases = '[{ name = "p", duration = "1s", users = 1, measured = true }]'
    with small_shop() as url:
        (shop / "own.toml").write_text(
            f'[scenario]\nmodule = "scenario.py"\n[target.urls]\nshop = "{url}"\n'
            f"[load]\nphases = {phases}\n"
        )
        done = call(installed, shop, "run", "own.toml", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"shop at {url}" in done.stdout


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
def test_a_run_of_the_wheel_passes_beside_a_shops_packages(installed: Path, shop: Path) -> None:
    """The whole chain, with nothing of this tree: mocks, Locust, sampler, judge, reports."""
    done = call(installed, shop, "run", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = (shop / "runs").glob("*/")
    assert (run / "report.html").stat().st_size > 100_000
