"""What a service's OpenAPI document says of its endpoints.

Documentation alone: a running service checks no answer against it, so no request pays for it.
The tests do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

Dollars = Annotated[str, Field(pattern=r"^\$\d+\.\d\d$", examples=["$89.99"])]
"""An amount as the APIs write it."""


class Described(BaseModel):
    """The body of an answer: it has what is documented and nothing else."""

    model_config = ConfigDict(extra="forbid")


class Problem(Described):
    """An answer that is no success."""

    error: str = Field(description="the kind of problem, for programs")
    message: str = Field(description="what is wrong and what is allowed, for people")


class WrongField(Described):
    """One field of a request, or `body` for all of it."""

    field: str
    message: str


class Invalid(Problem):
    """A request that nothing was done for."""

    fields: list[WrongField] = Field(
        default_factory=list, description="every field that is wrong; none where it is none of them"
    )


class PoolExhausted(Problem):
    """No connection came free in time."""

    pool_max: int = Field(ge=1, description="connections in the pool")
    pool_active: int = Field(ge=0, description="of them taken")
    pool_waiting: int = Field(ge=0, description="callers who wait for one")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one status means. `model` is a pydantic model, or a union of some."""

    text: str
    model: Any = Problem
    headers: tuple[str, ...] = ()


UNAVAILABLE = Answer(
    "no connection came free in time, nothing of what is needed, or planted (`unavailable_share`)",
    PoolExhausted | Problem,
    ("Retry-After",),
)


@dataclass(frozen=True, slots=True)
class Contract:
    """What an endpoint answers beside what all of them do, and a request that works."""

    answers: Mapping[int, Answer] = field(default_factory=dict)
    example: Mapping[str, Any] = field(default_factory=dict)
    how: str = ""
    """Where the ids of the example come from."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of what the body's model checks in code."""
    headers: tuple[str, ...] = ()
    """Of all its answers."""
    parameters: tuple[Mapping[str, Any], ...] = ()
    """Headers of a request that its handler reads by hand."""
    internal: bool = False
    """Whether only services may call it."""


NOTHING_MORE = Contract()

_STAMPS = ("X-Request-ID", "X-Response-Time")
_COUNT = {"type": "integer", "minimum": 0}
_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "X-Request-ID": {
        "description": "that of the request, or one made for it",
        "required": True,
        "schema": {"type": "string", "maxLength": 200},
    },
    "X-Response-Time": {
        "description": "time from the request to its answer, for example 208ms",
        "required": True,
        "schema": {"type": "string", "pattern": r"^\d+ms$"},
    },
    "X-Modelled-Time": {
        "description": "how much of the response time was drawn and not worked (ms)",
        "schema": {"type": "number", "minimum": 0},
    },
    "Retry-After": {"description": "when to come again (seconds)", "schema": _COUNT},
    "X-RateLimit-Limit": {"description": "charges a second; none without limit", "schema": _COUNT},
    "X-RateLimit-Remaining": {"description": "charges left at once", "schema": _COUNT},
    "X-RateLimit-Reset": {"description": "until all are left again (seconds)", "schema": _COUNT},
    "Idempotent-Replayed": {
        "description": "this is the stored answer to an earlier request with the same key",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
_UNREAD = {
    408: Answer("the request did not come whole in time; the connection is closed"),
    431: Answer("the request line and headers are too long; the connection is closed"),
}
"""Answered by the server before there is a request."""
BODY_TOO_LONG = Answer("the body is longer than 1 MB; the connection is closed")
_EVERYWHERE = {
    400: Answer("the request is not valid; all that is wrong is said", Invalid),
    401: Answer("no token of the load test"),
    403: Answer("this token may not do it; live keys never may"),
    413: BODY_TOO_LONG,
    500: Answer("a fault of the service, planted (`error_share`) or not"),
    503: UNAVAILABLE,
}
_REQUEST_ID = {
    "in": "header",
    "name": "X-Request-ID",
    "description": "comes back in the answer and goes on to other services; cut at 200 characters",
    "schema": {"type": "string"},
    "example": "lt-req-2025-09-22-000001",
}
_SCHEMES = {
    "user": {
        "type": "http",
        "scheme": "bearer",
        "description": "`lt-user-token-NNNNN` of the user `lt-user-NNNNN`",
    },
    "service": {
        "type": "http",
        "scheme": "bearer",
        "description": "`lt-svc-token-<name>`, by which services call each other",
    },
    "admin": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Admin-Token",
        "description": "MOCK_ADMIN_TOKEN of the service's environment",
    },
}


def exactly_one(*fields: str) -> dict[str, Any]:
    """JSON schema of an object of which one of these fields is a string, and the others are not."""
    return {
        "oneOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in fields]
    }


def business(contract: Contract) -> dict[str, Any]:
    """What FastAPI is told of a business endpoint."""
    callers = ("service",) if contract.internal else ("user", "service")
    extra: dict[str, Any] = {
        "security": [{caller: []} for caller in callers],
        "parameters": [_REQUEST_ID, *contract.parameters],
    }
    if contract.example:
        shown = {"load test": {"value": contract.example, "description": contract.how}}
        content = {"application/json": {"schema": contract.body, "examples": shown}}
        extra["requestBody"] = {"content": content}
    told = responses({**_EVERYWHERE, **contract.answers}, contract.headers)
    return {"responses": told, "openapi_extra": extra}


def responses(
    answers: Mapping[int, Answer], headers: tuple[str, ...] = ()
) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses`, with those that any request can have."""
    stamped = {status: _response(answer, headers) for status, answer in answers.items()}
    unread = {status: _response(answer, (), ()) for status, answer in _UNREAD.items()}
    return dict(sorted({**stamped, **unread}.items()))


def _response(
    answer: Answer, headers: tuple[str, ...], stamps: tuple[str, ...] = _STAMPS
) -> dict[str, Any]:
    names = (*stamps, *headers, *answer.headers)
    return {
        "description": answer.text,
        "model": answer.model,
        "headers": {name: _HEADERS[name] for name in names},
    }


def install(app: FastAPI) -> None:
    """Let the app's document tell of tokens, and not of FastAPI's 422: ours is 400."""
    generate = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _correct(generate())
        return generate()

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way


def _correct(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
    components = document["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = _SCHEMES
