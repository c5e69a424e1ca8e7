"""A file of results of any length, compressed or not, in pieces of whole records."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from recording.errors import ConfigError
from recording.files import open_regular, why
from recording.text import plain

PIECE_BYTES = 16 * 2**20
"""Read at once: enough for the parser to be fast, little beside the memory that it takes."""
MOST_RECORD_BYTES = 64 * 2**20
"""Of one record; what is longer is no result of a request."""
MOST_CUT_LINES = 100
"""Of a last record that was cut off: more are many that a stray quote holds together."""
SHOWN = 60
"""Characters of a wrong text in an error."""
_GZIP, _BOM, _UTF16 = b"\x1f\x8b", b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Piece:
    """Records, the first of which begins in ``line`` of the file.

    ``whole`` is false for what comes after the last line's end, which may be cut off.
    """

    data: bytes
    line: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """The file; ``path`` is what errors name, ``unit`` what its values are said to have."""

    path: Path
    unit: str | None = None

    def head(self) -> bytes:
        """Its beginning, up to one piece, of whole lines where it has any. Raises ConfigError."""
        return next(self.pieces(quoted=False), Piece(b"", 1)).data

    def pieces(
        self, *, quoted: bool, told: Callable[[int], object] = lambda _bytes: None
    ) -> Iterator[Piece]:
        """All of it; ``quoted``: a field in quotes may hold ends of lines.

        ``told`` hears how many bytes of the file have been read since it heard last. Raises
        ConfigError for what cannot be read, and for a record without an end.
        """
        with self._opened(told) as file:
            line, rest = 1, b""
            while block := self._read(file):
                if line == 1 and not rest:
                    block = self._text(block)
                data = rest + block
                end = _records_end(data, quoted=quoted)
                rest = data[end:]
                if len(rest) > MOST_RECORD_BYTES:
                    line += data.count(b"\n", 0, end)
                    self.refuse(line, f"no end within {MOST_RECORD_BYTES >> 20} MB{_why(quoted)}")
                if end:
                    yield Piece(data[:end], line)
                    line += data.count(b"\n", 0, end)
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
    def _opened(self, told: Callable[[int], object]) -> Iterator[Any]:
        with self._file() as raw:
            compressed = raw.peek(2)[:2] == _GZIP
            counted = io.BufferedReader(_Counted(raw, told), PIECE_BYTES)
            with counted, gzip.GzipFile(fileobj=counted) as unpacked:
                yield unpacked if compressed else counted

    def _file(self) -> io.BufferedReader:
        try:
            return open_regular(self.path)
        except FileNotFoundError:
            raise ConfigError(f"{self.path}: no such file") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise ConfigError(f"{self.path}: cannot be read: {why(error)}") from None

    def _read(self, file: Any) -> bytes:
        try:
            block: bytes = file.read(PIECE_BYTES)
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigError(f"{self.path}: cannot be read: {why(error)}") from None
        return block

    def _text(self, block: bytes) -> bytes:
        if block.startswith(_UTF16):
            raise ConfigError(f"{self.path}: is UTF-16: write it as UTF-8")
        return block.removeprefix(_BOM)


def sha256(path: Path) -> str:
    """Digest of a file. Raises OSError."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _why(quoted: bool) -> str:
    return ': a quote (") that is opened is never closed' if quoted else ""


def _records_end(data: bytes, *, quoted: bool) -> int:
    """Where the last whole record ends: at the end of a line that is in no quotes."""
    end = data.rfind(b"\n") + 1
    inside = quoted and data.count(b'"', 0, end) % 2
    while end and inside:
        before = data.rfind(b"\n", 0, end - 1) + 1
        inside = (inside + data.count(b'"', before, end)) % 2
        end = before
    return end


class _Counted(io.RawIOBase):
    """Tells how much was read of a file."""

    def __init__(self, file: io.BufferedReader, told: Callable[[int], object]) -> None:
        self._file, self._told = file, told

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As of the file."""
        n = self._file.readinto(buffer)
        self._told(n)
        return n

    def close(self) -> None:
        """The file too."""
        self._file.close()
        super().close()
