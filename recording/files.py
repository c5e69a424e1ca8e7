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
        if at_most is not None and os.fstat(file.fileno()).st_size > at_most:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        return file.read()


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


def why(error: OSError) -> str:
    """What the system said, without the path."""
    return error.strerror or str(error)
