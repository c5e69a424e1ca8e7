"""Rows of answers that are none: values that are missing, other statuses, what never ends."""

from collections.abc import Mapping
from pathlib import Path

from recording.flow import STEPS
from tests.analysis.recordings import Recording
from tests.faults.fault import FIXTURES, Fault, Seen, judged, live_run
from tests.faults.hostile_shop import HostileShop, Quirk

LIMITS = FIXTURES / "hang_thresholds.toml"
SAID: tuple[tuple[str, str, str], ...] = (
    ("nulls", "charge", "bad_body: payment_id is null"),
    ("failed", "charge", r"bad_body: status is \W*failed"),
    ("nulls", "confirm", "bad_body: order_id is null"),
    ("empty_values", "browse", r"bad_body: products is \[\]"),
    ("other_id", "add_to_cart", "bad_body: cart_id is not what was asked for"),
    ("not_json", "browse", "bad_body: not a JSON object"),
    ("status_201", "browse", "unexpected_status 201"),
    ("status_200", "confirm", "unexpected_status 200"),
    ("status_says_number", "charge", "bad_body: other"),
    ("redirect", "charge", "redirect 302"),
    ("drip", "browse", "no whole answer within 1s"),
    ("drip_head", "browse", "no whole answer within 1s"),
    ("endless", "detail", "connection_error"),
    ("refuse", "confirm", "connection_error"),
    ("cut", "charge", "connection_error"),
)
"""A quirk of the hostile shop, a step, and what the verdict calls the answers."""


def _shop(folder: Path, quirk: Quirk) -> Seen:
    words = ("load.request_timeout=1s", 'judge.required=["latency","errors"]')
    options = [word for text in words for word in ("--set", text)]
    with HostileShop(quirk) as shop:
        profile = FIXTURES / "tiny.toml"
        return live_run(folder, profile, *shop.targets(), *options, limits=LIMITS, limit_s=90)


def _recorded(folder: Path, outcomes: Mapping[str, Mapping[str, float]]) -> Seen:
    return judged(Recording(outcomes=outcomes, late_ms=500.0).write(folder / "run"))


def _answer(quirk: str, step: str, said: str) -> Fault:
    return Fault(
        f"{step} answers {quirk}",
        item=1 if "within" in said else 2,
        how=f"a shop whose every {step} is {quirk}",
        do=lambda folder: _shop(folder, Quirk(quirk, step)),
        verdict="FAIL",
        says=said,
        live=True,
        fast=False,
        limit_s=90.0,
    )


def _timeouts(step: str) -> Fault:
    return Fault(
        f"{step}: 5 % never answered",
        item=1,
        how="timeouts in a recording",
        do=lambda folder: _recorded(folder, {step: {"ok": 0.95, "timeout": 0.05}}),
        verdict="FAIL",
        says=f"{step}.*had no whole answer within 30s",
        fast=step == "charge",
    )


def _cut_off(step: str) -> Fault:
    return Fault(
        f"{step}: 5 % cut off young",
        item=1,
        how="unanswered requests in a recording",
        do=lambda folder: _recorded(folder, {step: {"ok": 0.95, "unanswered": 0.05}}),
        verdict="INCONCLUSIVE",
        says="some requests never ended",
        fast=step == "charge",
    )


ROWS = [
    *(_answer(*row) for row in SAID),
    *map(_timeouts, STEPS),
    *map(_cut_off, STEPS),
]
