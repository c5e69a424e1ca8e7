"""harness/scene/preflight.py and the refusals: before the first user, in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli
from harness.generator import generator
from harness.generator.generator import expected_rate, processes_for
from harness.scene import disk, preflight
from recording.errors import ConfigError, RefusedError
from recording.profile_file import load_profile

ROOT = Path(__file__).parents[2]
HERE = Path()
SMOKE = ROOT / "profiles" / "smoke.toml"
PEAK = load_profile(ROOT / "profiles" / "bf2025-peak.toml")
URLS = [f"target.{name}=http://shop.example:80" for name in ("checkout", "payment", "cart")]


def loadgate(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ, "COLUMNS": "300"},
    )


def test_a_host_outside_the_allow_list_is_refused() -> None:
    """Load never goes where the profile does not allow it."""
    with pytest.raises(RefusedError, match=r"shop\.example.* not in target\.allowed_hosts"):
        preflight.check_safety(load_profile(SMOKE, URLS))


def test_a_host_on_the_list_is_allowed() -> None:
    """The list decides, not the address."""
    preflight.check_safety(load_profile(SMOKE, [*URLS, "target.allowed_hosts=['shop.example']"]))


def test_a_proxy_outside_the_allow_list_is_refused() -> None:
    """All of the load goes there."""
    profile = load_profile(SMOKE, ["target.proxy=http://proxy.example:3128"])
    with pytest.raises(RefusedError, match=r"'proxy\.example' is not in target\.allowed_hosts"):
        preflight.check_safety(profile)


def test_proxies_of_the_environment_are_said_not_to_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By name, never by what may hold a password; empty ones are none."""
    for name in os.environ:
        if name.upper() in preflight.PROXY_VARIABLES:
            monkeypatch.delenv(name)
    assert preflight.proxies_unheeded("") == ""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy.example")
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    monkeypatch.setenv("ALL_PROXY", "")
    assert preflight.proxies_unheeded("") == (
        "HTTPS_PROXY, http_proxy of the environment: not used, services are asked directly; "
        "target.proxy names one to go through"
    )
    assert preflight.proxies_unheeded("http://127.0.0.1:3128").endswith(
        "not used, requests go through http://127.0.0.1:3128"
    )


@pytest.mark.parametrize(
    "override", ["description=sk_live_abc", "services.payment.note=sk_live_abc"]
)
def test_a_live_key_anywhere_in_the_profile_is_refused(override: str) -> None:
    """Wherever it stands."""
    with pytest.raises(RefusedError, match="live key"):
        preflight.check_safety(load_profile(SMOKE, [override]))


def test_a_live_key_in_the_environment_is_refused() -> None:
    """STRIPE_API_KEY is what the shop's own tools read."""
    done = loadgate("run", "smoke", STRIPE_API_KEY="sk_live_abc")
    assert done.returncode == 2
    assert "live key" in done.stderr


@pytest.fixture
def three_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each user, as the seed's shop has three services that users talk to."""
    for module in (generator, preflight):
        monkeypatch.setattr(module, "connections_per_user", lambda _profile: 3)


@pytest.mark.usefixtures("three_connections")
def test_too_few_descriptors_are_named_with_the_command_that_helps() -> None:
    """12,000 users with three connections each do not fit into 4,000 open files."""
    (text,) = [t for t in preflight.shortages(PEAK, 2, 4_000, HERE) if "descriptors" in t]
    assert "12000 users on 2 Locust process(es) need 18500" in text
    assert "ulimit -n 18500" in text


def test_enough_of_everything_is_no_shortage() -> None:
    """A small profile fits anywhere."""
    assert preflight.shortages(load_profile(SMOKE), 1, 20_000, HERE) == []


def test_too_little_memory_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 MB free do not hold 12,000 users."""

    class Little:
        available = 100 * 2**20

    monkeypatch.setattr(preflight.psutil, "virtual_memory", Little)
    assert any("short of memory" in text for text in preflight.shortages(PEAK, 2, 20_000, HERE))


def test_too_little_room_for_the_recording_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """48 hours of the peak do not fit into 100 MB, smoke does; the folder need not be there yet."""
    two_days = load_profile(ROOT / "profiles" / "bf2025.toml")
    monkeypatch.setattr(disk, "free_bytes", lambda _: 100 * 2**20)
    monkeypatch.setattr(preflight, "free_bytes", disk.free_bytes)
    (text,) = [t for t in preflight.shortages(two_days, 2, 50_000, tmp_path) if "disk" in t]
    assert "100 MB are free" in text
    assert "--runs" in text
    assert preflight.shortages(load_profile(SMOKE), 1, 20_000, tmp_path) == []
    monkeypatch.undo()
    assert disk.free_bytes(tmp_path / "not" / "there") > 0
    assert preflight.shortages(load_profile(SMOKE), 1, 20_000, tmp_path / "not" / "there") == []


def test_a_starved_machine_gives_an_invalid_run_that_says_what_was_short(tmp_path: Path) -> None:
    """Under `ulimit -n 4000` the peak is not tried: INVALID, exit 4, short of descriptors."""
    command = (
        f"ulimit -n 4000; exec {sys.executable} -m harness.cli run bf2025-peak --runs {tmp_path}"
    )
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 4
    assert "short of descriptors" in done.stdout


@pytest.mark.usefixtures("three_connections")
def test_the_peak_needs_two_locust_processes_for_its_descriptors() -> None:
    """36,000 connections do not fit into one process of 20,000 files."""
    assert processes_for(PEAK, 20_000, cores=2) == 2
    assert processes_for(PEAK, 100_000, cores=1) == 1


def test_the_peaks_rate_is_the_seeds() -> None:
    """12,000 users with a journey every 40.3 s make 1,043 requests/s."""
    assert expected_rate(PEAK) == pytest.approx(1043, rel=0.005)


def test_a_target_that_does_not_answer_is_a_usage_error() -> None:
    """Named before anything starts."""
    with pytest.raises(ConfigError, match=r"target\.checkout = http://127\.0\.0\.1:9.* not answer"):
        preflight.check_answers({"checkout": "http://127.0.0.1:9"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "smokey"], "did you mean 'smoke'?"),
        (["run", "none.toml"], "none.toml: no such file"),
        (["run", "smoke", "--set", "services.cart.evicton=lazy"], "did you mean 'eviction'?"),
        (["run", "smoke", "--set", "services.card.ttl_s=1"], "did you mean 'cart'?"),
        (["run", "smoke", "--set", "services.cart.eviction=eager"], "'scheduled' or 'lazy'"),
        (["run", "smoke", "--thresholds", "none.toml"], "none.toml"),
        (["analyze", "nowhere"], "nowhere: no such run directory"),
        (["analyze", "tests/fixtures", "--inconclusive", "maybe"], "write 'pass' or 'fail'"),
        (["worker", "--master", "localhost:x"], "write HOST or HOST:PORT"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_clear_line_and_exit_2(
    words: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No traceback; the message says what is allowed."""
    monkeypatch.setattr(sys, "argv", ["loadgate", *words])
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_a_taken_port_is_named() -> None:
    """`loadgate mocks` on a port in use says which and what to do."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = loadgate("mocks", "--port-base", str(port))
    assert done.returncode == 2
    assert f"port {port} for checkout-service is taken" in done.stderr
