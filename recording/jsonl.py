"""JSON lines that several processes append to and that a crash cannot spoil."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from recording.files import AppendedFile, read_regular
from recording.secrets import redacted


class JsonLinesWriter(AppendedFile):
    """Appends one object per line with a single write, so writers may share the file."""

    def write(self, *rows: Mapping[str, Any]) -> None:
        """Append rows without the secrets in them; raises OSError (disk full)."""
        self._append(b"".join(orjson.dumps(redacted(row)) + b"\n" for row in rows))


def read_json_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The readable objects and the number of damaged lines; a missing file is empty.

    Raises OSError for anything else that is no readable file.
    """
    try:
        *lines, cut = read_regular(path).split(b"\n")
    except FileNotFoundError:
        return [], 0
    rows: list[dict[str, Any]] = []
    for line in lines:
        with suppress(orjson.JSONDecodeError):
            if isinstance(row := orjson.loads(line), dict):
                rows.append(row)
    return rows, len(lines) - len(rows) + bool(cut)
