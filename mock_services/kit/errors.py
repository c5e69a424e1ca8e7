"""Error answers: JSON with `error` and a `message` that names what is wrong and what is allowed."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from mock_services.kit.settings import Quantiles

JSON = "application/json"


def json_response(status: int, /, **body: Any) -> Response:
    """A JSON answer, encoded once."""
    return Response(orjson.dumps(body), status_code=status, media_type=JSON)


def error_response(status: int, error: str, message: str, **more: Any) -> Response:
    """An error answer in the one shape all services use."""
    return json_response(status, error=error, message=message, **more)


class RefusedError(Exception):
    """A request that cannot be granted, and the answer that says why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def refused(status: int, error: str, message: str, **more: Any) -> RefusedError:
    """The refusal in the one shape, to be raised."""
    return RefusedError(error_response(status, error, message, **more))


def validation_response(problems: Sequence[tuple[str, str]]) -> Response:
    """400 for (field, what is wrong) pairs: all of them, the message one line."""
    return error_response(
        400,
        "ValidationError",
        "; ".join(f"{field}: {text}" for field, text in problems),
        fields=[{"field": field, "message": text} for field, text in problems],
    )


def settings_problems(error: ValidationError, model: type[BaseModel]) -> list[tuple[str, str]]:
    """What is wrong with settings, as (key, text) pairs; unknown keys get the nearest known."""
    return problems_of(error.errors(), tuple(model.model_fields))


def problems_of(errors: Iterable[Any], known: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Pydantic's error list as (field, text) pairs. `known`: the keys allowed at the top."""
    problems = []
    for error in errors:
        location = [str(part) for part in error["loc"] if part not in ("body", "query", "path")]
        field = ".".join(location) or "body"
        text = re.sub(r"^(Input|String|List) should ", "must ", str(error["msg"]))
        text = text.removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            allowed = known if len(location) == 1 else tuple(Quantiles.model_fields)
            text = f"unknown key{_nearest(location[-1], allowed)}"
        elif error["type"] == "json_invalid":
            field, text = "body", f"not valid JSON: {error.get('ctx', {}).get('error', text)}"
        elif error["type"] == "missing":
            text = "required"
        elif field == "body" and error["type"] in ("dict_type", "model_attributes_type"):
            text = "must be a JSON object, sent with Content-Type: application/json"
        problems.append((field, text))
    return problems


def _nearest(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; known: {', '.join(known)}" if known else ""


def install(app: FastAPI) -> None:
    """Let the app answer its own errors in this shape."""

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return validation_response(problems_of(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        path, headers = request.scope["path"], error.headers or {}
        response = error_response(error.status_code, "BadRequest", str(error.detail))
        if error.status_code == 404:
            response = error_response(404, "NotFound", f"no such path: {path}")
        elif error.status_code == 405:
            allowed = _allowed(request)
            headers = {**headers, "Allow": allowed}
            text = f"{request.method} is not allowed on {path}; allowed: {allowed}"
            response = error_response(405, "MethodNotAllowed", text)
        response.headers.update(headers)
        return response


def _allowed(request: Request) -> str:
    """Every method that a path has: routes of their own each say only theirs."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    there = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    exact = [route for route in there if route.path == request.scope["path"]]
    return ", ".join(sorted({method for route in exact or there for method in route.methods or ()}))
