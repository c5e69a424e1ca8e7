"""Reads on in a file that grows."""

from pathlib import Path
from typing import Any

import orjson


class Tail:
    """Reads what was appended to a file since the last call, whole lines only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def lines(self) -> str:
        """The new whole lines; empty while the file does not exist."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return ""
        self._offset += len(whole) + len(newline)
        return (whole + newline).decode(errors="replace")

    def rows(self) -> list[dict[str, Any]]:
        """The new whole lines of a file of JSON lines."""
        return [orjson.loads(line) for line in self.lines().splitlines()]
