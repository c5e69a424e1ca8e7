"""JSON lines that several processes append to and that a crash cannot spoil."""

from collections.abc import Mapping
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
        lines = read_regular(path).split(b"\n")
    except FileNotFoundError:
        return [], 0
    damaged = int(bool(lines.pop()))
    rows: list[dict[str, Any]] = []
    for line in lines:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            row = None
        if isinstance(row, dict):
            rows.append(row)
        else:
            damaged += 1
    return rows, damaged
