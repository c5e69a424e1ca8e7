"""Files opened with care: nothing here waits, and a file is replaced whole or not at all.

A recording comes from anywhere, so what has a file's name may be a folder, a pipe that nobody
writes to, a device without an end or a link to itself.
"""

import errno
import io
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Self


def open_regular(path: Path) -> io.BufferedReader:
    """The file, open for reading. Raises OSError at once for anything that is no regular file."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(fd, "rb")


def read_regular(path: Path, at_most: int | None = None) -> bytes:
    """All of it. Raises OSError as `open_regular` does, and for more than ``at_most`` bytes."""
    with open_regular(path) as file:
        if at_most is None:
            return file.read()
        data = file.read(at_most + 1)
    if len(data) > at_most:
        raise OSError(errno.EFBIG, f"larger than {at_most / 2**20:g} MB", str(path))
    return data


def replace_file(path: Path, data: bytes) -> None:
    """Write the file so that whoever reads it finds the old or the new one. Raises OSError."""
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        scratch.write_bytes(data)
        scratch.replace(path)
    except OSError:
        with suppress(OSError):
            scratch.unlink()
        raise


class AppendedFile:
    """A file that only grows, by whole writes; also a context manager."""

    def __init__(self, path: Path, header: str = "") -> None:
        """Open ``path`` for appending; a new file gets its header. Raises OSError."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if os.fstat(self._fd).st_size == 0:
            self._append(header.encode())

    def _append(self, data: bytes) -> None:
        """``os.write`` until everything is out; raises OSError where it cannot (disk full)."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def why(error: Exception) -> str:
    """What the system said, without the path; of any other error its text."""
    return getattr(error, "strerror", None) or str(error)
