"""What a service stops saying, or says as "unknown", is not zero."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome
from recording.events import METRICS_VANISHED
from recording.series import Sample
from tests.analysis.recordings import Recording
from tests.analysis.test_unknown import LOCKS, requests, row, verdict

Said = Callable[[Sample], float | None]
POOL, PROCESS, MEMORY, ERRORS = (
    f"{LOCKS}.{kind}" for kind in ("pool", "process", "memory", "errors")
)
RESIDENT = "process_resident_memory_bytes"
ACTIVE, WAITING, MAX = (f"connection_pool_{name}" for name in ("active", "waiting", "max"))
WAITS = "connection_pool_acquire_seconds_bucket"
TIMEOUTS, CPU = "connection_pool_timeouts_total", "process_cpu_seconds_total"


def only(metric: str, when: Callable[[float], bool]) -> Said:
    """A metric (and those whose names begin so) that is there at some times only."""
    return lambda s: s.value if not s.metric.startswith(metric) or when(s.t_s) else None


def always(metric: str, value: float) -> Said:
    """A metric that has one value, whatever happens."""
    return lambda s: value if s.metric.startswith(metric) else s.value


def early(t_s: float) -> bool:
    return t_s <= 20


def late(t_s: float) -> bool:
    return t_s > 30


def never_while_measured(t_s: float) -> bool:
    return t_s < 5


def with_a_hole(t_s: float) -> bool:
    return t_s != 25


@pytest.mark.parametrize(
    ("section", "rule", "said"),
    [
        (POOL, "exhausted_windows == 0", only(ACTIVE, early)),
        (POOL, "exhausted_windows == 0", only(ACTIVE, with_a_hole)),
        (POOL, "exhausted_windows == 0", only("connection_pool", early)),
        (POOL, "exhausted_windows == 0", only("connection_pool", never_while_measured)),
        (POOL, "exhausted_windows == 0", always(WAITING, -1)),
        (POOL, "exhausted_windows == 0", always(TIMEOUTS, -1)),
        (POOL, "utilization < 95 %", only("connection_pool", early)),
        (POOL, "utilization < 95 %", only(MAX, late)),
        (POOL, "utilization < 95 %", always(ACTIVE, -1)),
        (POOL, "peak_waiting == 0", only(WAITING, early)),
        (POOL, "peak_waiting == 0", always(WAITING, -1)),
        (POOL, "timeouts == 0", only(TIMEOUTS, early)),
        (POOL, "timeouts == 0", always(TIMEOUTS, -1)),
        (PROCESS, "restarts == 0", only(CPU, early)),
        (PROCESS, "restarts == 0", only(CPU, never_while_measured)),
        (MEMORY, "peak_rss < 9 GB", only(RESIDENT, early)),
        (MEMORY, "slope < 90000 MB/h", only(RESIDENT, early)),
    ],
)
def test_what_a_service_stops_saying_proves_nothing(
    tmp_path: Path, section: str, rule: str, said: Said
) -> None:
    """Half of a recording, or a sign for "unknown", keeps no rule."""
    found = row(tmp_path, section, rule, said=said)
    assert found.outcome is Outcome.INCONCLUSIVE


def test_an_exhaustion_before_the_silence_still_fails(tmp_path: Path) -> None:
    """What was seen was seen."""
    pool = ((0.0, 10.0, 2.0, 0.0), (12.0, 10.0, 10.0, 3.0), (15.0, 10.0, 2.0, 0.0))
    found = row(tmp_path, POOL, "exhausted_windows == 0", pool=pool, said=only(ACTIVE, early))
    assert found.outcome is Outcome.FAIL


def test_a_pool_may_appear_late(tmp_path: Path) -> None:
    """Before its first sample it may not have been there."""
    found = row(tmp_path, POOL, "exhausted_windows == 0", said=only("connection_pool", late))
    assert found.outcome is Outcome.PASS


def vanished(subject: str, *metrics: str) -> dict[str, Any]:
    """What the sampler notes of those that are written when they change."""
    row = {"t_s": 25.0, "source": "sampler", "event": METRICS_VANISHED}
    return row | {"subject": subject, "metrics": [*metrics], "from_s": 25.0}


@pytest.mark.parametrize(
    ("rule", "gone", "because"),
    [
        ("utilization < 95 %", f"{MAX}/p/0", f"no {MAX}, or an unlimited one in some samples"),
        ("acquire_wait_p99 < 50 ms", f"{WAITS}/p/0/+Inf", f"no {WAITS} since T+25s"),
        ("acquire_wait_p99 < 50 ms", f"{WAITS}/p/0/0.01", f"no {WAITS} since T+25s"),
    ],
)
def test_what_is_written_when_it_changes_is_not_taken_for_unchanged(
    tmp_path: Path, rule: str, gone: str, because: str
) -> None:
    """Once a service tells it no more; of another pool, or one told again, it means nothing."""
    waits = [
        Sample(t, LOCKS, f"{WAITS}/p/0/{le}", t * 20.0) for t in (0, 20) for le in (0.01, "+Inf")
    ]
    made: dict[str, Any] = {"samples": waits, "said": only(MAX, lambda t_s: t_s == 0)}
    other = vanished(LOCKS, gone.replace("/p/0", "/q/0")), vanished("cart-service", gone)
    assert row(tmp_path / "a", POOL, rule, events=other, **made).outcome is Outcome.PASS
    found = row(tmp_path / "b", POOL, rule, events=[vanished(LOCKS, gone)], **made)
    assert (found.outcome, because in found.because) == (Outcome.INCONCLUSIVE, True)
    made["samples"] = [*waits, Sample(30, LOCKS, gone, 400.0 if WAITS in gone else 10.0)]
    made["said"] = lambda s: s.value if not s.metric.startswith(MAX) or s.t_s in (0, 30) else None
    again = row(tmp_path / "c", POOL, rule, events=[vanished(LOCKS, gone)], **made)
    assert again.outcome is Outcome.PASS


@pytest.mark.parametrize(
    "spoilt", [{"from_s": "x"}, {"metrics": 5}, {"metrics": [None]}, {"from_s": -1}]
)
def test_a_note_that_is_none_harms_nothing(tmp_path: Path, spoilt: dict[str, Any]) -> None:
    """Somebody may have edited the events."""
    events = [vanished(LOCKS, f"{MAX}/p/0") | spoilt]
    assert row(tmp_path, POOL, "utilization < 95 %", events=events).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        (POOL, "utilization < 95 %"),
        (POOL, "exhausted_windows == 0"),
        (PROCESS, "restarts == 0"),
        (MEMORY, "peak_rss < 9 GB"),
    ],
)
def test_a_page_that_is_not_renewed_proves_nothing(tmp_path: Path, section: str, rule: str) -> None:
    """Something between keeps one, and hands it out for the whole run."""
    subject, _, kind = section.partition(".")
    limits = parse_thresholds(f'[{subject}]\n{kind} = ["{rule}"]')
    served: dict[str, Any] = {"steps": ("start_checkout",), "judged": (kind,), "rate": 100.0}
    kept: dict[str, float] = {}

    def old(sample: Sample) -> float:
        return (
            sample.value
            if sample.subject != LOCKS
            else kept.setdefault(sample.metric, sample.value)
        )

    for name, said in (("fresh", None), ("old", old)):
        made = served if said is None else served | {"said": said}
        found = judge(Recording(**made).write(tmp_path / name), limits)
        outcome = Outcome.PASS if said is None else Outcome.INCONCLUSIVE
        assert found.verdict is outcome, found.summary
        told = f"{LOCKS}: {CPU} stood still" in " ".join(found.findings)
        assert told == (said is not None)


def test_a_replica_may_be_taken_away(tmp_path: Path) -> None:
    """Its pool is no longer told of, and that of another replica is."""
    names = {ACTIVE: 2.0, WAITING: 0.0, MAX: 10.0, TIMEOUTS: 0.0}
    other = [Sample(t, LOCKS, f"{n}/p/1", v) for t in range(20) for n, v in names.items()]
    found = row(tmp_path, POOL, "exhausted_windows == 0", samples=other)
    assert found.outcome is Outcome.PASS


def test_one_start_time_is_not_told_exactly(tmp_path: Path) -> None:
    """Exporters reckon it from clocks that are corrected: a tenth of a second is no restart."""
    starts = [Sample(t, LOCKS, "process_start_time_seconds", 5.0 + t % 2 / 10) for t in range(41)]
    assert row(tmp_path, PROCESS, "restarts == 0", samples=starts).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "samples",
    [
        [sample for sample in requests("/200", 100.0) if sample.t_s < 20],
        [*requests("/200", 100.0), *requests("/500", -100.0)],
    ],
    ids=["the counter ends", "it counts below zero"],
)
def test_a_request_counter_that_ends_says_nothing(tmp_path: Path, samples: list[Sample]) -> None:
    """How many of the others failed is not known."""
    found = row(tmp_path, ERRORS, "error_rate < 1 %", samples=samples)
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_request_counter_begins_with_the_first_request(tmp_path: Path) -> None:
    """Nobody asked before, and nothing failed."""
    samples = [sample for sample in requests("/200", 100.0) if sample.t_s > 30]
    assert row(tmp_path, ERRORS, "error_rate < 1 %", samples=samples).outcome is Outcome.PASS


@pytest.mark.parametrize("bound", ["0,05", "fast", ""])
def test_a_bucket_without_a_bound_spoils_no_run(tmp_path: Path, bound: str) -> None:
    """Whatever an exporter writes there."""
    name = f"connection_pool_acquire_seconds_bucket/p/0/{bound}"
    found = row(tmp_path, POOL, "exhausted_windows == 0", samples=[Sample(0, LOCKS, name, 3.0)])
    assert found.outcome is Outcome.PASS


@pytest.mark.parametrize(("callers", "outcome"), [(20, "INCONCLUSIVE"), (400, "PASS")])
def test_the_wait_of_few_callers_is_not_decided(tmp_path: Path, callers: int, outcome: str) -> None:
    """A p99 takes 368, of callers as of requests."""
    name = "connection_pool_acquire_seconds_bucket/p/0"
    waits = [
        Sample(t, LOCKS, f"{name}/{le}", t * callers / 20)
        for t in (0, 20)
        for le in ("0.01", "+Inf")
    ]
    found = row(tmp_path, POOL, "acquire_wait_p99 < 50 ms", samples=waits)
    assert found.outcome.value == outcome


@pytest.mark.parametrize(
    ("rule", "seen", "ledger", "many"),
    [
        ("lost == 0", ["ord-1"] * 50, [(20.0, "ord-1")], 49),
        ("unmatched == 0", ["ord-1"], [(2.0, "ord-1")] * 5, 4),
    ],
)
def test_an_order_is_one_however_many_share_its_id(
    tmp_path: Path, rule: str, seen: list[str], ledger: list[tuple[float, str]], many: int
) -> None:
    """Of fifty clients with one id 49 have no order; of five entries four are too many."""
    found = row(tmp_path, "orders.orders", rule, orders=seen, ledger=ledger)
    assert (found.outcome, found.measurement.value) == (Outcome.FAIL, many)


def test_a_run_in_which_nothing_was_decided_does_not_pass(tmp_path: Path) -> None:
    """Even where the profile requires nothing."""
    found = verdict(tmp_path, "charge.errors", "error_rate < 0.1 %", required=())
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "no rule could be decided" in found.inconclusive_reasons


def test_what_must_be_decided_needs_a_rule(tmp_path: Path) -> None:
    """A section that a profile names and thresholds.toml leaves out is open."""
    found = verdict(tmp_path, "charge.latency", "p50 < 9 s", required=("journey.errors",))
    assert found.verdict is Outcome.INCONCLUSIVE
    assert "journey.errors must be decided" in found.summary


def test_no_sample_at_all_is_never_enough(tmp_path: Path) -> None:
    """However few were due: a sampler slower than the measured phase saw nothing of it."""
    recording: dict[str, Any] = {"said": lambda s: s.value if s.t_s == 0 else None}
    found = verdict(tmp_path, "charge.latency", "p50 < 9 s", start_s=38.0, **recording)
    assert any("samples of" in reason for reason in found.invalid_reasons)
