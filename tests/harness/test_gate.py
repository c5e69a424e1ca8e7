"""`loadgate gate` on real services of two revisions, and what it refuses before any load."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.scene.arms import prepared
from recording.errors import ConfigError, RefusedError
from recording.profile import Profile
from recording.profile_file import load_profile
from recording.slots import BASE, HEAD
from tests.harness.conftest import FIXTURES, LIMIT_S, ROOT, git, gone, wait_for

HANDLER = "        return service.add(request, item)\n"
SLOW = "        await asyncio.sleep(0.15)\n" + HANDLER


@pytest.fixture
def profile() -> Profile:
    """The smallest gate."""
    return load_profile(FIXTURES / "tiny_gate.toml")


@pytest.mark.live
def test_a_slow_down_in_code_fails_and_is_named(project: Path) -> None:
    """A branch that sleeps in one handler: exit 3, that endpoint, and the services of both ran."""
    git(project, "checkout", "--quiet", "-b", "slow")
    cart = project / "mock_services" / "cart" / "service.py"
    assert HANDLER in cart.read_text()
    cart.write_text(cart.read_text().replace(HANDLER, SLOW))
    git(project, "commit", "--quiet", "--all", "--message", "slower")
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "gate", "--base", "ref:main", "--head", ".",
         "--profile", str(FIXTURES / "tiny_gate.toml"), "--seed", "1", "--json",
         "--thresholds", str(FIXTURES / "tiny_gate_thresholds.toml")],
        cwd=project, capture_output=True, text=True, timeout=2 * LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout[-3000:] + done.stderr[-3000:]
    verdict = json.loads(done.stdout)
    slower = {breach["subject"] for breach in verdict["breaches"]} - {"journey"}
    assert slower == {"add_to_cart"}
    base, head = verdict["context"]["base"], verdict["context"]["head"]
    assert base["revision"] != head["revision"]
    assert not head["dirty"]
    assert any(line.startswith("add_to_cart") for line in verdict["findings"])


@pytest.mark.live
def test_a_gate_stopped_before_its_load_ends_in_good_order(tmp_path: Path) -> None:
    """Ctrl-C while the services start: a verdict that says so, and no process left."""
    gate = subprocess.Popen(
        [sys.executable, "-m", "harness.cli", "gate", "--base", ".", "--head", ".", "--allow-equal",
         "--profile", str(FIXTURES / "tiny_gate.toml"), "--runs", str(tmp_path)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_for(lambda: list(tmp_path.glob("*/logs/base-checkout.log")))
    below = psutil.Process(gate.pid).children(recursive=True)
    gate.send_signal(signal.SIGINT)
    output, _ = gate.communicate(timeout=LIMIT_S)
    assert gate.returncode == 5, output
    assert "stopped after 0 of 16 rounds" in output
    wait_for(lambda: gone(below))


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("ref:no-such-branch", "no such revision"),
        ("main", "`ref:<git ref>`"),
        ("url:", "`url:<file with service urls>`"),
        ("url:missing.toml", "no such file"),
    ],
)
def test_an_arm_that_cannot_be_is_refused_by_name(profile: Profile, what: str, says: str) -> None:
    """The option, what was given, and what is allowed."""
    with pytest.raises(ConfigError, match=says), prepared(HEAD, what, [], profile, "gate.toml"):
        pass


def test_only_services_may_differ_between_the_arms(profile: Profile) -> None:
    """Another load on one arm would be another measurement."""
    with (
        pytest.raises(ConfigError, match="only services"),
        prepared(HEAD, ".", ["load.processes=3"], profile, "gate.toml"),
    ):
        pass


def test_an_arm_at_urls_keeps_to_the_allow_list(tmp_path: Path, profile: Profile) -> None:
    """The file with urls cannot widen it."""
    file = tmp_path / "shop.toml"
    hosts = "\n".join(f'{name} = "http://shop.example"' for name in ("checkout", "payment", "cart"))
    file.write_text(hosts + '\nallowed_hosts = ["shop.example"]\n')
    with (
        pytest.raises(RefusedError, match=r"shop\.example"),
        prepared(BASE, f"url:{file}", [], profile, "gate.toml"),
    ):
        pass


def test_settings_of_one_arm_leave_the_other(profile: Profile) -> None:
    """`--head-set` reaches head only."""
    with (
        prepared(BASE, ".", [], profile, "gate.toml") as base,
        prepared(HEAD, ".", ["services.cart.latency_scale=0.5"], profile, "gate.toml") as head,
    ):
        assert base.settings["cart"]["latency_scale"] == 0.1
        assert head.settings["cart"]["latency_scale"] == 0.5
        assert head.facts.overrides == ("services.cart.latency_scale=0.5",)
