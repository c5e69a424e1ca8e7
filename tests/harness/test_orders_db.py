"""harness/scene/orders_db.py: what is refused beforehand, and the copy at the end."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.scene import orders_db
from harness.scene.orders_db import LONGEST_NAME, OrdersDb, check_orders_db, schema_of
from harness.scene.services import service_settings
from mock_services.checkout.ledger import Checkout, CheckoutLedger, Order
from mock_services.checkout.settings import CheckoutSettings
from recording.errors import ConfigError, RefusedError
from recording.ledgers import read_orders
from recording.rundir import RunDir
from recording.target import Target
from tests.postgres_server import Server

HOSTS = Target().allowed_hosts
SCHEMA = "loadgate-20251127-080000-black-friday-1a2b3c4d"


def told(url: Any) -> dict[str, dict[str, Any]]:
    return {"checkout": {"ledger": url}}


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mysql://lt@127.0.0.1/shop", "must be postgresql://USER@HOST:PORT/DATABASE"),
        ("postgresql://127.0.0.1", "must be postgresql://USER@HOST:PORT/DATABASE"),
        ("postgresql:///shop", "must be postgresql://USER@HOST:PORT/DATABASE"),
        (5432, "write text in quotes"),
        ("postgresql://127.0.0.1/shop?password=sesam", "in PGPASSWORD"),
        ("postgresql://127.0.0.1/shop?sslmood=on", "invalid URI query parameter"),
    ],
)
def test_an_address_that_is_none_is_refused_by_key(url: Any, what: str) -> None:
    """Before anything starts, and without its password."""
    with pytest.raises(ConfigError, match=r"^p\.toml: services\.checkout\.ledger = ") as refused:
        service_settings(told(url), "p.toml")
    assert what in str(refused.value)


def test_without_the_driver_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, and no traceback."""
    monkeypatch.setattr("mock_services.kit.postgres_url.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'loadgate\[postgres\]'"):
        service_settings(told("postgresql://lt@127.0.0.1/shop"), "p.toml")


def test_a_host_that_nobody_allowed_is_refused() -> None:
    """Whatever part of the address names it."""
    for url in ("postgresql://lt@shop.example/db", "postgresql://127.0.0.1/db?hostaddr=192.0.2.1"):
        with pytest.raises(RefusedError, match=r"target\.allowed_hosts"):
            check_orders_db(told(url), HOSTS, "p.toml")


def test_a_server_that_does_not_answer_is_refused_without_its_password() -> None:
    """Nobody listens on port 9."""
    with pytest.raises(ConfigError, match="does not answer") as refused:
        check_orders_db(told("postgresql://lt:sesam@127.0.0.1:9/db"), HOSTS, "p.toml")
    assert "sesam" not in str(refused.value)


def test_a_role_that_may_create_nothing_is_refused(postgres: Server) -> None:
    """By its name."""
    with suppress(psycopg.errors.DuplicateObject):
        postgres.ask("CREATE ROLE reader LOGIN")
    check_orders_db(told(postgres.url), HOSTS, "p.toml")
    with pytest.raises(ConfigError, match="role 'reader' may not create a schema"):
        check_orders_db(told(postgres.url.replace("lt@", "reader@")), HOSTS, "p.toml")


def test_a_schema_is_named_after_its_run(tmp_path: Path) -> None:
    """Of a long profile's the token stays, and the moment."""
    run = RunDir(tmp_path / "20251127-080000-smoke-1a2b3c4d")
    assert schema_of(run, "head") == "loadgate-20251127-080000-smoke-1a2b3c4d-head"
    name = schema_of(RunDir(tmp_path / f"20251127-080000-{'x' * 99}-1a2b3c4d"), "")
    assert len(name) == LONGEST_NAME
    assert name.startswith("loadgate-20251127-080000-x")
    assert name.endswith("x-1a2b3c4d")


@pytest.fixture
def full(postgres: Server, tmp_path: Path) -> Iterator[OrdersDb]:
    """A run's database with two orders of limited stock, and the shop gone."""
    settings = CheckoutSettings(ledger=postgres.url, ledger_schema=SCHEMA)

    async def sell() -> None:
        ledger = CheckoutLedger(settings)
        await ledger.store.open()
        for number in (1, 2):
            checkout = Checkout(number, "user", "lock", {"SKU-1": number}, 100, 0.0)
            await ledger.start(checkout)
            order = Order(f"o-{number}", f"c-{number}", "pay", "user", 1.5, "req", 100)
            await ledger.sell(order, checkout, 7)
        await ledger.store.close()

    asyncio.run(sell())
    yield OrdersDb("orders-db", postgres.url, SCHEMA, tmp_path / "orders.sqlite")
    postgres.ask(f'DROP SCHEMA IF EXISTS "{SCHEMA}" CASCADE')


def schemas(server: Server) -> list[Any]:
    return server.ask("SELECT 1 FROM pg_namespace WHERE nspname = %s", SCHEMA)


def test_orders_are_copied_as_the_judge_reads_them_and_the_schema_is_dropped(
    full: OrdersDb, postgres: Server
) -> None:
    """Orders, what they cost, and what there was in stock."""
    assert full.settle() == ""
    found = read_orders(full.copy)
    assert found is not None
    assert found.orders.rows() == [(1.5, f"o-{n}", f"c-{n}", "pay", 100) for n in (1, 2)]
    assert found.stock is not None
    assert found.stock.rows() == [("SKU-1", 7, 3)]
    assert schemas(postgres) == []


def test_a_copy_that_fails_is_no_copy_and_leaves_the_schema(
    full: OrdersDb, postgres: Server
) -> None:
    """No file, not one without orders; whoever wants them finds them where they were."""
    postgres.ask(f'ALTER TABLE "{SCHEMA}".orders RENAME COLUMN order_id TO id')
    assert 'column "order_id" does not exist' in full.settle()
    assert [*full.copy.parent.iterdir()] == []
    assert schemas(postgres)


def test_a_server_that_is_gone_is_waited_for_and_then_given_up(
    full: OrdersDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why; there is no file."""
    monkeypatch.setattr(orders_db, "RECOVERED_WITHIN_S", 0.5)
    gone = OrdersDb(full.subject, "postgresql://lt@127.0.0.1:9/db", full.schema, full.copy)
    assert "refused" in gone.settle()
    assert not full.copy.exists()
