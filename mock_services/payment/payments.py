"""Payments of record, and with each the idempotency key that it was made under.

Both are committed at once, so a key is in force exactly when its charge has ended: whatever kills
the process, a retry is either answered with what is in the file, or charges for the first time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mock_services.kit import money
from mock_services.kit.ledger import Ledger, Statement

SUCCEEDED = "succeeded"
PRUNE_EVERY = 256
"""Keys between two looks for those that are not in force any more."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    payment_id   TEXT PRIMARY KEY,
    checkout_id  TEXT NOT NULL,
    status       TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    created_t_s  REAL NOT NULL,
    request_id   TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS paid ON payments (checkout_id) WHERE status = 'succeeded';
CREATE TABLE IF NOT EXISTS idempotency_keys (
    number         INTEGER PRIMARY KEY,
    key            TEXT UNIQUE NOT NULL,
    request        TEXT NOT NULL,
    payment_id     TEXT NOT NULL,
    card_last_four TEXT NOT NULL,
    answered_s     REAL NOT NULL
);
"""
_PAY = "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?)"
_KEEP = "INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?)"
_PRUNE = f"""
DELETE FROM idempotency_keys
WHERE number IN (SELECT number FROM idempotency_keys ORDER BY number LIMIT {2 * PRUNE_EVERY})
AND (number <= ? OR answered_s <= ?)
"""
_THEIRS = "FROM payments WHERE substr(request_id, 1, ?) = ?"
_COLUMNS = "payment_id, checkout_id, status, amount_cents, created_t_s, request_id"
_PAID = "SELECT payment_id FROM payments WHERE checkout_id = ? AND status = 'succeeded' LIMIT 1"
_BY_ID = f"SELECT {_COLUMNS} FROM payments WHERE payment_id = ?"
_BY_KEY = f"""
SELECT request, card_last_four, {_COLUMNS} FROM idempotency_keys JOIN payments USING (payment_id)
WHERE key = ? AND number > ? AND answered_s > ?
"""


class Payment(NamedTuple):
    """A charge that has ended; `status` is `succeeded` or why not."""

    payment_id: str
    checkout_id: str
    status: str
    amount_cents: int
    created_t_s: float
    request_id: str


class Key(NamedTuple):
    """An idempotency key and the request it came with, as digests."""

    digest: str
    request: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a key in force: the digest of its request, and what became of that."""

    request: str
    card_last_four: str
    payment: Payment


class Payments:
    """All of them, and the last `keys_max` keys for `key_ttl_s` each."""

    def __init__(
        self,
        ledger_path: Path | None,
        commit_interval_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys_max = 0
        self.key_ttl_s = 0.0
        self._ledger = Ledger(ledger_path, "payments", _SCHEMA, commit_interval_s)
        self._clock = clock
        self._issued = 0
        self._keyed = 0

    def open(self) -> None:
        """Open the ledger and go on with ids where it ends. Raises LedgerError."""
        self._ledger.open()
        last = self._ledger.read("SELECT payment_id FROM payments ORDER BY rowid DESC LIMIT 1")
        self._issued = money.trailing_number(last[0][0]) if last else 0
        ((number,),) = self._ledger.read("SELECT max(number) FROM idempotency_keys")
        self._keyed = number or 0

    def close(self) -> None:
        """Commit what is queued."""
        self._ledger.close()

    def new_id(self) -> str:
        """Id of the next payment. Record it at once: the last row has the highest id."""
        self._issued += 1
        return f"pay-lt-{self._issued:05d}"

    async def record(self, payment: Payment, key: Key | None, card_last_four: str) -> None:
        """Return once it is committed. Raises LedgerError when it could not be."""
        statements: list[Statement] = [(_PAY, [payment])]
        if key is not None:
            self._keyed += 1
            row = (self._keyed, *key, payment.payment_id, card_last_four, self._clock())
            statements.append((_KEEP, [row]))
            if self._keyed % PRUNE_EVERY == 0:
                statements.append((_PRUNE, [self._out_of_force()]))
        await self._ledger.write(*statements)

    async def remove(self, prefix: str) -> dict[str, int]:
        """Payments that requests with such an id made, and their keys; how many there were.

        Raises LedgerError.
        """
        row = (len(prefix), prefix)
        count = int(self._ledger.read(f"SELECT count(*) {_THEIRS}", *row)[0][0])
        keys = "DELETE FROM idempotency_keys WHERE payment_id IN "
        await self._ledger.write(
            (f"{keys}(SELECT payment_id {_THEIRS})", [row]), (f"DELETE {_THEIRS}", [row])
        )
        return {"payments": count}

    def _out_of_force(self) -> tuple[int, float]:
        """The highest number, and the latest moment, of keys that have to be forgotten."""
        return self._keyed - self.keys_max, self._clock() - self.key_ttl_s

    def kept(self, digest: str) -> Kept | None:
        """What became of the request that a key came with; None for a key not in force."""
        rows = self._ledger.read(_BY_KEY, digest, *self._out_of_force())
        return next((Kept(row[0], row[1], Payment(*row[2:])) for row in rows), None)

    def paid(self, checkout_id: str) -> str | None:
        """Id of the payment that paid for a checkout."""
        return next((row[0] for row in self._ledger.read(_PAID, checkout_id)), None)

    def find(self, payment_id: str) -> Payment | None:
        """A payment."""
        return next((Payment(*row) for row in self._ledger.read(_BY_ID, payment_id)), None)
