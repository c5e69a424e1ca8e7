"""A user of a scenario: journeys with think time, a new session every few minutes.

The scenario says whom it asks and what; the profile how often, how patiently, and from where.
"""

import functools
import itertools
import random
import time
from collections.abc import Sequence
from typing import Any, NoReturn

import gevent
from gevent import GreenletExit
from gevent.event import Event
from locust import User, task
from locust.env import Environment
from locust.exception import CatchResponseError
from locust.user.task import LOCUST_STATE_STOPPING

from loadgate_scenario import Scenario, Step, UnaskableError, Visit
from locustfiles import listeners
from locustfiles.arrivals import DISPATCHER
from locustfiles.asking import (
    Asked,
    SpoiltError,
    asked,
    header_lines,
    once_more,
    spoilt,
    spoilt_outcome,
)
from locustfiles.breaks import BREAKS
from locustfiles.client import Answer, Connection, Service
from locustfiles.cookies import Cookies
from locustfiles.outcomes import Labels, classify, classify_error, parse
from locustfiles.pause import Pause
from locustfiles.plan import PLAN
from locustfiles.retries import retry_wait_s
from locustfiles.rows import Deal, Row
from locustfiles.shares import Shares
from locustfiles.timetable import TIMETABLE
from locustfiles.trace import new_traceparent
from locustfiles.traffic import names_by_url
from recording.hlog import UNPAIRED
from recording.outcomes import EXPECTED_OUTCOMES, OK
from recording.slots import ARMS, Arm

JOURNEY = PLAN.profile.journey
OPEN = PLAN.profile.load.model == "arrivals"
ACCEPTED = "gzip" if PLAN.gzip else "identity"
STAGGER_S = JOURNEY.period or 1.0
"""New users wait up to this long. Without it one batch would browse in step, and with a journey
period the ramp's length would leave a wave in the rate for good."""

LABELS = Labels()
_numbers = itertools.count()


class Abandoned(Exception):  # noqa: N818 - a way to leave, not an error
    """The journey ends here: the step failed, or the user goes no further."""


@functools.cache
def _service(base_url: str, names: str) -> Service:
    """Of the services that share the url, and of one arm, whose traffic is counted together."""
    profile = PLAN.profile
    made = Service(base_url, profile.load.request_timeout, profile.target.access)
    listeners.TRAFFIC[names] = made.traffic
    return made


@functools.cache
def _shares(_arm: Arm | None) -> Shares:
    return Shares(dealt=JOURNEY.shares == "dealt")


class Shopper(User):
    """One user; a class of its own for each scenario, with the rows of its data."""

    abstract = True
    host = "http://127.0.0.1:8001"
    scenario: Scenario
    rows: Sequence[Row] = ()

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._pauses = Pause()
        self._called = Event()
        self._due_s: float | None = None
        self._connections: dict[str, Connection] = {}
        self._base = f"Accept-Encoding: {ACCEPTED}\r\nX-Locust-Worker: {listeners.WORKER.name}\r\n"

    def stop(self, force: bool = False) -> bool:
        """Wake the user if it is pausing; a request in flight is finished first.

        Locust would kill a user that has not begun or is between two journeys (its state
        "waiting"), and the kill arrives a moment later, when the next request may be on its way:
        the shop sees a request that is recorded nowhere. So nobody is killed who can leave.
        """
        self._pauses.end()
        self._called.set()
        if force:
            return bool(super().stop(force=True))
        self._state = LOCUST_STATE_STOPPING
        return False

    def on_start(self) -> None:
        """Seed this user's own random numbers and spread out its first request."""
        own_number = next(_numbers)
        self._arm: Arm | None = ARMS[own_number % 2] if TIMETABLE is not None else None
        self._number = listeners.WORKER.user_number(own_number)
        self._random = random.Random(f"{PLAN.profile.seed}/{self._number}")
        self._shares = _shares(self._arm)
        self._sessions = 0
        self._connect()
        self._new_session()
        if PLAN.profile.load.preconnect and not self._pauses.ended:
            self._preconnect()
        if not OPEN:
            self._pause(self._random.uniform(0, STAGGER_S))

    def on_stop(self) -> None:
        """Close this user's connections: a smaller load holds fewer."""
        for connection in self._connections.values():
            connection.close()
        self._give_back()

    def _give_back(self) -> None:
        """Somebody else may be who this user was."""
        if self.rows:
            self._deal().give_back(self._number)

    @classmethod
    @functools.cache
    def _deal(cls) -> Deal:
        return Deal(cls.rows, listeners.WORKER.index, listeners.WORKER.count)

    def _connect(self) -> None:
        """A connection of one's own to every service, one for all that share a url.

        Steps whose service, or that themselves, are not there in this arm are left out.
        """
        every = self.scenario.every
        urls = {step.service: listeners.base_url(self, step.service, self._arm) for step in every}
        named = names_by_url(urls, self._arm)
        self._cookies = Cookies() if self.scenario.users.cookies else None
        opened = {
            url: Connection(_service(url, names), self._cookies) for url, names in named.items()
        }
        self._connections = {name: opened[url] for name, url in urls.items() if url}
        there = (step for step in every if step.service in self._connections)
        there = (step for step in there if PLAN.has(step.name, self._arm))
        self._steps = [step for step in there if step is not self.scenario.users.log_in]

    def _preconnect(self) -> None:
        for connection in self._connections.values():
            try:
                connection.open()
            except OSError:
                return  # the first request that needs it records what is wrong

    def _new_session(self) -> None:
        session = JOURNEY.session
        self._session_ends_s = time.monotonic() + self._random.uniform(session.min, session.max)
        self._session_id = listeners.WORKER.session_id(self._number, self._sessions)
        self._session, self._unique = self._sessions, itertools.count(1)
        self._row: Row | None = None
        self._known: dict[str, Any] = {}
        self._entered, self._headers, self._typed = False, self._base, False
        self._sessions += 1
        if self._cookies is not None:
            self._cookies.clear()

    @task
    def journey(self) -> None:
        """All steps in order; most users leave on the way."""
        if OPEN:
            self._wait_for_arrival()
        elif not BREAKS.gate.is_set():
            self._wait_at_gate()
        began_s = time.monotonic()
        if OPEN or began_s > self._session_ends_s:
            self._new_session()
        with BREAKS.journey():
            self._walk(self._visit())
        if JOURNEY.period is not None and not OPEN:
            self._pause(began_s + JOURNEY.period - time.monotonic())

    def _visit(self) -> Visit:
        return Visit(
            self._random, self._row or {}, dict(self._known), self._number, self._session,
            self._session_id, self._unique, self._shares.hit,
        )  # fmt: skip

    def _walk(self, visit: Visit) -> None:
        try:
            if not self._entered:
                self._enter(visit)
            for step in self._steps:
                self._take(step, visit)
        except Abandoned:
            pass
        if not visit.asked:
            self._think()  # nothing there to ask: do not spin

    def _enter(self, visit: Visit) -> None:
        """Begin a session: who the user is, its log-in, its headers. Raises Abandoned."""
        users, what = self.scenario.users, "data"
        try:
            visit.user = self._row = self._row or self._next_row()
            if users.log_in is not None:
                self._take(users.log_in, visit)
                self._known = dict(visit.known)
            what = "headers"
            lines = header_lines(users.headers(visit)) if users.headers else ""
        except Abandoned:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the scenario's functions do
            self._spoil(self.scenario.every[0], visit, spoilt(error, f"{what}: "))
        self._typed = "content-type:" in lines.lower()
        self._headers, self._entered = lines + self._base, True

    def _next_row(self) -> Row:
        if self.rows:
            return self._deal().take(self._number)
        data = self.scenario.users.data
        return data(self._number, self._session) if callable(data) else {}

    def _take(self, step: Step, visit: Visit) -> None:
        """One step; raises Abandoned where the user leaves."""
        share = step.share
        if share is not None and not self._shares.hit(step.name, share, self._random):
            if step.optional:
                return
            raise Abandoned
        try:
            what = asked(step, visit, typed=self._typed)
        except UnaskableError:
            return
        except SpoiltError as error:
            self._spoil(step, visit, error)
        visit.asked = True
        good = self._ask(step, visit, what)
        visit.known |= {key: good[key] for key in step.takes}

    def _ask(self, step: Step, visit: Visit, what: Asked) -> dict[str, Any]:
        """Send a request, as often as the profile's users do, and think; raises Abandoned unless
        it was ok in the end."""
        for number in itertools.count(1):
            answer, context, good = self._send(step, what, again=number > 1)
            ok = context["outcome"] == OK
            wait_s = None if ok else self._wait_s(step, answer, number)
            if wait_s is None:
                break
            listeners.ask_again(context, wait_s)
            self._rest(wait_s)
            try:
                what = once_more(what, typed=self._typed)
            except SpoiltError as error:
                self._spoil(step, visit, error)
        if step.order and not ok and "checkout_id" in what.sent:
            listeners.give_up(context, what.sent)
        self._think()
        if not ok:
            raise Abandoned
        return good

    def _wait_s(self, step: Step, answer: Answer, asked_so_far: int) -> float | None:
        retries, backoff_s = step.retries or 0, JOURNEY.retry_backoff
        return retry_wait_s(retries, backoff_s, answer, asked_so_far, self._random)

    def _spoil(self, step: Step, visit: Visit, error: SpoiltError) -> NoReturn:
        """A function of the scenario raised: a failed step, of which nothing was sent."""
        context = self._context(step, listeners.WORKER.next_request_id(), new_traceparent())
        listeners.begin(context)
        context["outcome"] = LABELS.bounded(step.name, spoilt_outcome(error))
        context |= {"expected": False, "order_id": None}
        self._report(step, "", Answer(0, b"", b"", error, time.time(), 0.0), context)
        visit.asked = True
        self._think()
        raise Abandoned

    def _send(
        self, step: Step, what: Asked, *, again: bool
    ) -> tuple[Answer, dict[str, Any], dict[str, Any]]:
        """Send one request and record its outcome: the answer, the context, what it said if ok."""
        request_id = listeners.WORKER.next_request_id()
        traceparent = new_traceparent()
        headers = (
            f"{self._headers}X-Request-ID: {request_id}\r\n"
            f"traceparent: {traceparent}\r\n{what.lines}"
        )
        context = self._context(step, request_id, traceparent)
        answer = self._exchange(step, what, headers, context)
        said = parse(answer.content)
        outcome = context["outcome"] = LABELS.bounded(
            step.name, _outcome(step, what, answer, said, again=again)
        )
        context["expected"] = outcome in EXPECTED_OUTCOMES
        good = said if outcome == OK and isinstance(said, dict) else {}
        # Other answers may name an order too; confirmed is what confirm says.
        context["order_id"] = str(good[step.order]) if step.order and good else None
        self._report(step, what.target, answer, context)
        return answer, context, good

    def _context(self, step: Step, request_id: str, traceparent: str) -> dict[str, Any]:
        """What the recorder wants to know of a request beyond what Locust asks for."""
        return {
            "step": step.name,
            "arm": self._arm or UNPAIRED,
            "request_id": request_id,
            "traceparent": traceparent,
            "due_s": self._due_s - PLAN.clock.epoch_s if OPEN and self._due_s else None,
        }

    def _exchange(self, step: Step, what: Asked, headers: str, context: dict[str, Any]) -> Answer:
        """The request and its answer; the recorder knows of it before it is sent."""
        connection, redirects = self._connections[step.service], step.redirects or 0
        listeners.begin(context)
        try:
            return connection.send(step.method, what.target, headers, what.content, redirects)
        except BaseException:  # killed: a request that began must not vanish
            listeners.cut_off(context)
            raise

    def _report(self, step: Step, target: str, answer: Answer, context: dict[str, Any]) -> None:
        """Tell Locust's listeners, the recorder too; what the plan did not ask for failed."""
        failure = None
        if not context["expected"]:
            failure = CatchResponseError(f"{context['outcome']} (status {answer.status_code})")
        self.environment.events.request.fire(
            request_type=step.method,
            name=step.name,
            response_time=answer.took_ms,
            response_length=len(answer.content),
            response=answer,
            context=context,
            exception=failure,
            start_time=answer.sent_at_s,
            url=self._connections[step.service].service.url + target,
        )

    def _think(self) -> None:
        self._rest(self._random.uniform(JOURNEY.think.min, JOURNEY.think.max))

    def _rest(self, seconds: float) -> None:
        """Wait until the next request is due."""
        self._due_s = time.monotonic() + seconds
        self._pause(seconds)

    def begin(self, due_s: float) -> None:
        """An arrival: the next journey was due at ``due_s`` on the monotonic clock."""
        self._due_s = due_s
        self._called.set()

    def _wait_for_arrival(self) -> None:
        self._give_back()
        self._called.clear()
        if not self._pauses.ended:
            DISPATCHER.stand_by(self)
            self._called.wait()
        if self._pauses.ended:
            DISPATCHER.leave(self)
            raise GreenletExit

    def _wait_at_gate(self) -> None:
        """In a pause of the load; afterwards journeys begin spread out, as those of new users."""
        gevent.wait([BREAKS.gate, self._called], count=1)
        self._pause(self._random.uniform(0, STAGGER_S))

    def _pause(self, seconds: float) -> None:
        """Do nothing for a while; raises GreenletExit when the user is to stop.

        In a paired run the time of the other arm's slots does not count.
        """
        if self._arm is not None and TIMETABLE is not None:
            seconds = TIMETABLE.seconds_to(self._arm, seconds)
        if self._pauses.sleep(max(0.0, seconds)):
            raise GreenletExit


def _outcome(step: Step, what: Asked, answer: Answer, said: object, *, again: bool) -> str:
    if not answer.status_code:
        return classify_error(answer.error)
    declines = what.request.declines
    try:
        return classify(
            step, answer.status_code, said, what.sent, decline_card=declines, again=again
        )
    except Exception as error:  # noqa: BLE001 - a check of the scenario's own
        return spoilt_outcome(spoilt(error, "good: "))
