"""Rows of faults by schedule (``[[faults]]``): none makes a run INVALID, and its cause is found."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.faults.fault import FIXTURES, Fault, Seen, live_run

PROFILE = FIXTURES / "faults.toml"
BROKEN: Mapping[str, tuple[str, str, str]] = {
    "down": ("payment", "", "payment-gateway: connections refused"),
    "timeout": ("payment", 'timeout="500ms"', "payment-gateway: connections closed.*answers lost"),
    "reset_peer": ("payment", "", "payment-gateway: connections reset"),
    "limit_data": ("payment", "bytes=150", "payment-gateway: answers broken off"),
    "answer_lost": ("checkout", "toxicity=0.3", "checkout-service: .*answers lost"),
    "malformed_body": ("cart", "", "cart-service: answers malformed"),
    "retry_after": ("payment", "", "payment-gateway: 503.*ServiceUnavailable"),
    "replica_down": ("inventory_lock", "", "they call inventory-lock-service: .* were 5xx"),
}
"""Kinds that requests fail by: where, with what, and what is said of it."""
SLOW: Mapping[str, tuple[str, str, str]] = {
    "latency": ("payment", 'latency="400ms"', "network of payment-gateway"),
    "bandwidth": ("payment", "rate=1", "network of payment-gateway"),
    "slicer": ("payment", 'average_size=40, delay="40ms"', "network of payment-gateway"),
    "slow_close": ("payment", 'delay="1s"', "planted: slow_close"),
}
"""Kinds that only take time; nothing closes a connection here, so that `slow_close` takes none."""


def _run(folder: Path, fault: str) -> Seen:
    return live_run(folder, PROFILE, "--set", f"faults=[{fault}]")


def _row(kind: str, service: str, attributes: str, says: str, verdict: str) -> Fault:
    fault = f'at="3s", for="2s", service="{service}", kind="{kind}"'
    fault += f", {attributes}" if attributes else ""
    do = partial(_run, fault=f"{{{fault}}}")
    return Fault(f"planted: {kind}", 17, f"[[faults]] {fault}", do, verdict, says=says,
                 live=True, fast=False)  # fmt: skip


ROWS = (
    *(_row(kind, *what, verdict="FAIL") for kind, what in BROKEN.items()),
    *(_row(kind, *what, verdict="PASS") for kind, what in SLOW.items()),
)
