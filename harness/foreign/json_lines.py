"""Objects of a file of JSON lines, piece by piece, parsed by polars."""

import io
from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl

from harness.foreign.source import Piece, Source
from recording.files import why


def read_objects(source: Source, piece: Piece, schema: dict[str, Any]) -> pl.DataFrame:
    """The keys of a schema; what is no value of its type is null.

    Raises ConfigError naming the line that is no JSON object.
    """
    if not piece.data or piece.data.isspace():
        return pl.DataFrame(schema=schema)
    try:
        return pl.read_ndjson(io.BytesIO(piece.data), schema=schema, ignore_errors=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        for line, text in _each(piece):
            if not isinstance(_parsed(text), dict):
                source.refuse(line, "is no JSON object")
        source.refuse(piece.line, f"cannot be read from here on: {why(error).splitlines()[0]}")


def value_at(piece: Piece, row: int, keys: tuple[str, ...]) -> tuple[int, object]:
    """Line and value of a key in a row of `read_objects`."""
    for n, (line, text) in enumerate(_each(piece)):
        if n == row:
            found = _parsed(text)
            for key in keys:
                found = found.get(key) if isinstance(found, dict) else None
            return line, found
    return piece.line, None


def is_cut_off(piece: Piece) -> bool:
    """Whether its last line is no JSON."""
    *_, (_, last) = [(0, b""), *_each(piece)]
    return _parsed(last) is None


def _each(piece: Piece) -> Iterator[tuple[int, bytes]]:
    lines = enumerate(piece.data.split(b"\n"), piece.line)
    return ((line, text) for line, text in lines if text.strip())


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
