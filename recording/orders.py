"""Writes the orders that clients saw confirmed."""

from collections.abc import Iterable
from pathlib import Path

from recording.files import AppendedFile

CONFIRMED_HEADER = "t_s,order_id,arm\n"


class ConfirmedOrdersWriter(AppendedFile):
    """Appends orders that a client saw confirmed."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        super().__init__(path, CONFIRMED_HEADER)

    def write(self, orders: Iterable[tuple[float, str, str]]) -> None:
        """Append (seconds since the epoch, order id, arm or ""); raises OSError (disk full)."""
        rows = "".join(f"{t_s:.3f},{_cell(order_id)},{arm}\n" for t_s, order_id, arm in orders)
        self._append(rows.encode(errors="backslashreplace"))


def _cell(text: str) -> str:
    """A cell as RFC 4180 has it: the ids are the shop's, and may hold anything."""
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if any(character in text for character in ',"\r\n') else text
