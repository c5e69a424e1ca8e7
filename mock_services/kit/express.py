"""The short way to an endpoint.

FastAPI registers, documents and validates every endpoint, and at 500 requests/s its routing,
dependency solving and exit stacks take more CPU than all the rest of a mock. A request that is
beyond doubt (an exact path, and one input that its own pydantic model accepts as it stands)
needs none of that: the very same handler is called with the very same value. Every other
request goes FastAPI's way, untouched, so FastAPI alone says what is wrong with one.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import CoreConfig, SchemaValidator
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_services.kit.body import again

Handler = Callable[..., Awaitable[Response]]
Read = Callable[[Scope, Message], Any]
"""A request's one input. Raises ValidationError when FastAPI has to look at it."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How one endpoint is called."""

    path: str
    handler: Handler
    argument: str
    read: Read
    has_body: bool = False


class Express:
    """Wraps an app: what can go the short way does, the rest goes on to the app.

    It serves routes that take the request and one input more: a JSON body or a query string,
    each a pydantic model, or a string at the end of the path. Their handlers answer errors and
    do not raise HTTPException: FastAPI's exception handlers stand on its own way only.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self.ways: dict[tuple[str, str], _Way] = {}
        for route in routes:
            if isinstance(route, APIRoute) and (way := _way(route)):
                self.ways.update(((method, way.path), way) for method in route.methods or ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._find(scope) if scope["type"] == "http" else None
        if way is None:
            await self._app(scope, receive, send)
            return
        message = await receive() if way.has_body else {}
        try:
            value = way.read(scope, message)
        except ValidationError:
            await self._app(scope, again(message, receive) if message else receive, send)
            return
        request = Request(scope, receive, send)
        response = await way.handler(**{"request": request, way.argument: value})
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> _Way | None:
        method, path = scope["method"], scope["path"]
        way = self.ways.get((method, path))
        if way is None:
            head, _, last = path.rpartition("/")
            way = self.ways.get((method, f"{head}/{{}}")) if last else None
        return way


def _way(route: APIRoute) -> _Way | None:
    """The short way to a route; None when it takes more, or something else, than one input."""
    needs = route.dependant
    inputs = [*needs.body_params, *needs.query_params, *needs.path_params]
    others = needs.header_params or needs.cookie_params or needs.dependencies
    if len(inputs) != 1 or others or needs.request_param_name != "request":
        return None
    name, kind = inputs[0].name, inputs[0].field_info.annotation
    if needs.path_params:
        head, _, last = route.path.rpartition("/")
        plain = kind is str and last == f"{{{name}}}"
        way = _Way(f"{head}/{{}}", route.endpoint, name, _read_last_segment)
        return way if plain else None
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return None
    has_body = bool(needs.body_params)
    read = _body_reader(kind) if has_body else _query_reader(kind)
    return _Way(route.path, route.endpoint, name, read, has_body)


def _body_reader(model: type[BaseModel]) -> Read:
    # Pydantic keeps the last 16,384 strings it saw, 1.3 MB that fill over minutes: a leak to any
    # judge of memory. Ids are never seen again, so that only keys are worth it.
    keys_only = CoreConfig(cache_strings="keys")
    validate = SchemaValidator(model.__pydantic_core_schema__, keys_only).validate_json

    def read(scope: Scope, message: Message) -> Any:
        whole = message["type"] == "http.request" and not message.get("more_body")
        body = message.get("body", b"") if whole and _is_json(scope) else b""
        return validate(body)  # an empty one is no JSON: FastAPI's

    return read


def _query_reader(model: type[BaseModel]) -> Read:
    validate = model.__pydantic_validator__.validate_python

    def read(scope: Scope, _: Message) -> Any:
        text = scope["query_string"].decode("latin-1")
        return validate(dict(parse_qsl(text, keep_blank_values=True)))

    return read


def _read_last_segment(scope: Scope, _: Message) -> str:
    path: str = scope["path"]
    return path[path.rfind("/") + 1 :]


def _is_json(scope: Scope) -> bool:
    """Whether the body is called JSON in so many words, or called nothing at all."""
    return all(
        value == b"application/json" for name, value in scope["headers"] if name == b"content-type"
    )
