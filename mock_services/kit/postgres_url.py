"""The address of a PostgreSQL, as a setting."""

import re
from importlib.util import find_spec
from typing import Annotated

from pydantic import AfterValidator, SecretStr

EXTRA = "pip install 'loadgate[postgres]'"
_SHAPE = re.compile(
    r"postgres(?:ql)?://(?:[^\s/?#@]+@)?[^\s/?#@]*/[^\s/?#]+(?:\?[^\s?#]*)?", re.ASCII
)


def _reachable(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if not _SHAPE.fullmatch(text):
        raise ValueError("must be postgresql://USER@HOST:PORT/DATABASE")
    if "password=" in text.lower():
        raise ValueError("a password stands before the @, in PGPASSWORD or in ~/.pgpass")
    if find_spec("psycopg") is None:
        raise ValueError(f"needs a driver that is not installed: {EXTRA}")
    return url


PostgresUrl = Annotated[SecretStr, AfterValidator(_reachable)]
"""With user and database; its password is shown nowhere."""
