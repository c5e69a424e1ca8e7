"""What a service must not forget: SQLite, committed in groups.

Whatever was written is in the file when write() returns. In WAL mode a commit is then in the
operating system's hands: it survives `kill -9` of the process (though not a power cut, which a
test bench need not), so nothing waits for the disk. A group takes 0.1 ms, in the event loop: a
thread of its own took five times as much CPU for handing over than SQLite for the work.
"""

import asyncio
import contextlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_services.kit.tally import Tally

Value = str | int | float | bytes | None
Statement = tuple[str, Sequence[Sequence[Value]]]
"""SQL, and the rows it is executed for."""

CACHE_KIB = 512
"""Page cache: full within a minute of load, and constant then."""
CHECKPOINT_PAGES = 200
"""Pages of 4 KB that are moved from the log to the file at once: well below a millisecond."""
COMMIT_BOUNDS_S = (0.001, 0.005, 0.025, 0.1, 0.25, 1.0)


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
        self.commits = Tally(COMMIT_BOUNDS_S)
        """How long each took, s."""
        self._schema = schema
        self._commit_interval_s = commit_interval_s
        self._group: list[_Job] = []
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Create or open the file. Raises LedgerError."""
        if self._temporary:
            self._remove()  # left over from a process that had this pid before
        try:
            # Autocommit: transactions are begun by hand.
            self._connection = sqlite3.connect(self.path, timeout=1.0, isolation_level=None)
            for pragma in (
                "journal_mode=WAL",
                "synchronous=OFF",
                f"cache_size=-{CACHE_KIB}",
                f"wal_autocheckpoint={CHECKPOINT_PAGES}",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(self._schema)
        except sqlite3.Error as error:
            raise LedgerError(f"cannot open {self.path}: {error}") from error

    def close(self) -> None:
        """Commit what is queued and close the file."""
        if self._connection is not None:
            self._commit()
            self._connection.close()
        if self._temporary:
            self._remove()

    async def write(self, *statements: Statement) -> None:
        """Return once all of them are committed together. Raises LedgerError when none is."""
        loop = asyncio.get_running_loop()
        job = _Job(statements, loop.create_future())
        if not self._group:
            loop.call_later(self._commit_interval_s, self._commit)
        self._group.append(job)
        if error := await job.committed:
            raise LedgerError(error)

    def read(self, query: str, *values: Value) -> list[Any]:
        """Rows of what is committed; what is still queued is not among them."""
        return self._open().execute(query, values).fetchall()

    def _commit(self) -> None:
        group, self._group = self._group, []
        error = self._execute(group)
        for job in group:
            # One bad job must not take the others of its group with it.
            alone = self._execute([job]) if error and len(group) > 1 else error
            if not job.committed.done():
                job.committed.set_result(alone)

    def _execute(self, group: Sequence[_Job]) -> str:
        """Commit some jobs; returns an error text, empty when they are committed."""
        connection = self._open()
        began_s = time.perf_counter()
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in group:
                for sql, rows in job.statements:
                    connection.executemany(sql, rows)
            connection.execute("COMMIT")
            if group:
                self.commits.observe(time.perf_counter() - began_s)
        except (sqlite3.Error, OverflowError) as failure:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            return str(failure) or type(failure).__name__
        return ""

    def _open(self) -> sqlite3.Connection:
        assert self._connection is not None, "the ledger is not open"
        return self._connection

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
