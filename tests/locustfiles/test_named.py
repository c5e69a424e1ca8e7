"""locustfiles/named.py: names and outcomes of requests that are not ours."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.allowed_hosts import HostRefusedError
from locustfiles.intervals import EvenIntervals
from locustfiles.named import MOST_NAMES, OTHER_NAMES, TICKET, NamedRequests, Names
from locustfiles.recorder import Recorder
from recording.hlog import Tag


def recorder() -> Recorder:
    return Recorder(lambda: 10.0, EvenIntervals(1.0))


def requests(into: Recorder) -> NamedRequests:
    return NamedRequests(into, "locust-worker-01", lambda: None)


def begun(into: Recorder) -> dict[str, int]:
    return {step: n for step, _, n in into.take(final=False)["begun"]}


def outcomes(**said: Any) -> list[str]:
    """What becomes of one event."""
    into = recorder()
    requests(into).on_request(request_type="GET", name="/", response_time=1.0, **said)
    packed = into.take(final=True)["intervals"][0][1]
    return [Tag.parse(tag).outcome for tag, _, _ in packed]


@given(st.lists(st.text(), min_size=1, max_size=5, unique=True))
def test_a_step_of_any_name_is_read_back_as_it_was_written(names: list[str]) -> None:
    """Short, printable, and never a subject of ours, which has no blank."""
    known = Names()
    for name in names:
        step = known.step("GET", name)
        assert Tag.parse(str(Tag(step, "ok"))).step == step
        assert step.isprintable()
        assert len(step) <= 60
        assert " " in step


def test_more_names_than_any_report_can_hold_are_one_step() -> None:
    """A name for every product would be a histogram for each; those that were there stay."""
    known = Names()
    steps = {known.step("GET", f"/product/{n}") for n in range(2 * MOST_NAMES)}
    assert len(steps) == MOST_NAMES + 1
    assert OTHER_NAMES in steps
    assert known.step("GET", "/product/0") == "GET /product/0"


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        (None, 404, "ok"),  # as the file says
        (ValueError("wrong price"), 200, "failed: wrong price"),
        (ValueError("HTTP 503"), 503, "unavailable"),
        (OSError("pool", ConnectionRefusedError()), 0, "connection_refused"),
        (OSError("Read timed out. (read timeout=2)"), 0, "timeout"),
        (OSError("pool", HostRefusedError()), 0, "refused: not in target.allowed_hosts"),
        (OSError("something"), 0, "connection_error"),
    ],
)
def test_an_outcome_is_what_the_client_met(
    error: Exception | None, status: int, outcome: str
) -> None:
    """Inside of whatever the client made of it."""
    response = SimpleNamespace(status_code=status, headers={}, content=b"{}")
    assert outcomes(exception=error, response=response) == [outcome]


def test_what_no_client_of_http_says_is_told_in_its_own_words() -> None:
    """Without a response there is no status that could tell."""
    assert outcomes(exception=ValueError("no such call")) == ["failed: no such call"]


def test_a_request_belongs_to_its_end_s_name_and_is_counted_once() -> None:
    """The name is known for certain when Locust tells of it."""
    into = recorder()
    own = requests(into)
    ticket = own.begin("GET", "/item?id=1", None, streams=False)
    own.answered(ticket)
    assert begun(into) == {}
    said = {"context": {TICKET: ticket}, "response": None}
    own.on_request(request_type="GET", name="/item", response_time=3.0, **said)
    assert (begun(into), into.recorded, into.errors) == ({"GET /item": 1}, 1, 0)
    own.on_request(request_type="GET", name="/item", response_time=3.0, **said)
    assert begun(into) == {"GET /item": 2}  # a context that somebody used again


def test_who_is_killed_leaves_a_request_that_never_ended() -> None:
    """Locust never tells of it; one that raised was none."""
    into = recorder()
    own = requests(into)
    own.leave(own.begin("GET", "/a", None, streams=False), cut_off=True)
    own.leave(own.begin("GET", "/b", None, streams=False), cut_off=False)
    assert (begun(into), into.cut_off_count) == ({"GET /a": 1}, 1)


def test_an_event_that_cannot_be_recorded_is_an_error_of_the_recorder() -> None:
    """The judge must know: Locust would swallow it."""
    into = recorder()
    requests(into).on_request(request_type="GET", name="/", response_time="soon")
    assert (into.errors, into.recorded) == (1, 0)
    requests(into).on_request(request_type="GET", name="/", response_time=float("nan"))
    assert into.errors == 2
