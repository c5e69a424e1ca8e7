"""harness/generator/handshake.py: who is told the plan, and that a run that is over is no loss."""

import json
import socket
from collections.abc import Iterator
from queue import SimpleQueue

import httpx
import pytest

from harness.generator.generator import Workers, free_port
from harness.generator.handshake import ANY_ADDRESS, LOOPBACK, PLAN_PORT_OFFSET, Master, PlanServer
from mock_services.table import SERVICES
from recording.clock import RunClock
from recording.errors import ConfigError, RunFailedError

TOKEN = "a-token-of-these-tests"
PLAN = {"theirs": False, "urls": {"cart": "http://0.0.0.0:80"}}
ENDS_WITHIN_S = 10.0


@pytest.fixture
def server() -> Iterator[PlanServer]:
    """Of a run whose services are its own, reachable at any address."""
    port = free_port(neighbours=1)
    found = PlanServer(
        ANY_ADDRESS, port + PLAN_PORT_OFFSET, json.dumps(PLAN), RunClock.start(), TOKEN
    )
    yield found
    found.close()


def master_of(server: PlanServer, token: str = TOKEN) -> Master:
    return Master(LOOPBACK, server._server.server_address[1] - PLAN_PORT_OFFSET, token)


def test_services_are_named_by_the_address_that_the_worker_came_to(server: PlanServer) -> None:
    """Nobody can connect to 0.0.0.0 from elsewhere."""
    plan, _ = master_of(server).plan(timeout_s=5)
    assert plan["urls"] == {"cart": "http://127.0.0.1:80"}


def test_services_have_known_ports_where_workers_are_elsewhere() -> None:
    """Those after Locust's and the plan's; among processes of one machine any that are free."""
    elsewhere = Workers(expected=2, host="10.0.0.5", port=5557)
    assert list(elsewhere.ports_for_services) == list(SERVICES)
    assert list(elsewhere.ports_for_services.values()) == [5559, 5560, 5561, 5562]
    assert Workers(expected=2, host=LOOPBACK, port=5557).ports_for_services == {}
    assert Workers().ports_for_services == {}


def test_another_token_is_refused_at_once(server: PlanServer) -> None:
    """It will not become the right one by waiting."""
    with pytest.raises(ConfigError, match="has another token"):
        master_of(server, "another-token-than-that").plan(timeout_s=600)


@pytest.mark.parametrize("path", ["plan", "alive", "refusal", "nothing"])
def test_without_the_token_nothing_is_said(server: PlanServer, path: str) -> None:
    """Neither the plan nor which paths there are; and no reason is taken."""
    url = f"http://127.0.0.1:{server._server.server_address[1]}/{path}"
    for answer in (httpx.get(url), httpx.post(url, content="because")):
        assert (answer.status_code, answer.content) == (401, b"")
    assert server.refusal_so_far() == ""


def test_a_refusal_reaches_the_run(server: PlanServer) -> None:
    """With who refused, and why."""
    master_of(server).refuse("live keys here")
    assert server.refusal_so_far() == "worker at 127.0.0.1 takes no part: live keys here"


def test_a_run_that_is_over_says_so(server: PlanServer) -> None:
    """To whoever still listens, such as a worker that came too late."""
    ended: SimpleQueue[bool] = SimpleQueue()
    master_of(server).watch(ended.put)
    server.closing.set()
    assert ended.get(timeout=ENDS_WITHIN_S) is True


def test_a_master_that_ends_without_a_word_is_lost() -> None:
    """Its kernel closes the connection for it, after beats or before any."""
    for beats in (b"..", b""):
        with socket.create_server((LOOPBACK, 0)) as listener:
            ended: SimpleQueue[bool] = SimpleQueue()
            Master(LOOPBACK, listener.getsockname()[1] - PLAN_PORT_OFFSET, TOKEN).watch(ended.put)
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + beats)
            assert ended.get(timeout=ENDS_WITHIN_S) is False


def test_no_master_is_said_after_the_time_to_wait() -> None:
    """Where it was looked for, and for how long."""
    with pytest.raises(RunFailedError, match=r"no master at http://127\.0\.0\.1:\d+ after 0 s"):
        Master(LOOPBACK, free_port(), TOKEN).plan(timeout_s=0.0)
