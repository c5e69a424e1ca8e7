"""The PostgreSQL that keeps a run's orders: whether it is there, its schema, a copy at the end.

The schema is the run's own. It is dropped once its orders lie in the run directory, and left where
they could not be copied. Imports the driver, an extra, only where there is such a database.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.system.deadline import NoAnswerError, answered
from recording.errors import ConfigError, RefusedError
from recording.ledger_copy import TABLES, columns_of, copy_orders
from recording.metric_names import ORDERS_DB
from recording.rundir import RunDir
from recording.secrets import redact
from recording.written import Written, as_written

if TYPE_CHECKING:
    import psycopg

OWNER, KEY = "checkout", "ledger"
ANSWER_WITHIN_S = 5.0
RECOVERED_WITHIN_S = 20.0
"""What a server that was killed may take until its orders can be copied."""
COPIED_WITHIN_S = 300.0
LONGEST_NAME, STAMPED = 63, len("loadgate-20251127-080000-")
"""Of a PostgreSQL identifier, in characters; what is kept of one that is cut begins so."""
_MAY_CREATE = "SELECT has_database_privilege(current_database(), 'CREATE'), current_user"


@dataclass(frozen=True, slots=True)
class OrdersDb:
    """One arm's; "" in ``subject`` outside a paired run. ``copy`` is where its orders will lie."""

    subject: str
    url: str = field(repr=False)
    schema: str
    copy: Path

    def settle(self) -> str:
        """Copy the orders into the run and drop the schema; why that failed, else ""."""
        try:
            self._recovered()
            answered(self._copy, COPIED_WITHIN_S)
        except NoAnswerError as error:
            return _first_line(error)
        return ""

    def _recovered(self) -> None:
        """Wait until it takes connections. Raises NoAnswerError."""
        deadline_s = time.monotonic() + RECOVERED_WITHIN_S
        while True:
            try:
                return answered(lambda: _connected(self.url).close(), ANSWER_WITHIN_S)
            except NoAnswerError:
                if time.monotonic() >= deadline_s:
                    raise
                time.sleep(0.2)

    def _copy(self) -> None:
        import psycopg
        from psycopg.sql import SQL, Identifier

        with _connected(self.url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            copy_orders(self.copy, {table: self._rows(connection, table) for table in TABLES})
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(self.schema)))

    def _rows(self, connection: "psycopg.Connection[Any]", table: str) -> Iterator[Sequence[Any]]:
        from psycopg.sql import SQL, Identifier

        columns = SQL(", ").join(map(Identifier, columns_of(table)))
        query = SQL("SELECT {} FROM {}").format(columns, Identifier(self.schema, table))
        with connection.cursor(name=table) as cursor:
            yield from cursor.execute(query)


def orders_dbs(
    settings: Mapping[str, Mapping[str, Any]], run: RunDir | None, arm: str
) -> tuple[OrdersDb, ...]:
    """Of these services of a run; none where their ledger is a file."""
    url = settings.get(OWNER, {}).get(KEY)
    if run is None or not url:
        return ()
    subject = f"{ORDERS_DB}@{arm}".rstrip("@")
    return (OrdersDb(subject, url, schema_of(run, arm), run.orders_of(arm)),)


def schema_of(run: RunDir, arm: str) -> str:
    """Named after the run; of a long name the middle, the profile's, is left out."""
    name = f"loadgate-{run.root.name}-{arm}".rstrip("-")
    return name if len(name) <= LONGEST_NAME else name[:STAMPED] + name[STAMPED - LONGEST_NAME :]


def check_orders_db(
    settings: Mapping[str, Mapping[str, Any]], allowed_hosts: Sequence[str], where: Written | str
) -> None:
    """Raises RefusedError for a host that nobody allowed, ConfigError where no schema can be made.

    ``where`` is what the settings were written in.
    """
    url = settings.get(OWNER, {}).get(KEY)
    if not url:
        return
    at = f"{as_written(where, {}).where(('services', OWNER, KEY))}: services.{OWNER}.{KEY}"
    for host in _hosts(url):
        if host not in allowed_hosts:
            raise RefusedError(
                f"{at}: host {host!r} is not in target.allowed_hosts ({', '.join(allowed_hosts)})"
            )
    try:
        allowed, role = answered(lambda: _privilege(url), ANSWER_WITHIN_S)
    except NoAnswerError as error:
        raise ConfigError(f"{at}: does not answer ({redact(_first_line(error))})") from None
    if not allowed:
        raise ConfigError(f"{at}: role {role!r} may not create a schema there (GRANT CREATE)")


def _hosts(url: str) -> Iterator[str]:
    """Every machine that it may lead to; a socket's path is on this one."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    for key in ("host", "hostaddr"):
        names = str(parts.get(key) or "").split(",")
        yield from (name for name in names if name and not name.startswith("/"))


def _privilege(url: str) -> tuple[bool, str]:
    with _connected(url) as connection:
        allowed, role = connection.execute(_MAY_CREATE).fetchone() or (False, "")
        return allowed, role


def _connected(url: str) -> "psycopg.Connection[Any]":
    import psycopg

    within_s = round(ANSWER_WITHIN_S)
    return psycopg.connect(
        url, connect_timeout=within_s, client_encoding="utf8", application_name="loadgate"
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
