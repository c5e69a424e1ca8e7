"""Writes what clients know of their orders: those they saw confirmed, and those they did not."""

from collections.abc import Iterable
from pathlib import Path

from recording.files import AppendedFile

CONFIRMED_HEADER = "t_s,order_id,arm\n"
UNCONFIRMED_HEADER = "t_s,checkout_id,payment_id,arm\n"


class ConfirmedOrdersWriter(AppendedFile):
    """Appends orders that a client saw confirmed."""

    header = CONFIRMED_HEADER

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        super().__init__(path, self.header)

    def write(self, orders: Iterable[tuple[float, *tuple[str, ...]]]) -> None:
        """Append (seconds since the epoch, ids, arm or ""); raises OSError (disk full)."""
        rows = "".join(f"{t_s:.3f},{','.join(map(_cell, texts))}\n" for t_s, *texts in orders)
        self._append(rows.encode(errors="backslashreplace"))


class UnconfirmedOrdersWriter(ConfirmedOrdersWriter):
    """Appends checkouts that a client asked to confirm, and gave up without an order."""

    header = UNCONFIRMED_HEADER


def _cell(text: str) -> str:
    """A cell as RFC 4180 has it: the ids are the shop's, and may hold anything."""
    quoted = '"' + text.replace('"', '""') + '"'
    return quoted if any(character in text for character in ',"\r\n') else text
