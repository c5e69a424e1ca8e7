"""What has surely not been seen before: a Bloom filter of one hash, in front of a table.

Nearly every charge is the first of its key and of its checkout, and to ask SQLite for what is not
there takes 50 us of CPU: what its writer has just changed is read anew.
"""

from collections.abc import Hashable

BITS = 1 << 26
"""A day of the seed's 81 charges/s, two entries each, sets a fifth of them: one in five is then
asked for in vain."""


class Seen:
    """Its 8 MB are there from the start, so that it never grows."""

    def __init__(self) -> None:
        self._bits = bytearray(b"\x00") * (BITS // 8)

    def add_everything(self) -> None:
        """Nothing is known: whatever is asked for may be there."""
        self._bits[:] = b"\xff" * len(self._bits)

    def add(self, item: Hashable) -> None:
        """It may be there from now on."""
        bit = hash(item) % BITS
        self._bits[bit >> 3] |= 1 << (bit & 7)

    def __contains__(self, item: Hashable) -> bool:
        """Whether it may be there; False is certain."""
        bit = hash(item) % BITS
        return bool(self._bits[bit >> 3] & 1 << (bit & 7))
