"""Reads what clients know of their orders: those they saw confirmed, and those they did not."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from recording.clock import is_moment
from recording.files import read_regular
from recording.orders import CONFIRMED_HEADER, UNCONFIRMED_HEADER

Schema = Mapping[str, Any]
CONFIRMED_SCHEMA: Schema = {"t_s": pl.Float64, "order_id": pl.String, "arm": pl.String}
UNCONFIRMED_SCHEMA: Schema = {
    "t_s": pl.Float64, "checkout_id": pl.String, "payment_id": pl.String, "arm": pl.String,
}  # fmt: skip
_CONFIRMED_HEADERS = (CONFIRMED_HEADER, CONFIRMED_HEADER.replace(",arm", ""))
"""Today's, and that of older runs, which had no arms."""


def read_confirmed(path: Path) -> tuple[pl.DataFrame, int]:
    """Columns ``t_s``, ``order_id``, ``arm`` ("" outside a paired run), and the damaged lines.

    A missing file is empty. Raises OSError for anything else that is no readable file.
    """
    try:
        data = read_regular(path)
    except FileNotFoundError:
        data = b""
    return _read(data, _CONFIRMED_HEADERS, CONFIRMED_SCHEMA)


def read_unconfirmed(path: Path) -> tuple[pl.DataFrame | None, int]:
    """Columns ``t_s``, ``checkout_id``, ``payment_id``, ``arm``, and the damaged lines.

    None without a file: nobody noted them. Raises OSError as `read_confirmed` does.
    """
    try:
        return _read(read_regular(path), (UNCONFIRMED_HEADER,), UNCONFIRMED_SCHEMA)
    except FileNotFoundError:
        return None, 0


def _read(data: bytes, headers: tuple[str, ...], schema: Schema) -> tuple[pl.DataFrame, int]:
    header, newline, rows = data.partition(b"\n")
    if header + newline not in [known.encode() for known in headers]:
        return pl.DataFrame(schema=schema), int(bool(data))
    whole, newline, cut = rows.rpartition(b"\n")
    text = (whole + newline).decode(errors="surrogateescape")
    found = list(_records(text, cells=header.count(b",") + 1, ids=len(schema) - 2))
    sound = [record for record in found if record is not None]
    damaged = len(found) - len(sound) + bool(cut)
    return pl.DataFrame(sound, schema=schema, orient="row"), damaged


def _records(text: str, cells: int, ids: int) -> Iterator[tuple[float | str, ...] | None]:
    """Time, ids and arm of each line; None for one that is damaged."""
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            moment, *texts = found = next(lines)
            "".join(texts).encode()  # what was no UTF-8 is none now
            sound = len(found) == cells and is_moment(float(moment)) and all(texts[:ids])
            yield (float(moment), *texts[:ids], "".join(texts[ids:])) if sound else None
        except StopIteration:
            return
        except (csv.Error, ValueError):
            yield None
