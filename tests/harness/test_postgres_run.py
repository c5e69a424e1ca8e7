"""A run whose orders a real PostgreSQL keeps, which is killed in the middle of it."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.harness.conftest import FIXTURES, Run, StartRun, repeated_when_starved
from tests.postgres_server import Server, missing, serving

pytestmark = pytest.mark.live

PASSWORD = "open-sesame"
LIMITS = """
[checkout-service]
errors = ["error_rate < 0.1 %"]
[orders]
orders = ["lost == 0"]
[orders-db]
database = ["outages == 0", "connections < 90 %"]
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """One that may be killed; it asks for no password."""
    if why := missing():
        pytest.skip(why)
    with serving() as found:
        yield found


def orders_seen(run: Run) -> set[str]:
    """Those that clients saw confirmed so far."""
    path = run.root / "ledger" / "confirmed.csv"
    lines = path.read_text().splitlines() if path.exists() else []
    return {row["order_id"] for row in csv.DictReader(lines)}


def orders_kept(run: Run) -> set[str]:
    """Those of the copy of the ledger."""
    with closing(sqlite3.connect(run.root / "ledger" / "orders.sqlite")) as ledger:
        return {row[0] for row in ledger.execute("SELECT order_id FROM orders")}


def files_with(text: str, folder: Path) -> list[str]:
    return [str(p) for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


@repeated_when_starved
def test_a_database_that_is_killed_loses_no_order_and_is_the_breach(
    start_run: StartRun, server: Server, tmp_path: Path
) -> None:
    """FAIL with its outage named, never INVALID for it; every order a client saw is in the copy."""
    limits = tmp_path / "limits.toml"
    limits.write_text(LIMITS)
    url = server.url.replace("lt@", f"lt:{PASSWORD}@")
    told = ("--set", f"services.checkout.ledger={url}")
    longer = ("--set", "load.phases.sustained.duration=6s")
    run = start_run(*told, *longer, profile=FIXTURES / "short.toml", limits=limits)
    run.wait_for(lambda: len(orders_seen(run)) > 5)
    server.kill()
    run.wait_for(lambda: any(e["event"] == "sample_failed" for e in run.events()))
    before = orders_seen(run)
    server.start()
    run.wait_for(lambda: len(orders_seen(run) - before) > 5)
    code, verdict = run.finish(), run.verdict()
    assert (code, verdict["invalid_reasons"]) == (3, [])
    breaches = {b["subject"]: b["because"] for b in verdict["breaches"]}
    assert "gave no answer between T+" in breaches["orders-db"]
    assert "was started anew in it" in breaches["orders-db"]
    assert any("LedgerUnavailable" in finding for finding in verdict["findings"])
    rows = {row["rule"]: row["outcome"] for row in verdict["rules"]}
    assert (rows["lost == 0"], rows["connections < 90 %"]) == ("PASS", "PASS")
    assert orders_seen(run) <= orders_kept(run)
    assert files_with(PASSWORD, run.root) == []
    assert server.ask("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'loadgate-%'") == []
