"""How a service asks another one: own timeouts, attempts and connections."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel

from mock_services.kit.call import Call
from mock_services.kit.connections import BrokenOffError, Connections
from mock_services.kit.errors import RefusedError, error_response
from mock_services.kit.settings import ConnectedSettings

MODELLED_TIME = b"x-modelled-time"


@dataclass(frozen=True, slots=True)
class Target:
    """A service to ask, how patiently, and what its callers answer where it gives no answer."""

    name: str
    error: str
    url: str
    attempts: int
    attempt_timeout_s: float
    backoff_s: float

    @staticmethod
    def asked(name: str, error: str, url: str, told: ConnectedSettings) -> "Target":
        """One that is asked as patiently as the caller asks by default."""
        patience = told.ask_attempts, told.ask_attempt_timeout_s, told.ask_retry_backoff_s
        return Target(name, error, url, *patience)


@dataclass(frozen=True, slots=True)
class Question:
    """A request. Of the statuses that `answers` names it says what a body must be (None: any)."""

    method: str
    path: str
    answers: Mapping[int, type[BaseModel] | None]
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said: `value` is the body as the model that the question has for it.

    `attempt` counts from 0: what an earlier one asked for may have been done all the same.
    `modelled_s` is how much of its time is modelled; None when it does not say (a real one).
    """

    status: int
    body: bytes
    value: Any
    attempt: int
    modelled_s: float | None


class UnavailableError(RefusedError):
    """A service gave no usable answer, in as many attempts as allowed: 503."""

    def __init__(self, target: Target, problem: str) -> None:
        self.problem = f"{target.name} {problem} ({target.attempts} attempts)"
        super().__init__(error_response(503, target.error, self.problem))


class Downstream:
    """Keep-alive connections to other services; create it inside the event loop."""

    def __init__(self, caller: str, connections_max: int) -> None:
        """`caller` is in the service token; `connections_max` go to each service."""
        self._headers = (
            b"Authorization: Bearer lt-svc-token-%b\r\nContent-Type: application/json\r\n"
            % caller.encode()
        )
        self._most = connections_max
        self._services: dict[str, Connections] = {}

    def close(self) -> None:
        """Close all connections."""
        for connections in self._services.values():
            connections.close()

    async def ask(self, call: Call, target: Target, question: Question) -> Answer:
        """A usable answer. Raises UnavailableError when the attempts run out.

        An endpoint's latency contains the other service's own: only its queues and delays come
        on top.
        """
        began_s = time.perf_counter()
        modelled_s: float | None = None
        try:
            answer = await self._attempts(call, target, question)
            modelled_s = answer.modelled_s
            return answer
        finally:
            took_s = time.perf_counter() - began_s
            call.covers(took_s if modelled_s is None else min(took_s, modelled_s))

    async def _attempts(self, call: Call, target: Target, question: Question) -> Answer:
        problem = ""
        for attempt in range(target.attempts):
            if attempt:
                await asyncio.sleep(target.backoff_s)
            try:
                async with asyncio.timeout(target.attempt_timeout_s):
                    answer = await self._once(call, target, question, attempt)
            except TimeoutError:
                problem = f"did not answer within {target.attempt_timeout_s * 1000:.0f}ms"
            except BrokenOffError as error:
                problem = f"broke off the connection ({error})"
            except OSError as error:
                problem = f"could not be reached ({error.strerror or type(error).__name__})"
            except ValueError as error:
                problem = f"gave an answer that cannot be read ({type(error).__name__})"
            else:
                if answer.status in question.answers:
                    return answer
                problem = f"answered {answer.status}"
        raise UnavailableError(target, problem)

    async def _once(self, call: Call, target: Target, question: Question, attempt: int) -> Answer:
        """Raises ValueError for a usable status with an unusable body (pydantic's is one)."""
        body = None if question.body is None else orjson.dumps(question.body)
        own = b"X-Request-ID: %b\r\n%b" % (call.request_id.encode("latin-1"), call.trace)
        reply = await self._to(target.url).ask(question.method, question.path, own, body)
        model = question.answers.get(reply.status)
        value = model.model_validate_json(reply.body) if model else None
        told_ms = reply.headers.get(MODELLED_TIME)
        modelled_s = float(told_ms) / 1000 if told_ms else None
        return Answer(reply.status, reply.body, value, attempt, modelled_s)

    def _to(self, url: str) -> Connections:
        """Those to a service, of which there are as many as urls were ever told."""
        if (known := self._services.get(url)) is None:
            known = self._services[url] = Connections(url, self._most, self._headers)
        return known
