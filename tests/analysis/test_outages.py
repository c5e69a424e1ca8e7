"""What broke is named from what clients and services saw, each kind by its signature."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from recording.series import Sample
from tests.analysis.recordings import END_S, RATE, Recording

LIMITS = parse_thresholds('[journey]\nerrors = ["error_rate < 1 %"]')
STEPS = 7
SECONDS = range(20, 25)


def findings(folder: Path, recording: Recording) -> list[str]:
    return list(judge(recording.write(folder / "run"), LIMITS).findings)


def broken(step: str, outcome: str, **more: object) -> Recording:
    """Every request of a step comes out so, for five seconds."""
    return replace(Recording(), breaks={step: outcome}, breaks_s=SECONDS, **more)  # type: ignore[arg-type]


def counters(
    subject: str, per_s: Mapping[str, float], then: Mapping[str, float]
) -> Iterator[Sample]:
    """Requests that a service counts by status: so many a second, and others while it is broken."""
    total = dict.fromkeys((*per_s, *then), 0.0)
    for second in range(int(END_S) + 1):
        for status, value in total.items():
            yield Sample(second, subject, f"http_requests_total/{status}", value)
            total[status] += (then if second in SECONDS else per_s).get(status, 0.0)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("connection_refused", "connections refused"),
        ("connection_reset", "connections reset"),
        ("connection_closed", "connections closed without an answer"),
        ("truncated", "answers broken off"),
        ("timeout", "no whole answer in time"),
        ("bad_body: not a JSON object", "answers malformed"),
        ("unavailable", "503 Service Unavailable"),
    ],
)
def test_an_outcome_names_the_service_its_step_and_when(
    tmp_path: Path, outcome: str, said: str
) -> None:
    """One finding, and none of any other service."""
    (found,) = (f for f in findings(tmp_path, broken("charge", outcome)) if said in f)
    n = sum(int((s + 1) * RATE / STEPS) - int(s * RATE / STEPS) for s in SECONDS)
    begins = (
        f"payment-gateway: {said}, {n} of {n} requests that began between T+20s and T+25s (charge: "
    )
    assert found.startswith(begins + outcome)


def test_answers_that_a_service_counts_and_no_client_got_are_lost(tmp_path: Path) -> None:
    """It went on counting 200s; where it counts none, the requests never reached it."""
    rate = RATE / STEPS
    served = tuple(counters("payment-gateway", {"200": rate}, {"200": rate}))
    closed = broken("charge", "connection_closed", samples=served)
    assert any("answers lost: by its own count it gave" in f for f in findings(tmp_path, closed))
    unserved = replace(closed, samples=tuple(counters("payment-gateway", {"200": rate}, {})))
    said = findings(tmp_path / "unserved", unserved)
    assert any("connections closed" in f for f in said)
    assert not any("answers lost" in f for f in said)


def test_orders_that_no_client_saw_are_counted_in_the_ledger(tmp_path: Path) -> None:
    """Those made in the stretch."""
    late = 60.0
    ledger: Sequence[tuple[float, str]] = ((20.5, "ord-1"), (22.0, "ord-2"), (30.0, "ord-3"))
    lost = broken("confirm", "connection_closed", ledger=ledger, orders=("ord-3",), end_s=late)
    said = findings(tmp_path, lost)
    assert any("answers lost: 2 orders in the ledger that no client saw" in f for f in said)


def test_a_service_that_is_called_is_named_by_its_own_counters(tmp_path: Path) -> None:
    """checkout fails, and the locks that it asks for answered 502; one replica gave none."""
    locks = "inventory-lock-service"
    pools = (
        Sample(s, locks, f"connection_pool_acquire_seconds_count/locks/{r}", float(n))
        for s in range(int(END_S) + 1)
        for r, n in (("0", s), ("1", s if s < SECONDS[0] else SECONDS[0]))
    )
    counted = counters(locks, {"200": 20.0}, {"200": 10.0, "502": 10.0})
    failed = broken("start_checkout", "unavailable", samples=(*counted, *pools))
    (said,) = (f for f in findings(tmp_path, failed) if "Service Unavailable" in f)
    assert said.startswith("checkout-service: ")
    assert f"they call {locks}: 50 of its 100 answers were 5xx, its pool locks/1 gave no" in said


def test_a_stray_failure_is_no_cause(tmp_path: Path) -> None:
    """Two of a service's hundreds, all through the run."""
    stray = replace(Recording(), outcomes={"charge": {"ok": 0.99, "connection_reset": 0.01}})
    assert not any("connections reset" in f for f in findings(tmp_path, stray))


def test_what_was_planted_is_shown_and_not_needed(tmp_path: Path) -> None:
    """Beside the causes, which are the same without it."""
    about = {"service": "payment-gateway", "kind": "reset_peer", "source": "harness"}
    events = (
        {"t_s": 20.0, "event": "fault_started", **about},
        {"t_s": 25.0, "event": "fault_ended", **about},
    )
    plain = broken("charge", "connection_reset")
    with_events = findings(tmp_path, replace(plain, events=events))
    line = "planted: reset_peer at payment-gateway from T+20s for 5s"
    assert [f for f in with_events if f != line] == findings(tmp_path / "plain", plain)
    assert line in with_events
