"""Files and folders that somebody named: a small regular file to read, a folder to write to, or a
clear refusal.

A device or a pipe in a file's place would be read for ever, and a huge file until memory ends.
"""

import errno
import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from recording.errors import ConfigError
from recording.files import read_regular, why

MAX_BYTES = 4 * 2**20
"""Far above any profile, thresholds or urls that people write."""


def read_given_text(path: Path, most_bytes: int = MAX_BYTES) -> str:
    """The UTF-8 text of ``path``.

    Raises ConfigError naming the file: absent, not a regular file, too large, not readable, not
    UTF-8. Never waits, whatever stands at ``path``.
    """
    try:
        return read_regular(path, most_bytes).decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read: not UTF-8 (byte {error.start})") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ConfigError(f"{path}: cannot be read: {why(error)}") from None


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""A disk's own troubles: nobody named it wrongly, and space may come."""


def check_folder(folder: Path, option: str) -> None:
    """Raises ConfigError where ``option`` names no folder that could be written to.

    Nothing is left behind; a full disk passes.
    """
    try:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryDirectory(prefix=".loadgate-", dir=there):
            pass
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if getattr(error, "errno", None) not in _FULL:
            raise ConfigError(
                f"{option} {folder}: nothing can be written there: {why(error)}; name a folder"
            ) from None


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The TOML table in a text. Raises ConfigError naming ``where`` and the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        at = f"{where}:{found[1]}" if found else where
        raise ConfigError(f"{at}: not valid TOML: {error}") from None
    except (ValueError, RecursionError) as error:
        # tomllib lets through what int() and Python's stack refuse.
        raise ConfigError(f"{where}: not valid TOML: {type(error).__name__}") from None
