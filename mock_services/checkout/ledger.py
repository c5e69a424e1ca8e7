"""The orders of record: SQLite, committed in groups by a thread of its own.

An order is confirmed to the client only after its group is committed. In WAL mode with
synchronous=NORMAL a commit is in the operating system's hands when it returns: it survives
`kill -9` of the process (though not a power cut, which a test bench need not).
"""

import asyncio
import contextlib
import os
import queue
import sqlite3
import tempfile
import threading
import time
from dataclasses import astuple, dataclass
from pathlib import Path

GROUP_MAX_ROWS = 200

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    order_id    TEXT PRIMARY KEY,
    checkout_id TEXT UNIQUE NOT NULL,
    payment_id  TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    created_t_s REAL NOT NULL,
    request_id  TEXT NOT NULL
)
"""
_INSERT = "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)"


class LedgerError(Exception):
    """An order could not be written (for example: disk full)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One row."""

    order_id: str
    checkout_id: str
    payment_id: str
    user_id: str
    created_t_s: float
    request_id: str


@dataclass(frozen=True, slots=True)
class _Job:
    order: Order
    committed: asyncio.Future[str]
    """Its result is an error text, or an empty one."""

    def done(self, error: str) -> None:
        """Tell who waits; from the writer's thread."""
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            self.committed.get_loop().call_soon_threadsafe(_settle, self.committed, error)


class Ledger:
    """Appends orders to one file. open() and close() bracket its use."""

    def __init__(self, path: Path | None, commit_interval_s: float) -> None:
        self._temporary = path is None
        self.path = path or Path(tempfile.gettempdir()) / f"loadgate-orders-{os.getpid()}.sqlite"
        self._commit_interval_s = commit_interval_s
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reader: sqlite3.Connection | None = None
        self._writer: threading.Thread | None = None

    def open(self) -> None:
        """Create or open the file and start the writer. Raises LedgerError."""
        if self._temporary:
            self._remove()  # left over from a process that had this pid before
        try:
            self._reader = _connect(self.path)
            self._reader.execute(_SCHEMA)
            connection = _connect(self.path)
        except sqlite3.Error as error:
            raise LedgerError(f"cannot open {self.path}: {error}") from error
        self._writer = threading.Thread(
            target=self._write, args=(connection,), name="ledger", daemon=True
        )
        self._writer.start()

    def close(self) -> None:
        """Commit what is queued and close the file."""
        if self._writer is not None:
            self._jobs.put(None)
            self._writer.join()
        if self._reader is not None:
            self._reader.close()
        if self._temporary:
            self._remove()

    async def append(self, order: Order) -> None:
        """Return once the order is committed. Raises LedgerError when it could not be."""
        job = _Job(order, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        if error := await job.committed:
            raise LedgerError(error)

    def order_of(self, checkout_id: str) -> str | None:
        """Order id of a confirmed checkout."""
        return self._first("SELECT order_id FROM orders WHERE checkout_id = ?", checkout_id)

    def last_order_id(self) -> str | None:
        """The order id confirmed last, over all processes that wrote this file."""
        return self._first("SELECT order_id FROM orders ORDER BY rowid DESC LIMIT 1")

    def highest_checkout_id(self) -> str | None:
        """The highest checkout id with an order (longer ids are higher)."""
        return self._first(
            "SELECT checkout_id FROM orders ORDER BY length(checkout_id) DESC, checkout_id DESC"
            " LIMIT 1"
        )

    def _first(self, query: str, *values: str) -> str | None:
        assert self._reader is not None, "the ledger is not open"
        row = self._reader.execute(query, values).fetchone()
        return None if row is None else str(row[0])

    def _write(self, connection: sqlite3.Connection) -> None:
        with contextlib.closing(connection):
            more = True
            while more:
                group, more = self._next_group()
                _commit(connection, group)

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for a job, and then a moment for others; False after the last one."""
        job = self._jobs.get()
        group: list[_Job] = []
        until_s = time.monotonic() + self._commit_interval_s
        while job is not None:
            group.append(job)
            if len(group) >= GROUP_MAX_ROWS:
                return group, True
            try:
                job = self._jobs.get(timeout=max(0.0, until_s - time.monotonic()))
            except queue.Empty:
                return group, True
        return group, False

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions are begun by hand. The writer's connection is made in the thread
    # that opens the ledger, so that a file that cannot be opened stops the service's start.
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def _commit(connection: sqlite3.Connection, group: list[_Job]) -> None:
    error = _insert(connection, group)
    if error and len(group) > 1:
        # One bad order must not take the others of its group with it.
        for job in group:
            job.done(_insert(connection, [job]))
        return
    for job in group:
        job.done(error)


def _insert(connection: sqlite3.Connection, group: list[_Job]) -> str:
    """Commit a group; returns an error text, empty when it is committed."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, [astuple(job.order) for job in group])
        connection.execute("COMMIT")
    except sqlite3.Error as failure:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        return str(failure) or type(failure).__name__
    return ""


def _settle(future: asyncio.Future[str], error: str) -> None:
    if not future.done():
        future.set_result(error)
