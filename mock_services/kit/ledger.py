"""What a service must not forget: SQLite, committed in groups by a thread of its own.

Whatever was written is in the file when write() returns. In WAL mode a commit is then in the
operating system's hands: it survives `kill -9` of the process (though not a power cut, which a
test bench need not), so nothing waits for the disk.
"""

import asyncio
import contextlib
import os
import queue
import sqlite3
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Value = str | int | float | bytes | None
Statement = tuple[str, Sequence[Sequence[Value]]]
"""SQL, and the rows it is executed for."""

CACHE_KIB = 512
"""Page cache of each of the two connections: full within a minute of load, and constant then."""


class LedgerError(Exception):
    """Something could not be written (for example: disk full)."""


@dataclass(frozen=True, slots=True)
class _Job:
    """Statements that take effect together."""

    statements: tuple[Statement, ...]
    committed: asyncio.Future[str]
    """Its result is an error text, or an empty one."""


class Ledger:
    """One file with the tables of `schema`; open() and close() bracket its use.

    `path` none is a file named after `name` and the process, removed at close().
    """

    def __init__(self, path: Path | None, name: str, schema: str, commit_interval_s: float) -> None:
        self._temporary = path is None
        folder = Path(tempfile.gettempdir())
        self.path = path or folder / f"loadgate-{name}-{os.getpid()}.sqlite"
        self._schema = schema
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
            self._reader.executescript(self._schema)
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

    async def write(self, *statements: Statement) -> None:
        """Return once all of them are committed together. Raises LedgerError when none is."""
        job = _Job(statements, asyncio.get_running_loop().create_future())
        self._jobs.put(job)
        if error := await job.committed:
            raise LedgerError(error)

    def read(self, query: str, *values: Value) -> list[Any]:
        """Rows of what is committed; what is still queued is not among them."""
        assert self._reader is not None, "the ledger is not open"
        return self._reader.execute(query, values).fetchall()

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
        if job is not None:
            time.sleep(self._commit_interval_s)
        with contextlib.suppress(queue.Empty):
            while job is not None:
                group.append(job)
                job = self._jobs.get_nowait()
            return group, False
        return group, True

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions are begun by hand. The writer's connection is made in the thread
    # that opens the ledger, so that a file that cannot be opened stops the service's start.
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    return connection


def _commit(connection: sqlite3.Connection, group: Sequence[_Job]) -> None:
    error = _execute(connection, group)
    if error and len(group) > 1:
        # One bad job must not take the others of its group with it.
        for job in group:
            _tell([job], _execute(connection, [job]))
    elif group:
        _tell(group, error)


def _execute(connection: sqlite3.Connection, group: Sequence[_Job]) -> str:
    """Commit a group; returns an error text, empty when it is committed."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        for job in group:
            for sql, rows in job.statements:
                connection.executemany(sql, rows)
        connection.execute("COMMIT")
    except (sqlite3.Error, OverflowError) as failure:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        return str(failure) or type(failure).__name__
    return ""


def _tell(group: Sequence[_Job], error: str) -> None:
    """Tell who waits; from the writer's thread, in one go."""
    with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
        group[0].committed.get_loop().call_soon_threadsafe(_settle, group, error)


def _settle(group: Sequence[_Job], error: str) -> None:
    for job in group:
        if not job.committed.done():
            job.committed.set_result(error)
