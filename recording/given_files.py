"""Reading a file that somebody named: a small regular file, or a clear refusal.

A device or a pipe in its place would be read for ever, and a huge file until memory ends.
"""

import os
import stat
from pathlib import Path

from recording.errors import ConfigError

MAX_BYTES = 4 * 2**20
"""Far above any profile, thresholds or urls that people write."""


def read_given_text(path: Path, max_bytes: int = MAX_BYTES) -> str:
    """The UTF-8 text of ``path``.

    Raises ConfigError naming the file: absent, not a regular file, too large, not readable, not
    UTF-8. Never waits, whatever stands at ``path``.
    """
    try:
        data = _read(path, max_bytes)
    except IsADirectoryError:
        raise ConfigError(f"{path}: not a regular file") from None
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{path}: cannot be read: {why}") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read: not UTF-8 (byte {error.start})") from None


def _read(path: Path, max_bytes: int) -> bytes:
    # Without O_NONBLOCK opening a pipe waits for its writer.
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ConfigError(f"{path}: not a regular file")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ConfigError(f"{path}: larger than {max_bytes / 2**20:g} MB, not a file to be read")
    return data


def _at_once(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK)
