"""Starting and ending the processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from mock_process import ROOT, Start

from harness.generator.generator import free_port

SERVICES = ("checkout", "payment", "inventory_lock", "cart")
PARENT = """
import subprocess, sys, os, time
child = subprocess.Popen([sys.executable, "-m", "mock_services.serve", "cart", "--port",
                          sys.argv[1], "--parent-pid", str(os.getpid())])
print(child.pid, flush=True)
time.sleep(60)
"""


def answers(port: int) -> bool:
    with suppress(httpx.HTTPError):
        url = f"http://127.0.0.1:{port}/healthz"
        return httpx.get(url, trust_env=False).status_code == 200
    return False


def gone(pid: int) -> bool:
    """Ended; an orphan may stay a zombie where init does not collect it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_plain_uvicorn_starts_all_four(until: Callable[..., Any]) -> None:
    """uvicorn mock_services.X.service:app needs nothing else, and stops in order."""
    uvicorn = (sys.executable, "-m", "uvicorn", "--log-level", "warning")
    ports = {service: free_port() for service in SERVICES}
    processes = [
        subprocess.Popen(
            [*uvicorn, f"mock_services.{service}.service:app", "--port", str(port)],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        for service, port in ports.items()
    ]
    try:
        until(lambda: all(answers(port) for port in ports.values()), 30)
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(15) for process in processes]
    assert all(code in (0, -signal.SIGTERM) for code in codes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_in_order(start_afresh: Start, number: signal.Signals) -> None:
    """Exit code 0, with a started and a stopped event."""
    cart = start_afresh("cart")
    cart.process.send_signal(number)
    assert cart.process.wait(10) == 0
    assert len(cart.events("started")) == len(cart.events("stopped")) == 1


def test_a_request_in_flight_is_answered_before_the_end(
    start_afresh: Start, until: Callable[..., Any]
) -> None:
    """SIGTERM while a request is being worked on: it still gets its answer."""
    table = {"p50_ms": 700, "p95_ms": 700, "p99_ms": 700, "max_ms": 700}
    cart = start_afresh("cart", latency={"add_to_cart": table}, latency_scale=1.0)
    body = {"cart_id": "c", "product_id": "p-00001", "quantity": 1}
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(cart.post, "/api/v2/cart/items", body)
        until(lambda: cart.metric("cart_sessions") == 1)
        cart.process.terminate()
        assert answer.result(10).status_code == 200
    assert cart.process.wait(10) == 0


def test_it_ends_when_its_parent_dies(until: Callable[..., Any]) -> None:
    """kill -9 of the parent: the service is gone within 2 s."""
    port = free_port()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(port)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        until(lambda: answers(port), 30)
        parent.kill()
        parent.wait()
        until(lambda: gone(child), 2.0)
    finally:
        parent.stdout.close()
        parent.kill()
        parent.wait()
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mock_services.serve", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
    )


def test_a_taken_port_is_one_clear_line() -> None:
    """The message names address and reason; exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("cart", "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"cannot listen on 127.0.0.1:{port}: Address already in use"


def test_settings_it_does_not_accept_are_one_clear_line() -> None:
    """The message names the variable, the key and the nearest known one; exit code 2."""
    ended = run("cart", "--port", "0", MOCK_SETTINGS='{"ttl": 5}')
    assert ended.returncode == 2
    assert ended.stderr.strip() == "MOCK_SETTINGS: ttl: unknown key; did you mean ttl_s?"


def test_a_ledger_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    """Not 0, and the log names the file."""
    ended = run("checkout", "--port", "0", MOCK_SETTINGS='{"ledger_path": "/dev/null/x"}')
    assert ended.returncode != 0
    assert "/dev/null/x" in ended.stderr


def test_descriptors_and_garbage_collection_are_set_up(start_afresh: Start) -> None:
    """The soft limit of open files is the hard one."""
    cart = start_afresh("cart")
    if not hasattr(psutil.Process, "rlimit"):
        pytest.skip("needs Linux to look into another process")
    soft, hard = psutil.Process(cart.process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == hard


def test_start_up_freezes_the_garbage_collector(tmp_path: Path) -> None:
    """After start-up, by plain uvicorn too, collections are rare and skip what was there."""
    code = """
import asyncio, gc
from mock_services.cart.service import app
async def main():
    async with app.router.lifespan_context(app):
        print(gc.get_threshold(), gc.get_freeze_count() > 10_000)
asyncio.run(main())
"""
    environment = {**os.environ, "MOCK_EVENTS": str(tmp_path / "events.jsonl")}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=True,
    )
    assert ended.stdout.strip() == "(100000, 50, 100) True"


def test_events_of_two_processes_share_one_file(
    start_afresh: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """t_s counts from the shared epoch, so events of all services are on one clock."""
    monkeypatch.setenv("MOCK_EPOCH_MONOTONIC", "0")
    cart, payment = start_afresh("cart"), start_afresh("payment")
    first, second = cart.events("started")[0], payment.events("started")[0]
    assert (first["source"], second["source"]) == ("cart-service", "payment-gateway")
    assert 0 < first["t_s"] < second["t_s"]
