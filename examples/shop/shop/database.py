"""SQLite behind a pool: connections are few, and whoever finds none free waits for one."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

SCHEMA = """
CREATE TABLE IF NOT EXISTS teas (sku TEXT PRIMARY KEY, title TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS customers (email TEXT PRIMARY KEY, password TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, email TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lines (
    basket TEXT NOT NULL, sku TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (basket, sku)
);
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, email TEXT NOT NULL, cents INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_of ON orders (email);
"""
TEAS = [
    ("assam", "Assam, strong", 690),
    ("darjeeling", "Darjeeling, first flush", 1290),
    ("oolong", "Oolong from Taiwan", 1450),
    ("sencha", "Sencha", 890),
]
CUSTOMERS = [("ada@example.com", "oolong"), ("grace@example.com", "assam")]
WAITS_S, BUSY_S = 5.0, 30.0
"""For a connection, and, with one, for whoever writes."""


def digest(password: str) -> str:
    """What is kept of a password. (A real shop would take scrypt or argon2.)"""
    return sha256(password.encode()).hexdigest()


class Pool(Collector):
    """At most ``size`` connections, opened when they are first needed."""

    def __init__(self, path: str, size: int = 8) -> None:
        self.path, self.size = path, size
        self.active = self.pending = self.timeouts = 0
        self._idle: list[sqlite3.Connection] = []
        self._changed = threading.Condition()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection; committed at the end, or rolled back."""
        connection = self._take()
        try:
            with connection:
                yield connection
        finally:
            with self._changed:
                self.active -= 1
                self._idle.append(connection)
                self._changed.notify()

    def _take(self) -> sqlite3.Connection:
        with self._changed:
            self.pending += 1
            free = self._changed.wait_for(lambda: self.active < self.size, WAITS_S)
            self.pending -= 1
            if not free:
                self.timeouts += 1
                raise TimeoutError(f"no connection within {WAITS_S:g} s")
            self.active += 1
            return self._idle.pop() if self._idle else self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_S, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def collect(self) -> Iterator[Metric]:
        """As Micrometer writes those of HikariCP, for Prometheus."""
        kinds = (
            (GaugeMetricFamily, "max", self.size),
            (GaugeMetricFamily, "active", self.active),
            (GaugeMetricFamily, "idle", len(self._idle)),
            (GaugeMetricFamily, "pending", self.pending),
            (CounterMetricFamily, "timeout", self.timeouts),
        )
        for kind, name, value in kinds:
            family = kind(f"hikaricp_connections_{name}", "Of the pool.", labels=["pool"])
            family.add_metric(["shop"], value)
            yield family


def prepare(pool: Pool) -> None:
    """Tables, teas and customers; what is there already stays."""
    customers = [(email, digest(password)) for email, password in CUSTOMERS]
    with pool.transaction() as database:
        database.executescript(SCHEMA)
        database.executemany("INSERT OR IGNORE INTO teas VALUES (?, ?, ?)", TEAS)
        database.executemany("INSERT OR IGNORE INTO customers VALUES (?, ?)", customers)
