"""Fixtures: services in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mock_process import (
    ANY_CHARGE,
    UNCONNECTED,
    Running,
    Start,
    by_command,
    starter,
    wait_until,
)

from mock_services.table import SERVICES


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """start(service, **settings): one that ends with the test. Latencies are 1/1000."""
    with starter(tmp_path) as begin:
        yield begin


@pytest.fixture
def start_afresh(tmp_path: Path) -> Iterator[Start]:
    """The same by the command: where the process itself is looked at, or its memory."""
    with starter(tmp_path, by_command) as begin:
        yield begin


@pytest.fixture(scope="session")
def shared_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ledger of the shared checkout service."""
    return tmp_path_factory.mktemp("ledger") / "ledger.sqlite"


@pytest.fixture(scope="session")
def shared(
    tmp_path_factory: pytest.TempPathFactory, shared_ledger: Path
) -> Iterator[dict[str, Running]]:
    """All four services, 1000 times faster than real, for tests that change nothing in them."""
    with starter(tmp_path_factory.mktemp("mocks")) as begin:
        lock = begin("inventory_lock", pool_max=50_000)
        yield {
            "inventory_lock": lock,
            "checkout": begin(
                "checkout",
                inventory_lock_url=lock.url,
                ledger_path=str(shared_ledger),
                **UNCONNECTED,
            ),
            "payment": begin(
                "payment",
                gateway_timeout_share=0.0,
                rate_limit_per_s=0.0,
                ledger_commit_interval_s=0.001,
                **ANY_CHARGE,
            ),
            "cart": begin("cart"),
        }


@pytest.fixture
def until() -> Callable[..., Any]:
    """until(condition, timeout_s): wait for it."""
    return wait_until


@pytest.fixture
def tune(shared: dict[str, Running]) -> Iterator[Callable[..., Running]]:
    """tune(service, **settings): a shared service that behaves like that until the test ends."""
    before: dict[str, dict[str, Any]] = {}

    def change(service: str, **settings: Any) -> Running:
        running = shared[service]
        before.setdefault(service, running.configure().json())
        assert running.configure(**settings).status_code == 200
        return running

    yield change
    for service, settings in before.items():
        fixed = SERVICES[service].settings.FIXED_WHILE_RUNNING
        changed = {key: value for key, value in settings.items() if key not in fixed}
        assert shared[service].configure(**changed).status_code == 200
