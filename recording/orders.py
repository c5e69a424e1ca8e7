"""Writes the orders that clients saw confirmed."""

import os
from collections.abc import Iterable
from pathlib import Path

from recording.hlog import write_all

CONFIRMED_HEADER = "t_s,order_id,arm\n"


class ConfirmedOrdersWriter:
    """Appends orders that a client saw confirmed."""

    def __init__(self, path: Path) -> None:
        """Open ``path`` for appending. Raises OSError."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if os.fstat(self._fd).st_size == 0:
            write_all(self._fd, CONFIRMED_HEADER.encode())

    def write(self, orders: Iterable[tuple[float, str, str]]) -> None:
        """Append (seconds since the epoch, order id, arm or ""); raises OSError (disk full)."""
        rows = "".join(f"{t_s:.3f},{_cell(order_id)},{arm}\n" for t_s, order_id, arm in orders)
        if rows:
            write_all(self._fd, rows.encode(errors="backslashreplace"))

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _cell(text: str) -> str:
    """A cell as RFC 4180 has it: the ids are the shop's, and may hold anything."""
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if any(character in text for character in ',"\r\n') else text
