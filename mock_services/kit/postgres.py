"""What a service must not forget, in a schema of a PostgreSQL.

Whatever was written is committed when write() returns, in a transaction of its own: a server that
is killed has it after its recovery. While there is no server nothing is recorded, and whoever asks
is told so at once; the first request after its return finds it.
"""

import asyncio
import os
import select
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Identifier

from mock_services.kit.ledger import COMMIT_BOUNDS_S, LedgerError, Statement, Value
from mock_services.kit.tally import Tally

WITHIN_S = 2.0
"""Longest wait for a connection and what is asked on it: as for one of checkout's own pool."""
ALWAYS_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'
"""
Connection = AsyncConnection[Any]


class PostgresStore:
    """Tables of one schema; open() and close() bracket its use.

    `schema` "" is one named after `name` and the process, dropped at close().
    """

    def __init__(self, url: str, schema: str, name: str, tables: str, connections: int) -> None:
        self._url = url
        self._name = f"loadgate {name}"
        self._temporary = not schema
        self._schema = Identifier(schema or f"loadgate-{name}-{os.getpid()}")
        self._tables = tables
        self._free = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []
        self.commits = Tally(COMMIT_BOUNDS_S)

    async def open(self) -> None:
        """Create what is missing. Raises LedgerError."""
        async with self._connection() as connection, connection.transaction():
            if self._temporary:  # left over from a process that had this pid before
                await self._drop(connection)
            await connection.execute(SQL("CREATE SCHEMA IF NOT EXISTS {}").format(self._schema))
            await connection.execute(self._tables.encode())

    async def close(self) -> None:
        """End the connections. Raises LedgerError."""
        try:
            if self._temporary:
                async with self._connection() as connection:
                    await self._drop(connection)
        finally:
            for connection in self._idle:
                await connection.close()

    async def write(self, *statements: Statement) -> None:
        """Return once all of them are committed together. Raises LedgerError.

        Then none is, unless the server was lost between the commit and its answer.
        """
        async with self._connection() as connection:
            began_s = time.perf_counter()
            async with connection.pipeline(), connection.transaction(), connection.cursor() as one:
                for sql, rows in statements:
                    await one.executemany(_ours(sql), rows)
            self.commits.observe(time.perf_counter() - began_s)

    async def read(self, query: str, *values: Value) -> list[Any]:
        """Rows of what is committed. Raises LedgerError."""
        async with self._connection() as connection:
            return await (await connection.execute(_ours(query), values)).fetchall()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with asyncio.timeout(WITHIN_S), self._free:
                connection = await self._taken()
                try:
                    yield connection
                finally:
                    await self._put_back(connection)
        except TimeoutError:
            raise LedgerError(f"PostgreSQL did not answer within {WITHIN_S:g} s") from None
        except psycopg.Error as error:
            raise LedgerError(f"PostgreSQL: {_first_line(error)}") from error

    async def _taken(self) -> Connection:
        while self._idle:
            if _is_alive(connection := self._idle.pop()):
                return connection
            await connection.close()
        connection = await AsyncConnection.connect(
            self._url, autocommit=True, client_encoding="utf8", application_name=self._name
        )
        await connection.execute(ALWAYS_DURABLE)
        await connection.execute(SQL("SET search_path TO {}").format(self._schema))
        return connection

    async def _put_back(self, connection: Connection) -> None:
        if connection.info.transaction_status is TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            await connection.close()

    async def _drop(self, connection: Connection) -> None:
        await connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(self._schema))


def _is_alive(connection: Connection) -> bool:
    """Whether the server has said nothing: on an idle connection that is its end."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _ours(sql: str) -> bytes:
    """With the placeholders of this database."""
    return sql.replace("?", "%s").encode()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
