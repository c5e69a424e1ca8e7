"""Rows of requests that hang: a few of `make faults-hang`, which has them all."""

from tests.faults.hang import MODELS, hangs

ROWS = [
    *(hangs(model, 0.1, "middle") for model in MODELS),
    *(hangs(model, 1.0, "end") for model in MODELS),
    hangs("users", 0.1, "end", step="charge"),
]
