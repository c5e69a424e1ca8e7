"""Columns of a CSV file by name, piece by piece, parsed by polars.

Polars says that something is wrong, and not in which line; only then the piece is read once more,
record by record.
"""

import csv
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from harness.foreign.source import MOST_RECORD_BYTES, Piece, Source
from recording.files import why

_COLUMN = "{}"
"""Columns go by their numbers: a file may name two alike."""
Types = Mapping[str, Any]
"""Columns that are wanted, and the polars type that each is read as."""


@dataclass(frozen=True, slots=True)
class CsvTable:
    """``columns`` as they stand in the file; ``header`` whether its first record names them."""

    columns: tuple[str, ...]
    delimiter: str = ","
    header: bool = True

    def read(self, source: Source, piece: Piece, types: Types) -> pl.DataFrame:
        """The wanted columns of a piece; what is no value of its type is null.

        Raises ConfigError naming the line that has another number of fields.
        """
        data, skipped = self._records(piece)
        if not data or data.isspace():
            return pl.DataFrame(schema=dict(types))
        names = [_COLUMN.format(n) for n in range(len(self.columns) + 1)]
        places = {name: names[self.columns.index(name)] for name in types}
        beyond = names[-1]
        known = {
            place: types.get(name, pl.String)
            for name, place in zip(self.columns, names, strict=False)
        }
        header = self.delimiter.join(names).encode() + b"\n"
        try:
            with warnings.catch_warnings(record=True) as said:
                found = pl.read_csv(
                    io.BytesIO(header + data), separator=self.delimiter,
                    schema=known | {beyond: pl.String}, columns=[*places.values(), beyond],
                    ignore_errors=True, encoding="utf8" if data.isascii() else "utf8-lossy",
                )  # fmt: skip
            wrong = str(said[0].message) if said else ""
        except pl.exceptions.PolarsError as error:
            wrong = why(error)
        if wrong or found[beyond].null_count() < found.height:
            self._refuse_record(source, piece)
            first = wrong.partition("\n")[0] or "its fields and columns do not fit"
            source.refuse(piece.line + skipped, f"cannot be read from here on: {first}")
        return found.select(pl.col(place).alias(name) for name, place in places.items())

    def cell(self, piece: Piece, row: int, column: str) -> tuple[int, str]:
        """Line and text of a column in a row of `read`."""
        for n, (line, record) in enumerate(self._each(piece)):
            if n == row:
                place = self.columns.index(column)
                return line, record[place] if place < len(record) else ""
        return piece.line, ""

    def first(self, head: bytes, column: str) -> str:
        """The column in the first record of a file's beginning; "" without one."""
        place = self.columns.index(column)
        records = (record for _, record in self._each(Piece(head, 1)) if record)
        return next((r[place] for r in records if place < len(r)), "")

    def is_cut_off(self, piece: Piece) -> bool:
        """Whether its last record has fewer fields than there are columns."""
        *_, (_, last) = [(piece.line, [""]), *self._each(piece)]
        return len(last) < len(self.columns)

    def _refuse_record(self, source: Source, piece: Piece) -> None:
        for line, record in self._each(piece):
            if len(record) > len(self.columns):
                has = f"{len(record)} fields, and there are {len(self.columns)} columns"
                source.refuse(line, has)

    def _records(self, piece: Piece) -> tuple[bytes, int]:
        """The piece without its header, and of how many lines that is."""
        if not self.header or piece.line > 1:
            return piece.data, 0
        head, _, rest = piece.data.partition(b"\n")
        return rest, 1 if head else 0

    def _each(self, piece: Piece) -> Iterator[tuple[int, Sequence[str]]]:
        """First line and fields of each record, one by one; an empty line has none."""
        csv.field_size_limit(MOST_RECORD_BYTES)
        data, skipped = self._records(piece)
        text = data.decode(errors="replace").replace("\r\n", "\n")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)
        before = 0
        for record in reader:
            yield piece.line + skipped + before, record
            before = reader.line_num


def first_record(head: bytes, delimiter: str = ",") -> list[str]:
    """The fields of the first line of a file's beginning; none where it is no CSV."""
    csv.field_size_limit(MOST_RECORD_BYTES)
    first = head.partition(b"\n")[0].decode(errors="replace").strip()
    try:
        return next(csv.reader([first], delimiter=delimiter), [])
    except csv.Error:
        return []


def header_of(head: bytes, delimiters: str, known: str) -> CsvTable | None:
    """The table whose header, in the beginning of a file, names a known column."""
    for delimiter in delimiters:
        names = tuple(name.strip() for name in first_record(head, delimiter))
        if known in names:
            return CsvTable(names, delimiter)
    return None


def lines_beginning(piece: Piece, begin: bytes) -> Piece | None:
    """Only the lines that begin so, found many times as fast as they would be parsed.

    None where a quote may hold several lines together, so that not every line is a record.
    """
    if b'"' in piece.data:
        return None
    octets = np.frombuffer(piece.data, np.uint8)
    ends = piece.line_ends
    starts = np.concatenate(([0], ends[:-1] if piece.whole else ends))
    ends = ends if piece.whole else np.append(ends, octets.size)
    # The last byte tells most lines apart: names of metrics differ at their ends.
    fits = octets.take(starts + len(begin) - 1, mode="clip") == begin[-1]
    places = zip(starts[fits].tolist(), ends[fits].tolist(), strict=True)
    kept = [line for a, b in places if (line := piece.data[a:b]).startswith(begin)]
    return Piece(b"".join(kept), max(2, piece.line), piece.whole)
