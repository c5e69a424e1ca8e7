"""`loadgate run` and `loadgate gate` of a shop in its own repository, under load."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.harness.conftest import FIXTURES, LIMIT_S, ROOT, gone, wait_for
from tests.harness.shop_repository import CART, SHOP, SLOW_CART, branch, shop_in
from tests.processes import words_of

LIMITS = FIXTURES / "tiny_gate_thresholds.toml"


def started(shop: Path, *words: str) -> "subprocess.Popen[str]":
    """The command, in the shop's repository."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *words, "--thresholds", str(LIMITS)],
        cwd=shop, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def servers(harness: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The shop's processes so far."""
    below = psutil.Process(harness.pid).children(recursive=True)
    return [p for p in below if "shop:app" in " ".join(words_of(p))]


def verdict(shop: Path) -> dict[str, Any]:
    """Of its only run."""
    (stored,) = shop.glob("runs/*/verdict.json")
    found: dict[str, Any] = json.loads(stored.read_bytes())
    return found


@pytest.mark.live
def test_a_shop_that_crashes_under_load_is_named(tmp_path: Path) -> None:
    """INVALID, with how it ended; what is left of it ends too."""
    shop = shop_in(tmp_path, users=3, think="500ms")
    run = started(shop, "run", "loadgate/gate.toml")
    wait_for(lambda: [p for p in shop.glob("runs/*/events.jsonl") if "measured" in p.read_text()])
    kin = servers(run)
    kin[0].kill()
    said, _ = run.communicate(timeout=LIMIT_S)
    assert run.returncode == 4, said
    assert "shop died (exit code 137)" in said
    wait_for(lambda: gone(kin))


@pytest.mark.live
def test_ctrl_c_ends_a_shop_that_is_not_ready(tmp_path: Path) -> None:
    """At once, in good order, and nothing of it is left."""
    shop = shop_in(tmp_path, arm='ready = "/never"')
    branch(shop, "more", {"shop.py": SHOP + "# more\n"})
    gate = started(shop, "gate", "--profile", "loadgate/gate.toml")
    kin = wait_for(lambda: servers(gate))
    gate.send_signal(signal.SIGINT)
    said, _ = gate.communicate(timeout=LIMIT_S)
    assert gate.returncode == 5, said
    wait_for(lambda: gone(kin))


@pytest.mark.live
@pytest.mark.long
def test_a_slow_down_in_a_shop_of_ones_own_fails_and_is_named(tmp_path: Path) -> None:
    """A branch with 30 ms in one handler against its merge base: exit 3, and that step."""
    shop = shop_in(tmp_path)
    branch(shop, "slow", {"shop.py": SHOP.replace(CART, SLOW_CART)})
    gate = started(shop, "gate", "--profile", "loadgate/gate.toml", "--seed", "1")
    said, _ = gate.communicate(timeout=2 * LIMIT_S)
    assert gate.returncode == 3, said
    found = verdict(shop)
    assert {breach["subject"] for breach in found["breaches"]} - {"journey"} == {"add_to_cart"}
    base, head = found["context"]["base"], found["context"]["head"]
    assert base["revision"] != head["revision"]
    assert found["context"]["git"]["revision"] == head["revision"]
    costs = [c for c in found["costs"] if c["metric"] in ("cpu_per_request", "memory_slope")]
    assert len(costs) == 6
    assert all(cost["base"] is not None for cost in costs)
    (run,) = shop.glob("runs/*/")
    assert {path.name for path in (run / "logs").iterdir()} >= {"base-shop.log", "head-shop.log"}
