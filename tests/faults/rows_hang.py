"""Rows of requests that hang: a few of `make faults-hang`, which has them all."""

from tests.faults.hang import hangs

ROWS = [
    hangs("arrivals", 0.1, "middle"),
    hangs("users", 1.0, "end"),
    hangs("users", 0.1, "end", step="charge"),
]
