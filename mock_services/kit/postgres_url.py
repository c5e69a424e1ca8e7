"""The address of a PostgreSQL, as a setting."""

import re
from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator, SecretStr

EXTRA = "pip install 'loadgate[postgres]'"
NEEDED = "must be postgresql://USER@HOST:PORT/DATABASE"
_SHAPE = re.compile(
    r"postgres(?:ql)?://(?:[^\s/?#@]+@)?[^\s/?#@]*/[^\s/?#]+(?:\?[^\s?#]*)?", re.ASCII
)


def _reachable(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if not _SHAPE.fullmatch(text):
        raise ValueError(NEEDED)
    if "password=" in text.lower():
        raise ValueError("a password stands before the @, in PGPASSWORD or in ~/.pgpass")
    if find_spec("psycopg") is None:
        raise ValueError(f"needs a driver that is not installed: {EXTRA}")
    _parse(text)
    return url


def _parse(text: str) -> None:
    from psycopg import ProgrammingError  # of the extra
    from psycopg.conninfo import conninfo_to_dict

    try:
        has_host = "host" in conninfo_to_dict(text)
    except ProgrammingError as error:
        raise ValueError(str(error).strip()) from None
    if not has_host:
        raise ValueError(NEEDED)


PostgresUrl = Annotated[SecretStr, AfterValidator(_reachable)]
"""With user and database; its password is shown nowhere."""
