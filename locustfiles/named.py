"""Requests of a locustfile of somebody's own, by name, as Locust's request event tells of them.

A step is what Locust's own table has a row for: method and name. Latency and success are Locust's,
what a file says of itself with ``catch_response`` included. What it says is foreign text, and a
name for every product would be a histogram for each: names are short, printable, and only so many.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from locustfiles.allowed_hosts import HostRefusedError
from locustfiles.client import Answer
from locustfiles.outcomes import Labels, classify_error, label, of_status
from locustfiles.recorder import Recorder
from recording.hlog import UNPAIRED
from recording.outcomes import CONNECTION_ERROR, OK
from recording.text import plain

Ticket = dict[str, Any]
"""What a recorder knows of a request that is under way."""
TICKET = "loadgate"
"""The key in an event's context under which a request that was seen to begin is known."""
MOST_NAMES = 500
"""Of one process."""
OTHER_NAMES = f"other names (beyond {MOST_NAMES})"
MOST_MS = 60 * 86_400_000.0
"""No test lasts longer, and no request of one."""
_MOST_CHARS = 60
_DIGEST_CHARS = 8
_DEEPEST = 8
"""Errors within errors that are looked at."""


class Names:
    """The steps of this process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def step(self, method: object, name: object) -> str:
        """``GET /cart``; what came first keeps its name."""
        key = str(method), str(name)
        if key not in self._known:
            if len(self._known) >= MOST_NAMES:
                return OTHER_NAMES
            self._known[key] = _shown(*key)
        return self._known[key]


def _shown(method: str, name: str) -> str:
    """Those that differ only where they are cut stay apart."""
    text = f"{plain(method) or 'request'} {plain(name) or 'without a name'}"
    if len(method) + len(name) < _MOST_CHARS:
        return text
    digest = hashlib.sha256(f"{method} {name}".encode(errors="replace")).hexdigest()
    return f"{plain(text, _MOST_CHARS - _DIGEST_CHARS)}{digest[:_DIGEST_CHARS]}"


class NamedRequests:
    """Takes them into a recorder."""

    def __init__(self, recorder: Recorder, worker: str, arm_now: Callable[[], str | None]) -> None:
        """``arm_now``: that of the user who is asking, None outside a paired run."""
        self._recorder = recorder
        self._worker = worker
        self._arm_now = arm_now
        self._names, self._labels, self._numbers = Names(), Labels(), count(1)

    def begin(self, method: object, name: object, arm: str | None, *, streams: bool) -> Ticket:
        """One is about to be sent."""
        return self._begun(self._names.step(method, name), arm, streams=streams)

    def _begun(self, step: str, arm: str | None, *, streams: bool) -> Ticket:
        ticket: Ticket = {
            "step": step,
            "arm": arm or UNPAIRED,
            "request_id": f"{self._worker}-{next(self._numbers)}",
            "due_s": None,
            "order_id": None,
            "streams": streams,
        }
        self._recorder.begin(ticket)
        return ticket

    def leave(self, ticket: Ticket, *, cut_off: bool) -> None:
        """Its user was killed, or raised: Locust will never tell of it."""
        if cut_off:
            self._recorder.cut_off(ticket)
        else:
            self._recorder.forget(ticket)

    def answered(self, ticket: Ticket) -> None:
        """Its client has an answer; the file may still look at it, and never tell Locust of it."""
        if "outcome" not in ticket:
            self._recorder.forget(ticket)
            ticket["answered"] = True

    def on_request(self, **said: Any) -> None:
        """Listener of ``events.request``, for who may leave out what he likes."""
        try:
            self._record(**said)
        except Exception as error:  # noqa: BLE001 - Locust would swallow it; the judge must know
            self._recorder.note(error)

    def _record(
        self,
        request_type: object = "",
        name: object = "",
        response_time: float = 0.0,
        exception: object = None,
        context: object = None,
        response: object = None,
        **_rest: Any,
    ) -> None:
        took_ms = float(response_time)
        if not 0 <= took_ms <= MOST_MS:
            raise ValueError(f"a response time of {took_ms} ms")
        step = self._names.step(request_type, name)
        ticket = context.get(TICKET) if isinstance(context, Mapping) else None
        if ticket is None or "outcome" in ticket:
            ticket = self._begun(step, self._arm_now(), streams=True)
            ticket["sent_s"] -= took_ms / 1000
        if ticket.pop("answered", False):
            self._recorder.begin_again(ticket)
        self._recorder.rename(ticket, step)
        answer = _answer(response, exception, took_ms, streams=ticket["streams"])
        outcome = _outcome(exception, answer.status_code, by_http=response is not None)
        ticket["outcome"] = self._labels.bounded(step, outcome)
        ticket["expected"] = outcome == OK
        self._recorder.record(took_ms, answer, ticket)


def _answer(response: object, exception: object, took_ms: float, *, streams: bool) -> Answer:
    """What can be told of one without reading what its user has not read yet."""
    headers = getattr(response, "headers", None) or {}
    server = headers.get("X-Response-Time")
    head = f"\r\nX-Response-Time: {server}\r\n".encode(errors="replace") if server else b""
    content = b"" if streams or exception is None else getattr(response, "content", b"")
    content = content if isinstance(content, bytes) else str(content or "").encode()
    error = exception if isinstance(exception, Exception) else None
    status = getattr(response, "status_code", 0)
    return Answer(status if isinstance(status, int) else 0, content, head, error, 0.0, took_ms)


def _outcome(exception: object, status: int, *, by_http: bool) -> str:
    """Good is what Locust counts as good; what is wrong with a good status, the file says."""
    if not exception:
        return OK
    if status >= 400:
        return of_status(status)
    for error in _within(exception) if status == 0 else ():
        if isinstance(error, HostRefusedError):
            return "refused: not in target.allowed_hosts"
        if (known := classify_error(error)) != CONNECTION_ERROR:
            return known
    return label("failed", str(exception)) if status or not by_http else CONNECTION_ERROR


def _within(error: object) -> Iterator[Exception]:
    """An error, and those that it was made of: clients wrap what the socket said."""
    seen = [error] if isinstance(error, Exception) else []
    for outer in seen:
        yield outer
        inner = (*outer.args, outer.__cause__, outer.__context__, getattr(outer, "reason", None))
        seen += [e for e in inner if isinstance(e, Exception) and e not in seen][:_DEEPEST]
        if len(seen) > _DEEPEST:
            return
