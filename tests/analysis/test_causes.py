"""Breaches are filed under what happened: meanwhile, at a service that who suffers waits for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analysis.evidence.stretches import Stretch
from analysis.limits.thresholds import parse_thresholds
from analysis.report.verdict_schema import schema
from analysis.single.incident import Incident
from analysis.words.causes import Cause, CauseKind
from analysis.words.values import Outcome, Verdict
from recording.flow import FLOW, Service, Services
from recording.profile import JOURNEY
from recording.series import Sample
from tests.analysis.incidents import (
    CARTS,
    CHECKOUT,
    LOCKS,
    PAYMENTS,
    Dry,
    Incidents,
    Struck,
    unrelated,
    verdict_of,
)

JudgeIt = Callable[..., Verdict]
FAILS, SLOW = "http_5xx", 3000.0


@pytest.fixture
def judged(tmp_path: Path) -> JudgeIt:
    """Writes a recording in which this happens, and judges it."""

    def judge_it(**happens: Any) -> Verdict:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        return verdict_of(Incidents(**happens).write(folder))

    return judge_it


def filed(verdict: Verdict, cause: Cause) -> set[str]:
    """What a cause broke, as ``subject metric``."""
    found = (verdict.breaches[place] for place in cause.breaches)
    return {f"{breach.subject} {breach.metric}" for breach in found}


def test_a_dry_pool_has_its_callers_failures_under_it(judged: JudgeIt) -> None:
    """One cause, which the summary names; who could not get a lock is a symptom."""
    scaled = {"t_s": 23.0, "source": LOCKS, "event": "scaled"}
    verdict = judged(
        dry={LOCKS: Dry(range(20, 25), timeouts=14)},
        struck={"start_checkout": Struck(range(20, 25), FAILS, SLOW)},
        events=({**scaled, "replicas_before": 2, "replicas_after": 3},),
    )
    (cause,) = verdict.causes
    assert (cause.kind, cause.subject) == (CauseKind.POOL_EXHAUSTED, LOCKS)
    assert (cause.start_s, cause.end_s) == (20.0, 25.0)
    assert cause.name == "inventory-lock pool exhausted at T+20s, 14 callers timed out"
    assert cause.evidence == (
        *("pool p 10/10", "up to 5 waiting"),
        *("scaled 2→3 at T+23s", "recovered at T+25s"),
    )
    assert filed(verdict, cause) == {
        f"{LOCKS} exhausted_windows", f"{LOCKS} utilization",
        f"{CHECKOUT}/start_checkout error_rate", f"{CHECKOUT}/start_checkout p99",
        f"{JOURNEY} error_rate", f"{JOURNEY} p99",
    }  # fmt: skip
    assert verdict.summary == cause.name
    assert any(
        "p99 3030 ms, required < 500 ms, between T+20s and T+25s" in symptom
        for symptom in cause.symptoms
    )
    (breach,) = [b for b in verdict.breaches if b.subject.endswith("/start_checkout")][:1]
    assert breach.because.startswith(f"{cause.name}: pool p 10/10; ")


def test_what_it_does_not_overlap_in_time_is_not_filed_under_it(judged: JudgeIt) -> None:
    """The same pool and the same caller, ten seconds apart."""
    verdict = judged(
        dry={LOCKS: Dry(range(14, 17))},
        struck={"start_checkout": Struck(range(30, 35), FAILS)},
    )
    pool, failing = verdict.causes
    assert filed(verdict, pool) == {f"{LOCKS} exhausted_windows", f"{LOCKS} utilization"}
    assert (failing.kind, failing.subject) == (CauseKind.FAILING, CHECKOUT)
    assert "at start_checkout between T+30s and T+35s" in failing.name
    assert not any("pool" in b.because for b in verdict.breaches if b.metric == "error_rate")


def test_callers_suffer_and_callees_do_not(judged: JudgeIt) -> None:
    """charge asks checkout; carts ask nobody, and are asked by checkout."""
    verdict = judged(
        dry={CHECKOUT: Dry(range(20, 25), timeouts=9)},
        struck={
            "charge": Struck(range(20, 25), FAILS),
            "add_to_cart": Struck(range(20, 25), FAILS),
        },
    )
    pool, carts = verdict.causes
    assert filed(verdict, pool) >= {f"{PAYMENTS}/charge error_rate"}
    assert filed(verdict, carts) >= {f"{CARTS}/add_to_cart error_rate"}
    assert carts.subject == CARTS


def test_a_service_that_no_user_talks_to_passes_it_on(judged: JudgeIt) -> None:
    """pay asks a gateway, which asks a bank: what dries up there is felt at pay."""
    bank = Services(
        (
            Service(key="a", subject=PAYMENTS, steps=("charge",), calls={"charge": ("gateway",)}),
            Service(key="b", subject="gateway", calls={"ask": (LOCKS,)}),
            Service(key="c", subject=LOCKS),
        ),
        ("charge",),
    )
    verdict = judged(
        services=bank,
        steps=("charge",),
        dry={LOCKS: Dry(range(20, 25), timeouts=9)},
        struck={"charge": Struck(range(20, 25), FAILS)},
    )
    (cause,) = verdict.causes
    assert filed(verdict, cause) >= {f"{PAYMENTS}/charge error_rate"}


def test_a_pool_that_ran_dry_for_another_is_its_symptom(judged: JudgeIt) -> None:
    """checkout's connections are held while it waits for locks; not so the other way round."""
    later = {LOCKS: Dry(range(18, 26)), CHECKOUT: Dry(range(20, 25))}
    (cause,) = judged(dry=later).causes
    assert cause.subject == LOCKS
    assert any(s.startswith("checkout pool exhausted at T+20s") for s in cause.symptoms)
    before = {LOCKS: Dry(range(20, 25)), CHECKOUT: Dry(range(14, 26))}
    assert [cause.subject for cause in judged(dry=before).causes] == [CHECKOUT, LOCKS]


def test_a_pool_dries_up_behind_a_slow_service_only_while_it_is_slow(judged: JudgeIt) -> None:
    """checkout asks carts: slow for as long they are the cause, slow all along they are not."""
    dry = {CHECKOUT: Dry(range(20, 25))}
    (cause,) = judged(dry=dry, struck={"add_to_cart": Struck(range(20, 25), took_ms=SLOW)}).causes
    assert (cause.kind, cause.subject) == (CauseKind.SLOW, CARTS)
    assert len(judged(dry=dry, latency_ms={"add_to_cart": 900.0}, rate=90.0).causes) == 2


def test_what_is_as_bad_at_other_times_is_not_its_doing(judged: JudgeIt) -> None:
    """charge asks checkout, whose pool is dry for most of the run; it is as slow before."""
    verdict = judged(dry={CHECKOUT: Dry(range(14, 34))}, latency_ms={"charge": 900.0}, rate=90.0)
    pool, slow = verdict.causes
    assert filed(verdict, pool) == {f"{CHECKOUT} exhausted_windows"}
    assert filed(verdict, slow) == {f"{PAYMENTS}/charge p99", f"{JOURNEY} p99"}


def test_a_kill_its_restart_and_what_was_refused_are_one(judged: JudgeIt) -> None:
    """The deepest is the cause."""
    verdict = judged(
        restarted_s={PAYMENTS: (22,)},
        events=({"t_s": 21.0, "source": PAYMENTS, "event": "oom_killed"},),
        struck={"charge": Struck(range(21, 23), "connection_refused", 1.0)},
    )
    (cause,) = verdict.causes
    assert (cause.kind, cause.name) == (
        CauseKind.OOM_KILLED,
        f"{PAYMENTS} killed for memory at T+21s",
    )
    assert filed(verdict, cause) >= {f"{PAYMENTS} restarts", f"{PAYMENTS}/charge error_rate"}


def test_a_promise_is_broken_by_what_broke_its_requests(tmp_path: Path) -> None:
    """Availability is filed where the errors are: one problem, and not two."""
    limits = parse_thresholds(
        f'[{CHECKOUT}]\nerrors = ["error_rate < 0.1 %"]\navailability = ["availability > 99 %"]\n'
        f'[{JOURNEY}]\navailability = ["availability > 99 %"]\n'
        f'[{LOCKS}]\npool = ["exhausted_windows == 0"]'
    )
    happens = Incidents(
        dry={LOCKS: Dry(range(20, 25))},
        struck={"start_checkout": Struck(range(20, 25), FAILS)},
    )
    verdict = verdict_of(happens.write(tmp_path / "run"), limits)
    (cause,) = verdict.causes
    assert filed(verdict, cause) >= {f"{CHECKOUT} availability", f"{JOURNEY} availability"}
    assert verdict.summary == cause.name


def test_nobody_feels_memory_that_grows() -> None:
    """It is no cause of failures that happen meanwhile, at the same service neither."""
    grows = Incident(CauseKind.MEMORY_GROWTH, LOCKS, (Stretch(0.0, 60.0),), "leaks")
    dry = Incident(CauseKind.POOL_EXHAUSTED, LOCKS, (Stretch(0.0, 60.0),), "dry")
    for step in ("", *FLOW.steps):
        assert not grows.reaches(FLOW, LOCKS, step)
    assert dry.reaches(FLOW, LOCKS, "")


def exported(waits_s: float) -> tuple[Sample, ...]:
    """How long the lock pool lets callers wait, as it says itself."""
    name = "connection_pool_wait_timeout_seconds/p/0"
    return tuple(Sample(second, LOCKS, name, waits_s) for second in range(41))


@pytest.mark.parametrize(("waits_s", "fights"), [(5.0, True), (0.5, False)])
def test_timeouts_that_fight_each_other_are_a_cause(
    judged: JudgeIt, waits_s: float, fights: bool
) -> None:
    """Callers leave after 1.7 s, the pool would have let them wait 5 s: both are in its name."""
    verdict = judged(
        dry={LOCKS: Dry(range(20, 25))},
        struck={"start_checkout": Struck(range(20, 25), "unavailable", 1700.0)},
        samples=exported(waits_s),
    )
    (cause,) = verdict.causes
    assert (cause.kind is CauseKind.CONFLICTING_TIMEOUTS) is fights
    said = "; 72 callers gave up after 1.7s, the pool keeps them waiting for 5s"
    assert (said in cause.name) is fights
    assert ("0 waits timed out at the pool" in cause.evidence) is fights


def test_failures_at_any_time_are_no_deadline(judged: JudgeIt) -> None:
    """503s that come at once say nothing of anybody's patience."""
    verdict = judged(
        dry={LOCKS: Dry(range(20, 25))},
        struck={"start_checkout": Struck(range(20, 25), "unavailable", 2.0)},
        samples=exported(5.0),
    )
    assert verdict.causes[0].kind is CauseKind.POOL_EXHAUSTED


def test_a_slow_step_is_the_journeys_cause(judged: JudgeIt) -> None:
    """Nothing happened but that it is slow: one line, of its service."""
    verdict = judged(latency_ms={"charge": 900.0}, rate=90.0)
    (cause,) = verdict.causes
    assert cause.name.startswith("payment-gateway is slow at charge throughout, p99 ")
    assert filed(verdict, cause) == {f"{PAYMENTS}/charge p99", f"{JOURNEY} p99"}
    assert verdict.summary == cause.name


def test_what_nothing_explains_stands_alone(judged: JudgeIt) -> None:
    """An order that is lost while a pool is dry."""
    verdict = judged(dry={LOCKS: Dry(range(20, 25))}, ledger=((20.0, "ord-1"),))
    (cause,) = verdict.causes
    assert {b.subject for b in verdict.breaches} - {LOCKS} == {"orders"}
    assert filed(verdict, cause) == {f"{LOCKS} exhausted_windows", f"{LOCKS} utilization"}
    assert verdict.summary.endswith("; also orders: lost is 1, required == 0")


def test_what_to_do_follows_the_cause(judged: JudgeIt) -> None:
    """Before the requests to look up."""
    verdict = judged(dry={LOCKS: Dry(range(20, 25))})
    assert verdict.next_steps[0].text.startswith(f"see what holds the connections of {LOCKS}")


def test_causes_are_in_verdict_json(judged: JudgeIt) -> None:
    """With the places of their breaches; the same bytes each time."""
    happens: dict[str, Any] = {"dry": {LOCKS: Dry(range(20, 25))}}
    first, again = (judged(**happens) for _ in range(2))
    assert first.to_json() == again.to_json()
    (cause,) = json.loads(first.to_json())["causes"]
    assert cause["kind"] == "pool_exhausted"
    assert cause["breaches"] == [0, 1]


def test_the_schema_knows_every_kind() -> None:
    """Of verdict.json."""
    items = schema()["properties"]["causes"]["items"]
    assert items["properties"]["kind"]["enum"] == list(CauseKind)


STEP_OF = {PAYMENTS: "charge", CARTS: "add_to_cart", LOCKS: "start_checkout"}
"""Where it is felt that something happens there."""


NO_SHRINKING = tuple(phase for phase in Phase if phase not in (Phase.shrink, Phase.explain))
"""Each try is a whole recording, and says what it is."""


@settings(
    phases=NO_SHRINKING,
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    pair=st.sampled_from(unrelated()),
    starts=st.tuples(st.integers(14, 28), st.integers(-3, 3)),
    lasts=st.tuples(st.integers(3, 7), st.integers(3, 7)),
    outcome=st.sampled_from(("http_5xx", "connection_reset", "unavailable")),
    swapped=st.booleans(),
)
def test_two_incidents_at_once_in_unrelated_services_stay_two(
    judged: JudgeIt,
    pair: tuple[str, str],
    starts: tuple[int, int],
    lasts: tuple[int, int],
    outcome: str,
    swapped: bool,
) -> None:
    """A pool runs dry here, requests fail there: each has its own, and no other's, under it."""
    dry, fails = reversed(pair) if swapped else pair
    if fails == LOCKS:
        dry, fails = fails, dry
    first, second = starts[0], starts[0] + starts[1]
    verdict = judged(
        dry={dry: Dry(range(first, first + lasts[0]), timeouts=7)},
        struck={
            STEP_OF[dry]: Struck(range(first, first + lasts[0]), "pool_exhausted", SLOW),
            STEP_OF[fails]: Struck(range(second, second + lasts[1]), outcome),
        },
    )
    assert verdict.verdict is not Outcome.PASS
    assert {cause.subject for cause in verdict.causes} == {dry, fails}
    for cause in verdict.causes:
        steps = {one.rpartition("/")[2].split()[0] for one in filed(verdict, cause)}
        reached = {s for s in steps if cause.subject in (FLOW.service_of(s), *FLOW.calls(s))}
        assert steps - reached <= {cause.subject, JOURNEY}
