"""A table of results from a file: our JSON or CSV, Locust's CSV files, k6's summary JSON.

Numbers are taken as they are written, digit for digit: their rounding is part of what they say.
"""

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from analysis.published.k6 import from_k6
from analysis.published.locust import FILES, Kind, Row, from_locust, kind_of
from analysis.published.table import Published
from recording.errors import ConfigError
from recording.given_files import read_given_text
from recording.profile_file import build

MAX_BYTES = 256 * 2**20
"""Locust writes 40 MB of history in 48 hours."""
KINDS = "our JSON or CSV (docs/audit.md), Locust's CSV files, or k6's summary JSON"
TOTAL = "total"
"""Of our CSV: the name of a row that is of all endpoints together."""


def read_published(path: Path) -> Published:
    """The table in ``path``. Raises ConfigError naming the file, the key and what is allowed."""
    text = _text(path)
    if text.lstrip().startswith("{"):
        table = _json(text, path)
        if isinstance(table.get("metrics"), dict):
            table = from_k6(table, str(path))
    else:
        table = _csv(text, path)
    return build(Published, table, str(path))


def _text(path: Path) -> str:
    return read_given_text(path, MAX_BYTES).removeprefix("\ufeff")


def _json(text: str, path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=_no_number,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise ConfigError(f"{path}: cannot be read as JSON: nested too deeply") from None
    except ValueError as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from None
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(k for k in keys if keys.count(k) > 1)!r} is there twice")
    return made


def _csv(text: str, path: Path) -> dict[str, Any]:
    rows = _rows(text, path)
    kind = kind_of(rows[0])
    if kind is not None:
        return from_locust({kind: rows, **_siblings(path, kind)}, str(path))
    if "name" not in rows[0]:
        raise ConfigError(f"{path}: no table of results: it may be {KINDS}")
    said = [{key: value for key, value in row.items() if value} for row in rows]
    return {
        "endpoints": [row for row in said if row.get("name") != TOTAL],
        "totals": [_unnamed(row) for row in said if row.get("name") == TOTAL],
    }


def _unnamed(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "name"}


def _rows(text: str, path: Path) -> list[Row]:
    """At least one. Raises ConfigError naming a line with fields too many or too few."""
    try:
        rows: list[dict[Any, Any]] = list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise ConfigError(f"{path}: cannot be read as CSV: {error}") from None
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ConfigError(f"{path}: row {number} has not as many fields as the header")
    if not rows:
        raise ConfigError(f"{path}: no table of results: it may be {KINDS}")
    return [{key.strip(): value.strip() for key, value in row.items()} for row in rows]


def _siblings(path: Path, kind: Kind) -> dict[Kind, list[Row]]:
    """What Locust wrote beside it, by its names for the files."""
    if not path.name.endswith(FILES[kind]):
        return {}
    stem = path.name.removesuffix(FILES[kind])
    beside = {other: path.with_name(stem + name) for other, name in FILES.items() if other != kind}
    return dict(_existing(beside.items()))


def _existing(beside: Iterable[tuple[Kind, Path]]) -> Iterable[tuple[Kind, list[Row]]]:
    for kind, path in beside:
        if path.exists():
            text = _text(path)
            if text.count("\n") > 1:  # no failures: a header
                yield kind, _rows(text, path)
