"""A paired run that measured the bench is INVALID; head's own trouble is not called the bench's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.limits.thresholds import load_thresholds
from analysis.paired.judge import GateReport
from analysis.report.cases import of_verdict
from analysis.report.junit import junit
from analysis.words.values import Outcome
from recording.closing import close_run
from recording.manifest import Manifest
from tests.analysis.books import Books
from tests.analysis.gate.paired_recordings import PairedRecording, judged

THRESHOLDS = load_thresholds(Path(__file__).parents[3] / "thresholds.toml")


THIN: dict[str, Any] = {"per_slot": 60, "steps": ("browse",)}
"""Enough for what needs no row."""


def gate(folder: Path, **changes: object) -> GateReport:
    """The verdict on the first look's rounds of a recording with some changes."""
    run = PairedRecording(rounds=16, **changes).write(folder / "run")  # type: ignore[arg-type]
    return judged(run, THRESHOLDS)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ended": "service_died"}, "a service died"),
        ({"closing": {"recorded": 1}}, "requests in latency.hlog"),
        ({"closing": {"errors": 2}}, "recorder errors 2"),
        ({"closing": {"locust_requests": 1}}, "Locust's own count"),
        ({"distortion_ms": {"base": 80.0}}, "distortion p99 of base"),
        ({"distortion_ms": {"base": 80.0, "head": 80.0}}, "distortion p99 of base"),
        ({"lag_ms": 90.0}, "generator lag"),
        ({"cpu": {"locust": 0.97}}, "CPU of locust-worker-01"),
        ({"cpu": {"checkout-service@base": 0.99}}, "CPU of the checkout-service@base mock"),
        ({"foreign_cores": 1.5}, "other processes"),
        ({"users": 90.0}, "users in the emptiest slot"),
        ({"failed": {"base": 0.1, "head": 0.1}}, "failed requests of base"),
        ({"without_load": [(5, "base")]}, "rounds with load on base 15"),
        ({"silent": "payment-gateway@head"}, "samples of payment-gateway@head"),
        ({"restarted_s": {"cart-service@base": 9.0}}, "cart-service@base restarted before T+9s"),
        ({"restarted_s": {"cart-service@base": 9, "cart-service@head": 9}}, "restarts of base"),
    ],
)
def test_what_spoils_a_paired_run(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    """Each of these alone makes a run INVALID, and is named."""
    report = gate(tmp_path, **THIN, **changes)
    assert report.verdict is Outcome.INVALID
    assert [line for line in report.invalid_reasons if reason in line], report.invalid_reasons


def test_arms_far_away_are_no_distortion(tmp_path: Path) -> None:
    """Each at a distance of its own, which is shown; what varies of it still counts."""
    there = {"distortion_ms": {"base": 80.0, "head": 120.0}, "at_urls": True}
    report = gate(tmp_path, **THIN, **there)
    assert not [line for line in report.invalid_reasons if "distortion" in line]
    (said,) = (line for line in report.findings if line.startswith("the way there and back"))
    assert "ms to checkout-service@base (jitter" in said
    assert "ms to checkout-service@head (jitter" in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"distortion_ms": {"head": 80.0}}, "head alone: distortion p99 of head"),
        ({"cpu": {"cart-service@head": 0.99}}, "head alone: CPU of the cart-service@head mock"),
        ({"failing": [(5, "head")]}, "6.25 % of head's requests failed (0 % of base's)"),
        ({"failed": {"head": 0.02}}, "a request that fails fast is not a fast request"),
        (
            {"orders": {"base": (["a"], []), "head": (["b", "c", "d"], [])}},
            "head has 3 orders confirmed to a client but not in the ledger (1 in base)",
        ),
    ],
)
def test_what_head_does_is_no_fault_of_the_bench(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    """It must not hide behind INVALID, and it must not PASS."""
    report = gate(tmp_path, **changes)
    assert report.verdict is Outcome.INCONCLUSIVE
    assert [line for line in report.inconclusive_reasons if reason in line]


def test_a_control_that_head_never_answers_cannot_pass(tmp_path: Path) -> None:
    """Nothing would be left that tells the host's doing from head's."""
    regression = THRESHOLDS.regression
    assert regression is not None
    limits = replace(THRESHOLDS, regression=replace(regression, control=("detail",)))
    report = judged(PairedRecording(rounds=16).write(tmp_path / "run"), limits)
    assert report.verdict is Outcome.INCONCLUSIVE
    assert "detail is the control, and not both arms answered it" in report.inconclusive_reasons


@pytest.mark.parametrize("arm", ["base", "head"])
def test_services_of_ours_that_were_never_sampled_are_no_evidence(tmp_path: Path, arm: str) -> None:
    """Without samples nobody knows that they were up, nor what they cost."""
    report = gate(tmp_path, **THIN, unsampled=[f"cart-service@{arm}"])
    assert f"samples of cart-service@{arm} none, allowed all" in report.invalid_reasons


@pytest.mark.parametrize(
    ("orders", "outcome"),
    [
        ({"base": (["o-1"], ["o-1"]), "head": (["o-1"], ["o-1"])}, Outcome.PASS),
        ({"base": (["o-1"], ["o-1"]), "head": (["o-1", "o-2"], ["o-1"])}, Outcome.FAIL),
        ({"base": (["o-1"], ["o-1"]), "head": (["o-1"], ["o-1", "o-2"])}, Outcome.FAIL),
        ({"base": (["o-1"], []), "head": (["o-1"], [])}, Outcome.PASS),
    ],
)
def test_orders_that_head_alone_loses_fail(
    tmp_path: Path, orders: dict[str, object], outcome: Outcome
) -> None:
    """The same ids in both arms are different orders; what base loses too is no regression."""
    report = gate(tmp_path, orders=orders)
    assert report.verdict is outcome
    assert any(line.startswith("head: orders: ") for line in report.findings)
    failed = outcome is Outcome.FAIL
    assert {b.subject for b in report.breaches} == ({"orders"} if failed else set())
    assert (b'<failure message="' in junit(of_verdict(report))) is failed


PAID = Books().payments or ()
TWICE = Books(payments=[*PAID, ("pay-4", "chk-1", "succeeded", 8999)])
THRICE = Books(payments=[*(TWICE.payments or ()), ("pay-5", "chk-1", "succeeded", 8999)])


@pytest.mark.parametrize(
    ("base", "head", "outcome", "said"),
    [
        (Books(), Books(), Outcome.PASS, "head: payments: 2 succeeded, $100.49"),
        (Books(), TWICE, Outcome.FAIL, "head: orders: 1 customer charged twice, $89.99: chk-1"),
        (TWICE, TWICE, Outcome.PASS, "base: orders: 1 customer charged twice, $89.99: chk-1"),
        (TWICE, Books(stock=[("SKU-1", 1)]), Outcome.FAIL, "sold beyond the stock"),
        (TWICE, THRICE, Outcome.INCONCLUSIVE, "head: orders: 1 customer charged more than once"),
        (Books(payments=None), Books(), Outcome.INVALID, ""),
        (Books(), Books(payments=None), Outcome.INCONCLUSIVE, ""),
    ],
)
def test_what_head_alone_does_to_its_customers_money_fails(
    tmp_path: Path, base: Books, head: Books, outcome: Outcome, said: str
) -> None:
    """In each way by itself; what base does too is no regression, and more of it no PASS."""
    report = gate(tmp_path, books={"base": base, "head": head})
    assert report.verdict is outcome, report.summary
    assert any(said in line for line in report.findings)
    assert {b.subject for b in report.breaches} == (
        {"orders"} if outcome is Outcome.FAIL else set()
    )


def test_a_head_of_which_less_is_known_cannot_pass(tmp_path: Path) -> None:
    """Its ledger knows no money, and base's does; the other way round it is no worse than base."""
    for arm, other in (("head", "base"), ("base", "head")):
        run = PairedRecording(
            rounds=16, books={other: Books()}, orders={arm: (["ord-1"], ["ord-1"])}
        ).write(tmp_path / arm)
        report = judged(run, THRESHOLDS)
        assert report.verdict is (Outcome.INCONCLUSIVE if arm == "head" else Outcome.PASS)
        said = "head's ledgers do not say what base's do"
        assert any(said in reason for reason in report.inconclusive_reasons) is (arm == "head")


@pytest.mark.parametrize("at_s", [1.5, 9.0])
def test_a_head_that_restarts_fails(tmp_path: Path, at_s: float) -> None:
    """Base stayed up, in the same rounds on the same host; in warm-up rounds as well."""
    report = gate(tmp_path, restarted_s={"cart-service@head": at_s})
    assert report.verdict is Outcome.FAIL
    (breach,) = report.breaches
    assert (breach.subject, breach.metric, breach.actual) == ("cart-service@head", "restarts", 1)
    assert breach.because.endswith("; base did not")
    assert b"restarted before" in junit(of_verdict(report))


@pytest.mark.parametrize("spoilt", [{"locust_requests": None}, {"recorded": "many"}])
def test_spoilt_closing_counts_are_invalid(tmp_path: Path, spoilt: dict[str, object]) -> None:
    """Never an exception."""
    assert gate(tmp_path, **THIN, closing=spoilt).verdict is Outcome.INVALID


def test_a_worker_that_was_lost_for_good_spoils_a_pass(tmp_path: Path) -> None:
    """Whose requests it had under way, base's or head's, and how they ended, nobody knows."""
    report = gate(tmp_path, closing={"unfinished": ["locust-worker-02"]})
    assert report.verdict is Outcome.INCONCLUSIVE
    said = "\n".join(report.inconclusive_reasons)
    assert "locust-worker-02 never sent its last report" in said


def test_a_run_that_none_of_it_spoils(tmp_path: Path) -> None:
    """The same small recording without any of it is evidence."""
    assert gate(tmp_path, **THIN).invalid_reasons == ()


def test_requests_that_do_not_fit_the_users_are_invalid(tmp_path: Path) -> None:
    """Little's law: half of the load went missing without anybody saying so."""
    run = PairedRecording(rounds=16, per_slot=200).write(tmp_path / "run")
    text = run.manifest.read_text()
    users = text.split('"users": ')[1].split(",")[0].split("\n")[0]
    text = text.replace(f'"users": {users}', f'"users": {2 * int(users)}')
    close_run(run, Manifest.model_validate_json(text))
    report = judged(run, THRESHOLDS)
    assert any(line.startswith("request rate of base") for line in report.invalid_reasons)


def test_damaged_lines_are_invalid(tmp_path: Path) -> None:
    """A log cut at any byte is damage, and no traceback."""
    run = PairedRecording(rounds=16, **THIN).write(tmp_path / "run")
    run.latency.write_bytes(run.latency.read_bytes()[:-100])
    report = judged(run, THRESHOLDS)
    assert any("damaged files 2" in line for line in report.invalid_reasons)


def test_a_slot_of_head_without_load_cannot_pass(tmp_path: Path) -> None:
    """Base had load in that round and head had none: not the bench's fault, and not a PASS."""
    report = gate(tmp_path, without_load=[(5, "head")])
    assert report.verdict is Outcome.INCONCLUSIVE
    assert any("no requests in 1 of 32 slots" in line for line in report.inconclusive_reasons)


HANGS = [(slot, "head") for slot in range(9, 16)]


def test_a_head_that_hangs_from_a_round_on_fails_and_the_step_is_named(tmp_path: Path) -> None:
    """One round of timeouts, then nothing begins any more: FAIL, not "cannot tell"."""
    report = gate(tmp_path, failing=[(8, "head")], without_load=HANGS)
    assert report.verdict is Outcome.FAIL, report.summary
    assert "from round 10 on" in report.summary
    assert "most failures of head: 400 of browse, http_500" in report.summary


def test_what_is_only_a_lower_bound_says_so_in_a_gate_as_well(tmp_path: Path) -> None:
    """Requests that ran into their deadline: how long they would have taken is not known."""
    report = gate(tmp_path, failing=[(8, "head")], without_load=HANGS, failure="timeout")
    p99 = {m.subject: m for m in report.measurements if m.metric == "p99"}
    assert p99["browse@head"].at_least
    assert not p99["browse@base"].at_least


def test_slots_that_both_arms_lost_are_nobody_s_fault(tmp_path: Path) -> None:
    """Base was as dead as head: the bench is no evidence."""
    both = [*HANGS, *((slot, "base") for slot, _ in HANGS)]
    report = gate(tmp_path, failing=[(8, "head")], without_load=both)
    assert report.verdict is Outcome.INVALID


def test_slots_of_head_that_are_empty_for_no_reason_prove_nothing(tmp_path: Path) -> None:
    """No request of head failed: nobody can say that it was head's doing, and it is no PASS."""
    assert gate(tmp_path, without_load=HANGS).verdict is Outcome.INCONCLUSIVE
