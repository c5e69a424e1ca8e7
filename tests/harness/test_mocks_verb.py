"""`loadgate mocks`, and those that ask and change what it serves from another terminal."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest

from harness.generator.generator import free_port
from harness.scene import behaviour
from harness.scene.running import Running, noted, notes_folder, the_running
from mock_services.table import SERVICES
from recording.errors import ConfigError, RunFailedError
from tests.faults.fault import Seen
from tests.faults.in_process import loadgate
from tests.harness.conftest import wait_for
from tests.processes import words_of

LOADGATE = (sys.executable, "-m", "harness.cli")
QUICK = [word for key in SERVICES for word in ("--set", f"services.{key}.latency_scale=0.01")]


@dataclass
class Serving:
    """A `loadgate mocks` of this test, with a runtime and a temporary folder of its own."""

    process: "subprocess.Popen[str]"
    folder: Path
    base: int

    @property
    def note(self) -> Path:
        return self.folder / "loadgate" / f"mocks-{self.base}.json"

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.folder)

    def mocks(self, *words: str) -> Seen:
        """`loadgate mocks ...` as from another terminal, and what it prints."""
        with patch.dict("os.environ", self.environment):
            return loadgate("mocks", *words)

    def service(self, name: str) -> psutil.Process:
        below = psutil.Process(self.process.pid).children()
        return next(each for each in below if name in words_of(each))

    def in_force(self, key: str) -> Any:
        (value,) = json.loads(self.mocks("get", key, "--json").text).values()
        return value


def environment(folder: Path) -> dict[str, str]:
    here = {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder), "COLUMNS": "300"}
    return os.environ | here


def serve(folder: Path) -> Serving:
    """Once others can find it, and all is printed."""
    base = free_port(neighbours=len(SERVICES) - 1)
    with (folder / "printed").open("w") as printed:
        command = [*LOADGATE, "mocks", "--port-base", str(base), *QUICK]
        process = subprocess.Popen(
            command, stdout=printed, stderr=subprocess.STDOUT, env=environment(folder), text=True
        )
    found = Serving(process, folder, base)
    wait_for(lambda: process.poll() is not None or "Ctrl-C stops" in said(found))
    assert process.poll() is None, said(found)
    return found


def said(serving: Serving) -> str:
    return (serving.folder / "printed").read_text()


def end(serving: Serving) -> int:
    if serving.process.poll() is None:
        serving.process.terminate()
    return serving.process.wait(20)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One for all tests that leave it as it was."""
    found = serve(tmp_path_factory.mktemp("serving"))
    yield found
    end(found)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Serving]:
    """One that a test may break."""
    found = serve(tmp_path)
    yield found
    end(found)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_the_lines_that_it_prints_work(serving: Serving) -> None:
    """All of them, in a shell: products, a lock, and a purchase to its confirmation."""
    lines = [line for line in said(serving).splitlines() if "curl -s" in line]
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join([*lines[:2], *(f"echo; {line}" for line in lines[2:])])],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    products, _, rest = done.stdout.partition('"lock_id"')
    assert '"products"' in products
    assert '"subtotal"' in rest
    assert {'"pending"' in done.stderr, '"succeeded"' in done.stderr} == {True}, done
    assert done.stdout.rstrip().endswith("}")
    assert '"status":"confirmed"' in done.stdout, done


def test_only_its_user_can_read_the_note(serving: Serving) -> None:
    """The token is in it."""
    assert stat.S_IMODE(serving.note.stat().st_mode) == 0o600
    assert stat.S_IMODE(serving.note.parent.stat().st_mode) == 0o700
    assert json.loads(serving.note.read_text())["admin_token"] in said(serving)


def test_several_services_are_changed_at_once_and_say_so(serving: Serving) -> None:
    """By their keys; values as in a profile, and a percentile leaves the others."""
    done = serving.mocks(
        "set", "inventory_lock.pool_max=150", "services.cart-service.eviction=lazy",
        "payment.latency.charge.p99_ms=950", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.text
    assert json.loads(done.text) == [
        {"key": "inventory_lock.pool_max", "before": 2000, "after": 150},
        {"key": "cart.eviction", "before": "scheduled", "after": "lazy"},
        {"key": "payment.latency.charge.p99_ms", "before": 890, "after": 950},
    ]
    assert serving.in_force("inventory_lock.pool_max") == 150
    assert serving.in_force("payment.latency.charge.p95_ms") == 612
    command = [*LOADGATE, "mocks", "set", "inventory_lock.pool_max=2000", "cart.eviction=scheduled"]
    back = subprocess.run(command, capture_output=True, text=True, env=serving.environment)
    assert back.stdout.splitlines() == [
        "inventory_lock.pool_max  150 → 2000",
        'cart.eviction  "lazy" → "scheduled"',
    ]


def test_what_is_refused_changes_nothing_in_any_service(serving: Serving) -> None:
    """Exit 2 with every refusal; the good changes beside them are not made either."""
    done = serving.mocks(
        "set", "inventory_lock.pool_max=77", "payment.pol_max=1", "cart.ttl_s=1e-310"
    )
    assert done.exit_code == 2
    assert "services.payment: pol_max: unknown key; did you mean pool_max?" in done.text
    assert "services.cart: ttl_s: must be greater than or equal to 0.001" in done.text
    assert serving.in_force("inventory_lock.pool_max") == 2000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["set", "carts.ttl_s=1"], "unknown key 'services.carts'; did you mean 'cart'?"),
        (["set", "cart=1"], "services.cart=1: write a table"),
        (["set", "cart.ttl_s"], "write key=value"),
        (["set", "cart.seed=1"], "seed: cannot be changed while running"),
        (["set", f"cart.session_bytes={2**70}"], "session_bytes: must be less than"),
        (["set", "cart.ttl_s=nan"], "ttl_s: must be a finite number"),
        (["get", "cart.tl_s"], "did you mean 'ttl_s'?"),
        (["get", "cart.ttl_s.x"], "unknown key 'cart.ttl_s.x'"),
        (["--seed", "1", "status"], "write options behind 'status'"),
        (["status", "--port-base", "1"], "no mocks are running at --port-base 1, but at"),
    ],
)
def test_what_is_wrong_is_named(serving: Serving, words: list[str], says: str) -> None:
    """In one line, exit 2."""
    done = serving.mocks(*words)
    assert (done.exit_code, says in done.text) == (2, True), done.text


def test_a_service_that_fails_midway_leaves_the_others_as_they_were(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was changed before it is changed back."""
    running = Running.model_validate_json(serving.note.read_text())
    asked = behaviour._asked

    def failing(r: Any, mock: Any, method: str, body: Any = None, check: bool = False) -> Any:
        if mock.subject == "payment-gateway" and method == "POST" and not check:
            raise RunFailedError("gone")
        return asked(r, mock, method, body, check)

    monkeypatch.setattr(behaviour, "_asked", failing)
    tables = {"inventory_lock": {"pool_max": 5}, "payment": {"pool_max": 5}}
    with pytest.raises(RunFailedError, match="gone"):
        behaviour.change_all(running, tables)
    assert serving.in_force("inventory_lock.pool_max") == 2000


def test_status_has_health_pools_and_memory(serving: Serving) -> None:
    """Of each service; one that stands still does not answer."""
    found = json.loads(serving.mocks("status", "--json").text)
    assert "admin_token" not in found
    assert set(found["mocks"]) == set(SERVICES)
    assert all(m["healthy"] and m["rss_bytes"] > 2**20 for m in found["mocks"].values())
    assert found["mocks"]["payment"]["pools"] == {
        "processor/0": {"active": 0, "max": 100, "waiting": 0}
    }
    cart = serving.service("cart")
    cart.suspend()
    try:
        printed = serving.mocks("status").text
    finally:
        cart.resume()
    rows = [line for line in printed.splitlines() if "http://" in line]
    assert ["no answer" in row for row in rows] == ["cart-service" in row for row in rows]


def test_of_several_one_is_chosen(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --port-base both are named."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(serving.folder))
    mine = Running.model_validate_json(serving.note.read_text())
    with noted(mine.model_copy(update={"port_base": 7})):
        with pytest.raises(ConfigError, match=rf"--port-base \(7, {serving.base}\)"):
            the_running(None)
        assert the_running(7).port_base == 7
        assert serving.mocks("status", "--port-base", str(serving.base)).exit_code == 0
    assert the_running(None) == mine


def test_the_note_of_a_dead_one_is_noticed_and_removed(own: Serving) -> None:
    """Killed, it could not take it along."""
    below = psutil.Process(own.process.pid).children()
    own.process.send_signal(signal.SIGKILL)
    own.process.wait(10)
    assert own.note.exists()
    done = own.mocks("status")
    assert (done.exit_code, own.note.exists()) == (2, False)
    assert "no mocks are running: start them with `loadgate mocks`" in done.text
    psutil.wait_procs(below, timeout=10)


def test_the_log_of_a_dead_mock_stays_and_is_named(own: Serving) -> None:
    """In full, with its end; the others end in order."""
    own.service("cart").kill()
    assert own.process.wait(20) == 4
    (line,) = [line for line in said(own).splitlines() if "cart-service died (signal 9)" in line]
    log = Path(line.partition("; ")[2].removesuffix(" ends with:"))
    assert log.is_absolute()
    assert log.read_text().splitlines()[-1].strip() in said(own)
    assert not own.note.exists()


def test_stopped_in_order_it_leaves_nothing(own: Serving) -> None:
    """No note, no logs."""
    assert end(own) == 0
    assert not own.note.exists()
    assert not list(own.folder.glob("loadgate-*"))


@pytest.mark.parametrize(
    ("runtime", "state", "expected"),
    [
        ("/run/user/1", "/s", "/run/user/1/loadgate"),
        ("", "/s", "/s/loadgate"),
        ("relative", "", "~/.local/state/loadgate"),
    ],
)
def test_notes_lie_where_the_user_alone_can_look(
    runtime: str, state: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the XDG base directories say; a relative path there is none."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    monkeypatch.setenv("XDG_STATE_HOME", state)
    assert notes_folder() == Path(expected).expanduser()
