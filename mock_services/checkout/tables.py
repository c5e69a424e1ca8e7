"""checkout's tables, as each database has them."""

from dataclasses import dataclass

_SQLITE = """
CREATE TABLE IF NOT EXISTS orders (
    order_id     TEXT PRIMARY KEY,
    checkout_id  TEXT UNIQUE NOT NULL,
    payment_id   TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    created_t_s  REAL NOT NULL,
    request_id   TEXT NOT NULL,
    amount_cents INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS order_items (
    order_id TEXT NOT NULL,
    sku      TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (order_id, sku)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, quantity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS checkouts (
    number      INTEGER PRIMARY KEY AUTOINCREMENT, -- none is given again, even after a DELETE
    user_id     TEXT NOT NULL,
    lock_id     TEXT NOT NULL,
    items       TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    started_s   REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS checkouts_started ON checkouts (started_s);
CREATE TABLE IF NOT EXISTS coupons (cart_id TEXT PRIMARY KEY, applied_s REAL NOT NULL)
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS coupons_applied ON coupons (applied_s);
"""
_POSTGRES = """
CREATE SEQUENCE IF NOT EXISTS blocks MINVALUE 0 INCREMENT BY 1000000000;
CREATE TABLE IF NOT EXISTS orders (
    order_id     TEXT PRIMARY KEY,
    checkout_id  TEXT UNIQUE NOT NULL,
    payment_id   TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    created_t_s  DOUBLE PRECISION NOT NULL,
    request_id   TEXT NOT NULL,
    amount_cents BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS order_items (
    order_id TEXT NOT NULL,
    sku      TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (order_id, sku)
);
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, quantity BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS checkouts (
    number      BIGINT PRIMARY KEY,
    user_id     TEXT NOT NULL,
    lock_id     TEXT NOT NULL,
    items       TEXT NOT NULL,
    total_cents BIGINT NOT NULL,
    started_s   DOUBLE PRECISION NOT NULL
);
CREATE INDEX IF NOT EXISTS checkouts_started ON checkouts (started_s);
CREATE TABLE IF NOT EXISTS coupons (cart_id TEXT PRIMARY KEY, applied_s DOUBLE PRECISION NOT NULL);
CREATE INDEX IF NOT EXISTS coupons_applied ON coupons (applied_s);
"""


@dataclass(frozen=True, slots=True)
class Tables:
    """`schema` creates them; `issued` asks for the number that a process counts on from."""

    schema: str
    issued: str


SQLITE = Tables(_SQLITE, "SELECT seq FROM sqlite_sequence WHERE name = 'checkouts'")
POSTGRES = Tables(_POSTGRES, "SELECT nextval('blocks')")
"""Each process takes a block of a billion numbers: no later one gives any of them again."""
