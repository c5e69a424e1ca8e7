"""Reads what clients know of their orders: those they saw confirmed, and those they did not."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from recording.clock import LATEST_S, is_moment
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
    cells, ids = header.count(b",") + 1, len(schema) - 2
    table = _as_table(whole + newline, cells, schema)
    if table is not None:
        return table, int(bool(cut))
    text = (whole + newline).decode(errors="surrogateescape")
    found = list(_records(text, cells, ids))
    sound = [record for record in found if record is not None]
    damaged = len(found) - len(sound) + bool(cut)
    return pl.DataFrame(sound, schema=schema, orient="row"), damaged


def _as_table(rows: bytes, cells: int, schema: Schema) -> pl.DataFrame | None:
    """Whole lines read at once, as 48 hours have millions; None where one is not plain or sound.

    With as many commas as cells need, and no line that has more, none has fewer.
    """
    if any(mark in rows for mark in (b'"', b"\r")) or not rows:
        return None
    if rows.count(b",") != (cells - 1) * rows.count(b"\n"):
        return None
    texts = dict.fromkeys([*schema][:cells], pl.String)
    try:
        found = pl.read_csv(rows, has_header=False, schema=texts, quote_char=None)
    except pl.exceptions.PolarsError:  # too many cells, or no UTF-8
        return None
    moment = pl.col("t_s").cast(pl.Float64, strict=False)
    table = found.select(
        moment,
        *(pl.col(name) for name in [*schema][1:-1]),
        (pl.col("arm") if "arm" in texts else pl.lit("")).fill_null("").alias("arm"),
    )
    in_time = pl.col("t_s").is_between(0, LATEST_S).all()
    sound = not any(table.null_count().row()) and table.select(in_time).item()
    return table if sound else None


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
