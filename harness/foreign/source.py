"""A file of results of any length, compressed or not, in pieces of whole records."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from recording.arrays import Ints
from recording.errors import ConfigError
from recording.files import open_regular, why
from recording.text import plain

PIECE_BYTES = 16 * 2**20
"""Read at once: enough for the parser to be fast, and few enough for memory to be used again."""
HEAD_BYTES = 2**20
MOST_RECORD_BYTES = 64 * 2**20
"""Of one record; what is longer is no result of a request."""
MOST_CUT_LINES = 100
"""Of a last record that was cut off: more are many that a stray quote holds together."""
SHOWN = 60
"""Characters of a wrong text in an error."""
Heard = Callable[[memoryview], object]
_BUFFER_BYTES = 2**16
_GZIP, _BOM, _UTF16 = b"\x1f\x8b", b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


def nobody(_data: memoryview) -> None:
    """Hears nothing."""


@dataclass(frozen=True)
class Piece:
    """Records, the first of which begins in ``line`` of the file.

    ``whole`` is false for what comes after the last line's end, which may be cut off.
    """

    data: bytes
    line: int
    whole: bool = True

    @cached_property
    def line_ends(self) -> Ints:
        """Behind the end of each line. ``bytes.count`` finds few well, and many slowly."""
        return np.flatnonzero(np.frombuffer(self.data, np.uint8) == ord("\n")) + 1


@dataclass(frozen=True, slots=True)
class Source:
    """The file; ``path`` is what errors name, ``unit`` what its values are said to have."""

    path: Path
    unit: str | None = None

    def head(self) -> bytes:
        """Its beginning, of whole lines where it has any. Raises ConfigError."""
        with self._opened(nobody) as file:
            begun = self._text(self._read(file.read, HEAD_BYTES))
        return begun[: begun.rfind(b"\n") + 1] or begun

    def pieces(self, *, quoted: bool, told: Heard = nobody) -> Iterator[Piece]:
        """All of it; ``quoted``: a field in quotes may hold ends of lines.

        ``told`` hears what has been read of the file, as it is stored. Raises ConfigError for what
        cannot be read, and for a record without an end.
        """
        with self._opened(told) as file:
            line, rest = 1, b""
            while block := self._lines(file):
                if line == 1 and not rest:
                    block = self._text(block)
                data = rest + block
                end = _records_end(data, quoted=quoted)
                piece, rest = Piece(data[:end], line), data[end:]
                line += piece.line_ends.size
                if len(rest) > MOST_RECORD_BYTES:
                    self.refuse(line, f"no end within {MOST_RECORD_BYTES >> 20} MB{_why(quoted)}")
                if end:
                    yield piece
            if rest.count(b"\n") > MOST_CUT_LINES:
                self.refuse(line, f"no end{_why(quoted)}")
            if rest:
                yield Piece(rest, line, whole=False)

    def refuse(self, line: int, what: str) -> NoReturn:
        """Raise ConfigError about a line."""
        raise ConfigError(f"{self.path}: line {line:,}: {what}")

    def refuse_cell(self, line: int, column: str, text: object, allowed: str) -> NoReturn:
        """Raise ConfigError about a column of a line, with what may stand there."""
        shown = plain(str(text), SHOWN) if text not in (None, "") else "nothing"
        self.refuse(line, f"{column} is {shown}: {allowed}")

    @contextmanager
    def _opened(self, told: Heard) -> Iterator[Any]:
        with self._file() as raw:
            compressed = raw.peek(2)[:2] == _GZIP
            counted = io.BufferedReader(_Counted(raw, told), _BUFFER_BYTES)
            with counted, gzip.GzipFile(fileobj=counted) as unpacked:
                yield unpacked if compressed else counted

    def _file(self) -> io.BufferedReader:
        try:
            return open_regular(self.path)
        except FileNotFoundError:
            raise ConfigError(f"{self.path}: no such file") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise ConfigError(f"{self.path}: cannot be read: {why(error)}") from None

    def _lines(self, file: Any) -> bytes:
        """The next of them, whole: most pieces need not be copied then to begin with a line."""
        block = self._read(file.read, PIECE_BYTES)
        return block + self._read(file.readline, MOST_RECORD_BYTES)

    def _read(self, part: Callable[[int], bytes], most: int) -> bytes:
        try:
            return part(most)
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigError(f"{self.path}: cannot be read: {why(error)}") from None

    def _text(self, block: bytes) -> bytes:
        if block.startswith(_UTF16):
            raise ConfigError(f"{self.path}: is UTF-16: write it as UTF-8")
        return block.removeprefix(_BOM)


def ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same; the next one is read while somebody works on the last."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = reader.submit(next, pieces, None)
            yield piece


def _why(quoted: bool) -> str:
    return ': a quote (") that is opened is never closed' if quoted else ""


def _records_end(data: bytes, *, quoted: bool) -> int:
    """Where the last whole record ends: at the end of a line that is in no quotes."""
    end = data.rfind(b"\n") + 1
    inside = quoted and b'"' in data and data.count(b'"', 0, end) % 2
    while end and inside:
        before = data.rfind(b"\n", 0, end - 1) + 1
        inside = (inside + data.count(b'"', before, end)) % 2
        end = before
    return end


class _Counted(io.RawIOBase):
    """Tells how much was read of a file."""

    def __init__(self, file: io.BufferedReader, told: Heard) -> None:
        self._file, self._told = file, told

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As of the file."""
        n = self._file.readinto(buffer)
        self._told(memoryview(buffer)[:n])
        return n

    def close(self) -> None:
        """The file too."""
        self._file.close()
        super().close()
