"""Reads a PostgreSQL's own figures by SQL, from its views ``pg_stat_*`` and ``pg_locks``.

They are of the database that the url names, connections and waiting locks of the whole server; the
sampler's own statements are among them. A role without ``pg_monitor`` sees less, which is no data.
"""

import math
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import psycopg

from harness.system.deadline import NoAnswerError, answered
from recording.metric_names import (
    DB_COMMITS,
    DB_CONNECTIONS,
    DB_CONNECTIONS_MAX,
    DB_DEADLOCKS,
    DB_LAG,
    DB_LOCKS_WAITING,
    DB_REPLICAS,
    DB_ROLLBACKS,
    DB_SLOW,
    STARTED,
)

_FIGURES = f"""
SELECT
    (SELECT sum(numbackends) FROM pg_stat_database) AS {DB_CONNECTIONS},
    current_setting('max_connections') AS {DB_CONNECTIONS_MAX},
    xact_commit AS {DB_COMMITS},
    xact_rollback AS {DB_ROLLBACKS},
    deadlocks AS {DB_DEADLOCKS},
    (SELECT count(*) FROM pg_locks WHERE NOT granted) AS {DB_LOCKS_WAITING},
    extract(epoch FROM pg_postmaster_start_time()) AS {STARTED},
    (SELECT count(*) FROM pg_stat_replication) AS {DB_REPLICAS},
    (
        SELECT max(CASE
            WHEN replay_lsn >= pg_current_wal_lsn() THEN 0 ELSE extract(epoch FROM replay_lag)
        END) FROM pg_stat_replication
    ) AS {DB_LAG}
FROM pg_stat_database WHERE datname = current_database()
"""
_HAS_STATEMENTS = "SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'"
_STATEMENTS = """
SELECT (userid, queryid, toplevel)::text, calls, total_exec_time, max_exec_time
FROM pg_stat_statements(false)
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
AND max_exec_time >= %s
"""
_UNDER_WAY = """
SELECT pid, query_start FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND backend_type = 'client backend'
AND clock_timestamp() - query_start >= %s * interval '1 second'
"""
Kinds = dict[str, tuple[int, float, float]]
"""By statement: calls, and their total and longest time, ms."""


class PostgresFigures:
    """One connection, made anew after every failure; each reading has a deadline."""

    def __init__(self, url: str, within_s: float, slow_s: float) -> None:
        self._url = url
        self._within_s = within_s
        self._slow_s = slow_s
        self._connection: psycopg.Connection[Any] | None = None
        self._slow = 0
        self._kinds: Kinds | None = None
        self._under_way: set[Any] = set()

    def __call__(self) -> Mapping[str, float]:
        """Metrics as ``resources.csv`` has them. Raises NoAnswerError."""
        try:
            return answered(lambda: dict(self._figures()), self._within_s)
        except NoAnswerError:
            self._give_up()
            raise

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()

    def _figures(self) -> Iterator[tuple[str, float]]:
        connection = self._connected()
        with connection.cursor() as cursor:
            found = cursor.execute(_FIGURES.encode()).fetchone()
            names = [column.name for column in cursor.description or ()]
            yield from (
                (n, float(v)) for n, v in zip(names, found or (), strict=True) if v is not None
            )
            source = "pg_stat_activity"
            if cursor.execute(_HAS_STATEMENTS).fetchone():
                source = "pg_stat_statements"
                self._count_ended(cursor)
            else:
                self._count_under_way(cursor)
        yield f"{DB_SLOW}/{source}", float(self._slow)

    def _count_ended(self, cursor: psycopg.Cursor[Any]) -> None:
        """At least so many were slow: all where their mean is, one where the longest grew."""
        rows = cursor.execute(_STATEMENTS, [1000 * self._slow_s]).fetchall()
        now: Kinds = {kind: (calls, total, longest) for kind, calls, total, longest in rows}
        before = now if self._kinds is None else self._kinds
        for kind, (calls, total, longest) in now.items():
            had_calls, had_total, had_longest = before.get(kind, (0, 0.0, 0.0))
            more = calls - had_calls
            if more > 0 and (total - had_total) / more >= 1000 * self._slow_s:
                self._slow += more
            elif longest > had_longest:
                self._slow += 1
        self._kinds = now

    def _count_under_way(self, cursor: psycopg.Cursor[Any]) -> None:
        """Each once, however long it is seen."""
        now = {*cursor.execute(_UNDER_WAY, [self._slow_s]).fetchall()}
        self._slow += len(now - self._under_way)
        self._under_way = now

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                client_encoding="utf8",
                application_name="loadgate sampler",
                connect_timeout=math.ceil(self._within_s),
            )
        return self._connection

    def _give_up(self) -> None:
        """End the connection under whoever still waits on it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with (
                suppress(OSError, psycopg.Error),
                socket.socket(fileno=os.dup(connection.fileno())) as held,
            ):
                held.shutdown(socket.SHUT_RDWR)
