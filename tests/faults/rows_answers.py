"""Rows of answers that are none: values that are missing, other statuses, what never ends."""

from collections.abc import Mapping
from pathlib import Path

from recording.flow import STEPS
from recording.orders_reader import read_confirmed
from recording.rundir import RunDir
from tests.analysis.recordings import Recording
from tests.faults.fault import FIXTURES, Fault, Seen, judged, live_run
from tests.faults.hostile_shop import HostileShop, Quirk
from tests.faults.quirks import EARLY_ORDER

LIMITS = FIXTURES / "hang_thresholds.toml"
WIDE = FIXTURES / "short_thresholds.toml"
SAID: tuple[tuple[str, str, str], ...] = (
    ("nulls", "charge", "bad_body: payment_id is null"),
    ("failed", "charge", r"bad_body: status is \W*failed"),
    ("empty_values", "browse", r"bad_body: products is \[\]"),
    ("other_id", "add_to_cart", "bad_body: cart_id is not what was asked for"),
    ("not_json", "browse", "bad_body: not a JSON object"),
    ("status_201", "browse", "unexpected_status 201"),
    ("status_200", "confirm", "unexpected_status 200"),
    ("status_says_number", "charge", "bad_body: (other|status is)"),
    ("redirect", "charge", "redirect 302"),
    ("drip", "browse", "no whole answer within 1s"),
    ("endless", "detail", "connection_error"),
    ("refuse", "confirm", "connection_(closed|reset|refused)"),
    ("empty_object", "start_checkout", "bad_body: no checkout_id"),
    ("hang", "start_checkout", "no whole answer within 1s"),
)
"""A quirk of the hostile shop, a step, and what the verdict calls the answers.

One of each kind; what the client makes of every quirk is in test_hostile_shop.py."""


def _shop(folder: Path, *quirks: Quirk, limits: Path = LIMITS, model: str = "users") -> Seen:
    with HostileShop(*quirks) as shop:
        words = (*shop.targets(), "--set", f"load.model={model}")
        return live_run(folder, FIXTURES / "short.toml", *words, limits=limits)


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


def _share(name: str, share: float, model: str, says: str) -> Fault:
    """A part of all answers, whatever the step."""
    return Fault(
        f"{100 * share:g} % of all answers {name}, {model}",
        item=2,
        how=f"a shop of which so many are {name}",
        do=lambda folder: _shop(folder, Quirk(name, share=share), model=model),
        verdict="FAIL",
        says=says,
        live=True,
        fast=False,
    )


def _never_ended(step: str, outcome: str, name: str, verdict: str, says: str) -> Fault:
    """A twentieth of a step's requests in a recording."""
    return Fault(
        f"{step}: 5 % {name}",
        item=1,
        how=f"{outcome} requests in a recording",
        do=lambda folder: _recorded(folder, {step: {"ok": 0.95, outcome: 0.05}}),
        verdict=verdict,
        says=says,
        fast=step == "charge",
    )


def _timeouts(step: str) -> Fault:
    says = f"{step}.*had no whole answer within 30s"
    return _never_ended(step, "timeout", "never answered", "FAIL", says)


def _cut_off(step: str) -> Fault:
    says = "some requests never ended"
    return _never_ended(step, "unanswered", "cut off young", "INCONCLUSIVE", says)


def _orders_too_early(folder: Path) -> Seen:
    """Only what confirm answers is a confirmed order."""
    seen = _shop(folder, Quirk("names_an_order", "charge"), limits=WIDE)
    run = next((folder / "runs").glob("*/manifest.json")).parent
    ids = read_confirmed(RunDir(run).confirmed)[0]["order_id"].to_list()
    said = f"{len(ids)} confirmed, named by charge: {ids.count(EARLY_ORDER)}"
    return Seen(seen.exit_code, f"{said}\n{seen.text}", seen.verdict)


def _harmless(name: str) -> Fault:
    return Fault(
        f"all answers {name}",
        item=2,
        how=f"a shop that works, though each answer is {name}",
        do=lambda folder: _shop(folder, Quirk(name), limits=WIDE),
        verdict="PASS",
        live=True,
        fast=False,
    )


def _failing_fast(name: str) -> Fault:
    """Latency rules only, and not one good answer."""

    def do(folder: Path) -> Seen:
        limits = folder / "limits.toml"
        limits.write_text('[journey]\nlatency = ["p50 < 900 ms"]\n')
        return _shop(folder, Quirk(name), limits=limits)

    return Fault(
        f"all answers {name}, latency rules only",
        item=3,
        how=f"each answer is {name}, at once",
        do=do,
        verdict="INCONCLUSIVE",
        says="how fast they failed",
        live=True,
        fast=False,
    )


ROWS = [
    *(_answer(*row) for row in SAID),
    _share("status_500", 0.1, "arrivals", "http_5xx"),
    _harmless("slow_close"),
    *map(_failing_fast, ("refuse", "status_500")),
    Fault(
        "charge answers names_an_order",
        2,
        "its answers name an order too",
        _orders_too_early,
        says=r"^[1-9]\d* confirmed, named by charge: 0\n",
        live=True,
        fast=False,
    ),
    *map(_timeouts, STEPS),
    *map(_cut_off, STEPS),
]
