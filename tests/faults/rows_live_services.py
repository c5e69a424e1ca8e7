"""Services under load whose metrics are none or hostile, that hang alone, or come and go."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tests.faults.fault import Fault, Seen, live_run
from tests.faults.hostile_shop import HostileShop, Quirk
from tests.faults.under_load import LIMITS, LONGER, SHORT, measuring, started

SUBJECTS = {
    "checkout": "checkout-service", "payment": "payment-gateway", "cart": "cart-service",
}  # fmt: skip
SAMPLED = ("--set", "validity.missing_samples=0.3")
STEP_OF = {"checkout": "browse", "payment": "charge", "cart": "add_to_cart"}
UNSAMPLED = {
    "hang": 0.0, "drip": 0.0, "big_page": 0.0, "status_404": 0.05,
}  # fmt: skip
"""Pages that give no sample, from when on, s: such a service is named, and no other."""
UNKNOWN = ("no_metrics",)
"""From the start on: a service that exports nothing, which is said."""
GOOD_PAGES = ("hostile_labels", "hostile_numbers")


def beside_good_ones(folder: Path, name: str, quirk: Quirk) -> Seen:
    """One service misbehaves; the other two are another shop's, which is well."""
    with HostileShop(quirk) as bad, HostileShop() as good:
        urls = dict.fromkeys(SUBJECTS, good.url) | {name: bad.url}
        targets = [w for key, url in urls.items() for w in ("--set", f"target.{key}={url}")]
        time = LONGER if quirk.from_s else ()  # the first request may come late
        return live_run(folder, SHORT, *targets, *SAMPLED, *time, limits=LIMITS)


def _live(name: str, item: int, how: str, quirk: Quirk, service: str = "payment",
          verdict: str = "", says: str = "") -> Fault:  # fmt: skip
    do = partial(beside_good_ones, name=service, quirk=quirk)
    return Fault(name, item, how, do, verdict, says=says, live=True, fast=False)


def _pages() -> Iterator[Fault]:
    others = "".join(f"(?!.*samples of {s} )" for s in SUBJECTS.values() if s != "payment-gateway")
    for quirk, from_s in UNSAMPLED.items():
        since = f" after {from_s:g} s" if from_s else ""
        yield _live(
            f"/metrics of payment-gateway: {quirk}{since}", 1, "the page of one service of three",
            Quirk(quirk, "metrics", from_s=from_s), verdict="INVALID",
            says=f"^{others}.*samples of payment-gateway ",
        )  # fmt: skip
    for quirk in UNKNOWN:
        yield _live(
            f"/metrics of payment-gateway: {quirk}", 4, "the page of one service of three",
            Quirk(quirk, "metrics"), verdict="PASS",
            says="payment-gateway exports no /metrics",
        )  # fmt: skip
    for quirk in GOOD_PAGES:
        yield _live(
            f"/metrics of payment-gateway: {quirk}", 14, "the page of one service of three",
            Quirk(quirk, "metrics"), verdict="PASS",
            says=r"^[^\x1b]*$",
        )  # fmt: skip


def _alone() -> Iterator[Fault]:
    for service in ("payment", "cart"):
        subject = SUBJECTS[service]
        yield _live(
            f"only {subject} hangs", 1, "one service of three never answers",
            Quirk("hang", STEP_OF[service]), service, verdict="FAIL",
            says=f"{STEP_OF[service]}.*no whole answer within 1s",
        )  # fmt: skip


def restarted(folder: Path) -> Seen:
    """The shop goes, and comes back at its old port with a new CPU counter."""
    limits = folder / "limits.toml"
    limits.write_text('[payment-gateway]\nprocess = ["restarts == 0"]\n')
    with HostileShop() as first:
        port = urlsplit(first.url).port
        with started(folder, *first.targets(), *LONGER, "--thresholds", str(limits)) as run:
            run.wait_for(measuring)
            first.close()
            with HostileShop(port=port or 0):
                return run.finish()


ROWS = (
    *_pages(), *_alone(),
    Fault("a shop restarts while measuring", 6, "its CPU counter starts anew", restarted,
          verdict="FAIL", says="restarts", live=True, fast=False),
)  # fmt: skip
