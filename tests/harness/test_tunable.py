"""What can be tuned and what is refused; and commands that bring a setting into force."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from analysis.tuning.asked import Budget
from harness.run.applying import Commanding
from harness.scene.scene import Scene
from harness.scene.tunable import (
    budget_of,
    full_settings,
    multiples,
    settings_of,
    share,
    their_settings,
)
from recording.errors import ConfigError, RunFailedError
from recording.profile import Profile, Tune

TOLD = full_settings({"inventory_lock": {"pool_max": 64}}, "profile")
NOWHERE = Scene(None, {}, {})


def test_a_setting_is_read_with_its_unit_and_what_is_in_force() -> None:
    """By its name or the one that people use."""
    (pool,) = settings_of(["inventory_lock.pool_max"], ["50..400"], TOLD)
    assert (pool.low, pool.high, pool.present, pool.unit) == (50, 400, 64, "connections")
    (ttl,) = settings_of(["inventory-lock.ttl_seconds"], ["10..300"], TOLD)
    assert (ttl.key, ttl.present, ttl.cheaper) == ("checkout.lock_ttl_s", 300, "more")
    (threshold,) = settings_of(["inventory_lock.autoscaler.threshold"], ["40..90"], TOLD)
    assert (threshold.key, threshold.whole) == ("inventory_lock.scale_threshold_percent", False)


@pytest.mark.parametrize(
    ("names", "ranges", "said"),
    [
        (["inventory_lock.pool_mx"], ["50..400"], "pool_max"),
        (["inventory.pool_max"], ["50..400"], "inventory_lock"),
        (["inventory_lock.pool_max"], ["50-400"], "50..400"),
        (["inventory_lock.pool_max"], ["400..50"], "below the second"),
        (["inventory_lock.pool_max"], ["0..50"], "above 0"),
        (["inventory_lock.pool_max"], ["1.5..50"], "whole number"),
        (["inventory_lock.replicas"], ["1..500"], "100"),
        (["inventory_lock.pool_max"], [], "one for each"),
        (["inventory_lock.pool_max"] * 2, ["1..5", "1..5"], "twice"),
        (["inventory_lock.hold"], ["1..5"], "no number"),
        (["checkout.lock_connections_max"], ["1..5"], "cannot be changed"),
    ],
)
def test_what_cannot_be_tuned_is_refused_by_name(
    names: list[str], ranges: list[str], said: str
) -> None:
    """Before anything starts, with what is allowed."""
    with pytest.raises(ConfigError, match=said):
        settings_of(names, ranges, TOLD)


OWN = Profile.model_validate(
    {
        "name": "own",
        "load": {"phases": [{"name": "on", "duration": 1, "users": 1, "measured": True}]},
        "arm": {"start": "shop --port {port}", "environment": {"POOL_SIZE": "8", "MODE": "fast"}},
    }
)


def test_a_variable_of_a_shop_is_what_arm_says_or_today() -> None:
    """With the unit that its name has; a number of which there is half is no whole one."""
    (pool,) = their_settings(["cart.POOL_SIZE"], ["2..40"], [], OWN)
    assert (pool.key, pool.present, pool.unit, pool.whole) == (
        "cart.POOL_SIZE", 8, "connections", True,
    )  # fmt: skip
    assert (pool.text(8), pool.text(1)) == ("8 connections", "1 connection")
    (wait,) = their_settings(["cart.WAIT_S"], ["0.5..4"], [1.0], OWN)
    assert (wait.present, wait.unit, wait.whole) == (1, "s", False)


@pytest.mark.parametrize(
    ("names", "today", "said"),
    [
        (["cart.POOL_SIZ"], [], "say what cart.POOL_SIZ is today"),
        (["cart.MODE"], [], "say what cart.MODE is today"),
        (["carts.POOL_SIZE"], [8.0], "unknown service 'carts'; did you mean 'cart'"),
        (["cart.pool size"], [8.0], "a variable that"),
        (["cart"], [8.0], "a variable that"),
        (["cart.POOL_SIZE"], [8.0, 9.0], "one for each"),
    ],
)
def test_a_shop_s_setting_is_refused_by_name(
    names: list[str], today: list[float], said: str
) -> None:
    """Before anything starts."""
    with pytest.raises(ConfigError, match=said):
        their_settings(names, ["2..40"] * len(names), today, OWN)


def test_shares_multiples_and_budgets_are_read_as_meant() -> None:
    """Or refused with an example."""
    assert share("--headroom", "20%") == 0.2
    assert multiples(["1.5x", "2x"]) == (1.0, 1.5, 2.0)
    assert budget_of("2..5", 400, 0.25) == Budget(2, 5, 400, 0.25)
    assert budget_of(None, None, 0.25) is None
    for call in (
        lambda: share("--headroom", "0.2"),
        lambda: share("--headroom", "100%"),
        lambda: multiples(["150%"]),
        lambda: budget_of("5..2", 400, 0.25),
        lambda: budget_of("2..5", None, 0.25),
    ):
        with pytest.raises(ConfigError):
            call()


@pytest.fixture
def ready() -> Iterator[str]:
    """A url that answers 503 twice, and then 200."""
    asked = iter((503, 503))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(next(asked, 200))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/healthz"
    server.shutdown()
    thread.join()
    server.server_close()


def _commanding(command: str, ready: str = "", within: float = 10.0) -> Commanding:
    load = {"model": "arrivals", "phases": [{"name": "on", "duration": 1, "arrivals_per_s": 1,
                                             "measured": True}]}  # fmt: skip
    profile = Profile.model_validate({"name": "own", "load": load})
    return Commanding(profile, Tune(apply=command, ready=ready, within=within))


def test_a_command_has_the_value_and_is_waited_for(tmp_path: Path, ready: str) -> None:
    """Value and key are filled in, and the service is ready afterwards."""
    note = tmp_path / "note"
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    command = f'{sys.executable} -c "{code}" {note} {{setting}}={{value}}'
    _commanding(command, ready)(NOWHERE)({"inventory_lock.pool_max": 90}, threading.Event())
    assert note.read_text() == "inventory_lock.pool_max=90"


def test_a_command_is_told_whole_numbers_as_they_are_and_where_the_service_is(
    tmp_path: Path,
) -> None:
    """A million is not 1e+06; afterwards it is told what was in force, and only if it changed."""
    note = tmp_path / "note"
    code = "import sys; print(*sys.argv[2:], file=open(sys.argv[1], 'a'))"
    commanding = _commanding(f'{sys.executable} -c "{code}" {note} {{url}} {{value}}')
    commanding.put_back({"shop.pool": 5})
    apply = commanding(Scene(None, {"shop": "http://127.0.0.1:8000/v1"}, {}))
    apply({"shop.pool": 1_234_567}, threading.Event())
    commanding.put_back({"shop.pool": 5})
    lines = note.read_text().splitlines()
    assert lines == ["http://127.0.0.1:8000/v1 1234567", "http://127.0.0.1:8000/v1 5"]


@pytest.mark.parametrize(
    ("command", "within", "said"),
    [
        (f"{sys.executable} -c \"import sys; sys.exit('no such deployment')\"", 10.0, "no such"),
        ("/no/such/command {value}", 10.0, "No such file"),
        (f'{sys.executable} -c "import time; time.sleep(60)"', 0.3, "longer than 0.3 s"),
    ],
)
def test_a_command_that_fails_ends_the_search_with_why(
    command: str, within: float, said: str
) -> None:
    """Its last words, and no hanging."""
    with pytest.raises(RunFailedError, match=said):
        _commanding(command, within=within)(NOWHERE)(
            {"inventory_lock.pool_max": 90}, threading.Event()
        )


def test_a_service_that_never_is_ready_ends_the_search() -> None:
    """At the deadline."""
    with pytest.raises(RunFailedError, match="not ready in time"):
        _commanding(f'{sys.executable} -c ""', "http://127.0.0.1:9/", 0.5)(NOWHERE)(
            {}, threading.Event()
        )
