"""locustfiles/recorder.py and collector.py: nothing recorded is lost, merged is the same as one."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locustfiles.collector import Collector
from locustfiles.exemplars import server_time_ms
from locustfiles.intervals import EvenIntervals
from locustfiles.recorder import HELD_BACK, Recorder, unpack
from recording.histogram import Histogram, merge
from recording.hlog import DISTORTION, RETRY, Tag
from recording.jsonl import read_json_lines
from recording.orders_reader import read_confirmed, read_unconfirmed
from recording.rundir import RunDir
from tests.hlog_file import read_hlog


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.t_s = 0.0

    def __call__(self) -> float:
        return self.t_s


def response(server: str | None = None, body: bytes = b"", status: int = 200) -> SimpleNamespace:
    head = "HTTP/1.1 200 OK\r\n" + (f"x-response-time: {server}\r\n" if server else "") + "\r\n"
    waited = {"opening_ms": 0.0, "hops_ms": 0.0}
    return SimpleNamespace(
        head=head.encode(), content=body, status_code=status, error=None, **waited
    )


def begun(number: int = 1, due_s: float | None = None) -> dict[str, Any]:
    """What the recorder knows of a request when it begins."""
    ids = {"request_id": f"lt-req-{number}", "traceparent": f"00-{number:032x}-{number:016x}-01"}
    return {"step": "browse", "arm": "run", "due_s": due_s} | ids


def answered(outcome: str = "ok", order: str | None = None) -> dict[str, Any]:
    """What it is told besides at the end."""
    return {"outcome": outcome, "expected": outcome in ("ok", "declined"), "order_id": order}


def record(
    recorder: Recorder,
    latency_ms: float,
    answer: SimpleNamespace | None = None,
    outcome: str = "ok",
    order: str | None = None,
) -> None:
    """A request that began and ended now."""
    context = begun()
    recorder.begin(context)
    context |= answered(outcome, order)
    recorder.on_request(latency_ms, answer or response(), context)


def tags_of(recorder: Recorder) -> dict[int, dict[str, int]]:
    """What the last report holds: requests by interval and tag."""
    intervals = recorder.take(final=True)["intervals"]
    return {i: {str(tag): h.n for tag, h in unpack(packed)} for i, packed in intervals}


def run_dir(root: Path) -> RunDir:
    run = RunDir(root)
    run.ledger.mkdir(parents=True)
    return run


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0.01, 60_000)), min_size=1, max_size=200))
def test_two_workers_merged_equal_one_process(
    tmp_path_factory: pytest.TempPathFactory, requests: list[tuple[int, float]]
) -> None:
    """Whatever the split, the log holds the same histogram as one recorder that saw all."""
    clock = Clock()
    recorders = [Recorder(clock, EvenIntervals(1.0)), Recorder(clock, EvenIntervals(1.0))]
    run = run_dir(tmp_path_factory.mktemp("run"))
    collector = Collector(run, 0.0, EvenIntervals(1.0))
    for number, (worker, latency_ms) in enumerate(requests):
        clock.t_s = number / 40
        record(recorders[worker], latency_ms)
        if number % 50 == 49:
            _report(collector, recorders, clock, final=False)
    _report(collector, recorders, clock, final=True)
    collector.close(clock.t_s, len(requests), 0)
    merged = merge(i.histogram for i in read_hlog(run.latency).intervals)
    raw = Histogram.from_values(np.rint([1000 * ms for _, ms in requests]))
    assert np.array_equal(merged.indices, raw.indices)
    assert np.array_equal(merged.counts, raw.counts)
    (closing,) = [
        row for row in read_json_lines(run.events)[0] if row["event"] == "generator_ended"
    ]
    assert closing["recorded"] == len(requests)


def _report(collector: Collector, recorders: list[Recorder], clock: Clock, *, final: bool) -> None:
    for number, recorder in enumerate(recorders):
        collector.add(f"worker-{number}", recorder.take(final=final) | {"t_s": clock.t_s})


def test_an_interval_in_progress_is_kept_back_until_it_is_over() -> None:
    """A report holds only intervals that can no longer grow, unless it is the last."""
    clock = Clock()
    recorder = Recorder(clock, EvenIntervals(1.0))
    record(recorder, 5.0)
    assert recorder.take(final=False)["intervals"] == []
    clock.t_s = 1.1
    record(recorder, 7.0)
    assert [i for i, _ in recorder.take(final=False)["intervals"]] == [0]
    assert [i for i, _ in recorder.take(final=True)["intervals"]] == [1]


def test_distortion_is_client_time_minus_the_servers_own() -> None:
    """30.5 ms seen, 28 ms by the server: 2.5 ms came from host and harness, never below 0."""
    recorder = Recorder(Clock(), EvenIntervals(1.0))
    record(recorder, 30.5, response("28ms"))
    record(recorder, 27.8, response("28ms"))
    ((_, packed),) = recorder.take(final=True)["intervals"]
    found = dict(unpack(packed))
    distortion = found[Tag("browse", "ok", kind=DISTORTION)]
    assert distortion.values_us[-1] == pytest.approx(2500, rel=1e-3)
    assert distortion.values_us[0] <= 1


@pytest.mark.parametrize(
    ("text", "ms"),
    [("208ms", 208.0), ("5001ms", 5001.0), ("1.5 ms", 1.5), ("fast", None), ("", None)],
)
def test_the_servers_time_is_read_as_the_seed_writes_it(text: str, ms: float | None) -> None:
    """``208ms``; anything else is no time at all."""
    assert server_time_ms(response(text).head) == ms


def test_a_failing_listener_is_counted_not_swallowed() -> None:
    """Locust would log and forget it; the judge makes the run INVALID."""
    recorder = Recorder(Clock(), EvenIntervals(1.0))
    recorder.on_request(1.0, response(), {"step": "browse"})
    report = recorder.take(final=True)
    assert (report["errors"], report["recorded"]) == (1, 0)
    assert "KeyError" in report["last_error"]


class WordlessError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_what_a_users_task_raises_is_counted() -> None:
    """With its words, made plain; one that has none is counted too."""
    recorder = Recorder(Clock(), EvenIntervals(1.0))
    recorder.on_user_error(user_instance=None, exception=KeyError("\x1b[31mid\n::error::"), tb=None)
    recorder.on_user_error(exception=WordlessError())
    report = recorder.take(final=True)
    assert (report["raised"], report["errors"]) == (2, 0)
    assert report["last_raised"].startswith("KeyError: ")
    assert report["last_raised"].isprintable()


def test_every_failure_is_an_exemplar_with_its_body_and_request_id() -> None:
    """Failures are kept whole up to the limit, and what is left out is counted."""
    recorder = Recorder(
        Clock(), EvenIntervals(1.0), slowest_per_interval=0, failures_per_interval=2
    )
    for _ in range(3):
        record(recorder, 9.0, response(body=b'{"error":"x"}', status=503), "http_5xx")
    record(recorder, 9.0)
    report = recorder.take(final=True)
    assert [row["body"] for row in report["exemplars"]] == ['{"error":"x"}'] * 2
    assert report["exemplars"][0]["request_id"] == "lt-req-1"
    assert report["exemplars"][0]["trace_id"] == f"{1:032x}"
    assert (report["failed"], report["failures_left_out"]) == (3, 1)


def test_the_slowest_requests_of_an_interval_are_exemplars() -> None:
    """Two of five: the two slowest, whatever their order."""
    recorder = Recorder(Clock(), EvenIntervals(1.0), slowest_per_interval=2)
    for ms in (5.0, 50.0, 7.0, 40.0, 1.0):
        record(recorder, ms)
    kept = sorted(row["latency_ms"] for row in recorder.take(final=True)["exemplars"])
    assert kept == [40.0, 50.0]


def test_a_lost_worker_does_not_hold_back_the_others(tmp_path: Path) -> None:
    """Intervals wait for every live worker, at most a few intervals for a silent one."""
    clock = Clock()
    alive, silent = Recorder(clock, EvenIntervals(1.0)), Recorder(clock, EvenIntervals(1.0))
    run = run_dir(tmp_path / "run")
    collector = Collector(run, 0.0, EvenIntervals(1.0))
    collector.add("silent", silent.take(final=False) | {"t_s": 0.0})
    for second in range(3):
        clock.t_s = float(second)
        record(alive, 5.0)
    clock.t_s = 3.5
    collector.add("alive", alive.take(final=False) | {"t_s": clock.t_s})
    assert read_hlog(run.latency).intervals == ()
    clock.t_s = 9.5
    collector.add("alive", alive.take(final=False) | {"t_s": clock.t_s})
    assert len(read_hlog(run.latency).intervals) == 3
    collector.close(clock.t_s, 3, 0)


def test_confirmed_orders_reach_the_ledger_file(tmp_path: Path) -> None:
    """Every order id a client saw, once."""
    run = run_dir(tmp_path / "run")
    collector = Collector(run, 0.0, EvenIntervals(1.0))
    recorder = Recorder(Clock(), EvenIntervals(1.0))
    record(recorder, 5.0, order="ord-lt-00001")
    collector.add("w", recorder.take(final=True) | {"t_s": 0.0})
    collector.close(1.0, 1, 0)
    assert read_confirmed(run.confirmed)[0]["order_id"].to_list() == ["ord-lt-00001"]


def test_who_gave_up_and_what_was_asked_again_is_recorded(tmp_path: Path) -> None:
    """The checkout and its payment, and the wait, where the request began."""
    run = run_dir(tmp_path / "run")
    collector = Collector(run, 0.0, EvenIntervals(1.0))
    clock, recorder = _at(0.5)
    context = begun() | {"arm": "head"}
    recorder.begin(context)
    context |= answered("http_5xx")
    clock.t_s = 1.5
    recorder.on_request(1000.0, response(status=500), context)
    recorder.ask_again(context, 0.25)
    recorder.give_up(context, {"checkout_id": "chk-1", "payment_id": "pay,1"})
    collector.add("w", recorder.take(final=True) | {"t_s": 2.0})
    collector.close(2.0, 1, 1)
    found, damaged = read_unconfirmed(run.unconfirmed)
    assert found is not None
    assert (found.rows(), damaged) == ([(1.5, "chk-1", "pay,1", "head")], 0)
    waits = [i for i in read_hlog(run.latency).intervals if i.tag.kind == RETRY]
    assert [(i.start_s, str(i.tag), i.histogram.n) for i in waits] == [
        (0.0, "browse/http_5xx/head/retry", 1)
    ]
    assert waits[0].histogram.values_us[0] == pytest.approx(250_000, rel=1e-3)
    (closing,) = [r for r in read_json_lines(run.events)[0] if r["event"] == "generator_ended"]
    assert (closing["given_up"], closing["recorded"], closing["orders"]) == (1, 1, 0)


def test_a_request_belongs_to_the_interval_in_which_it_began() -> None:
    """Sent at 0.5 s and answered at 7.5 s: the interval of 0.5 s, in a line of its own."""
    clock, recorder = _at(0.5)
    context = begun()
    recorder.begin(context)
    clock.t_s = 7.5
    recorder.on_request(7000.0, response(), context | answered())
    assert tags_of(recorder) == {0: {"browse/ok/run": 1}}


def test_in_the_open_model_it_began_when_it_was_due() -> None:
    """Due at 0.5 s, sent at 2.5 s for want of a user, answered at 3.5 s: 3 s after it was due."""
    clock, recorder = _at(2.5)
    context = begun(due_s=0.5)
    recorder.begin(context)
    clock.t_s = 3.5
    recorder.on_request(1000.0, response(), context | answered())
    ((index, packed),) = recorder.take(final=True)["intervals"]
    found = {str(tag): h.values_us[0] for tag, h in unpack(packed)}
    assert index == 0
    assert found["browse/ok/run"] == pytest.approx(1e6, rel=1e-3)
    assert found["browse/ok/run/intended"] == pytest.approx(3e6, rel=1e-3)


def test_what_never_ends_is_recorded_where_it_began_with_the_age_it_reached() -> None:
    """Killed, interrupted or just the end: nothing that began may vanish."""
    clock, recorder = _at(0.5)
    recorder.begin(begun())
    clock.t_s = 4.5
    ((index, packed),) = recorder.take(final=True)["intervals"]
    ((tag, histogram),) = unpack(packed)
    assert (index, str(tag)) == (0, "browse/unanswered/run")
    assert histogram.values_us[0] == pytest.approx(4e6, rel=1e-3)


def test_what_is_older_than_its_deadline_was_a_timeout() -> None:
    """A process that slept for a minute: the request had its 30 s, and failed."""
    clock, recorder = _at(0.5)
    recorder.begin(begun())
    clock.t_s = 61.0
    assert tags_of(recorder) == {0: {"browse/timeout/run": 1}}


def test_a_killed_users_request_is_recorded_once() -> None:
    """At the kill; the last report knows nothing more of it."""
    clock, recorder = _at(0.5)
    context = begun()
    recorder.begin(context)
    clock.t_s = 0.9
    recorder.cut_off(context)
    report = recorder.take(final=True)
    assert (report["recorded"], report["cut_off"], report["begun"]) == (
        1,
        1,
        [("browse", "run", 1)],
    )


def test_an_interval_waits_for_what_began_in_it_but_not_for_ever() -> None:
    """So that most intervals are one line; a request that hangs holds back two of them."""
    clock, recorder = _at(0.5)
    record(recorder, 1.0)
    recorder.begin(begun(2))
    handed_out = []
    for clock.t_s in (1.5, 2.5, 3.5):
        handed_out.append([i for i, _ in recorder.take(final=False)["intervals"]])
    assert HELD_BACK == 2
    assert handed_out == [[], [], [0]]


def _at(t_s: float) -> tuple[Clock, Recorder]:
    clock = Clock()
    clock.t_s = t_s
    return clock, Recorder(clock, EvenIntervals(1.0), deadline_s=30.0)
