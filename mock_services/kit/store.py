"""Where a service keeps what it must not forget, asked in one way whatever it is kept in."""

from typing import Any, Protocol

from mock_services.kit.ledger import Ledger, Statement, Value
from mock_services.kit.tally import Tally


class Store(Protocol):
    """Tables that are asked in SQL, with ``?`` for each value; every method raises LedgerError."""

    @property
    def commits(self) -> Tally:
        """How long each commit took, s."""

    async def open(self) -> None:
        """Reach it, and create what tables are missing."""

    async def close(self) -> None:
        """Leave nothing queued."""

    async def write(self, *statements: Statement) -> None:
        """Return once all of them are committed together."""

    async def read(self, query: str, *values: Value) -> list[Any]:
        """Rows of what is committed."""


class FileStore:
    """A SQLite file; reading it waits for nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.commits = ledger.commits
        self.write = ledger.write

    async def open(self) -> None:
        self._ledger.open()

    async def close(self) -> None:
        self._ledger.close()

    async def read(self, query: str, *values: Value) -> list[Any]:
        return self._ledger.read(query, *values)
