"""/healthz, /metrics and /admin/behaviour, the same for all services."""

import hmac
import ipaddress
import os
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import generate_latest
from pydantic import ValidationError

from mock_services.kit.errors import (
    error_response,
    json_response,
    settings_problems,
    validation_response,
)
from mock_services.kit.metrics import CONTENT_TYPE
from mock_services.kit.openapi import BODY_TOO_LONG, Answer, Described, Invalid, responses
from mock_services.kit.service import MockService
from mock_services.kit.settings import ServiceSettings

TOKEN_VARIABLE = "MOCK_ADMIN_TOKEN"


class Health(Described):
    """Which service, in which version, takes requests."""

    status: Literal["ok"]
    service: str
    version: str


HEALTHZ = {200: Answer("the service takes requests", Health)}
METRICS = {200: Answer("Prometheus text format", model=None)}
ADMIN = {
    400: Answer("not valid; nothing is changed, and all that is wrong is said", Invalid),
    403: Answer("not from this machine, or not with the token"),
    413: BODY_TOO_LONG,
}


def install(app: FastAPI, service: MockService[ServiceSettings]) -> None:
    """Add the endpoints to a service's app."""
    _add_reading(app, service)
    _add_behaviour(app, service)


def _add_reading(app: FastAPI, service: MockService[ServiceSettings]) -> None:
    @app.get("/healthz", tags=["operation"], response_model=None, responses=responses(HEALTHZ))
    async def healthz() -> Response:
        """Answers once the service takes requests."""
        return json_response(200, status="ok", service=service.name, version=service.version)

    @app.get(
        "/metrics",
        tags=["operation"],
        response_model=None,
        response_class=PlainTextResponse,
        responses=responses(METRICS),
    )
    async def metrics() -> Response:
        """Prometheus text format."""
        return Response(generate_latest(service), media_type=CONTENT_TYPE)


def _add_behaviour(app: FastAPI, service: MockService[ServiceSettings]) -> None:
    in_force = {200: Answer("in force", type(service.settings))}
    router = APIRouter(tags=["operation"])
    admin: dict[str, Any] = {"security": [{"admin": []}]}

    @router.get(
        "/admin/behaviour",
        response_model=None,
        responses=responses({403: ADMIN[403], **in_force}),
        openapi_extra=admin,
    )
    async def behaviour(request: Request) -> Response:
        """The settings in force. Loopback and token only."""
        return refusal(request) or _settings(service.settings)

    @router.post(
        "/admin/behaviour",
        response_model=None,
        responses=responses({**ADMIN, **in_force}),
        openapi_extra=admin,
    )
    async def change(
        request: Request,
        changed: Annotated[dict[str, Any], Body(examples=[{"error_share": 0.01}])],
        check: bool = False,
    ) -> Response:
        """Change settings at once, all or, where one is refused, none; answers those in force.

        `check` changes nothing and answers what would be in force. Loopback and token only.
        """
        return refusal(request) or _change(service, changed, check)

    app.include_router(router)


def refusal(request: Request) -> Response | None:
    """Of whoever may not do what these endpoints do; None for who may."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        text = f"switched off: set the environment variable {TOKEN_VARIABLE} to allow it"
        return error_response(403, "Forbidden", text)
    if not is_loopback(request.client.host if request.client else ""):
        return error_response(403, "Forbidden", "only from the machine the service runs on")
    given = request.headers.get("x-admin-token", "")
    if not hmac.compare_digest(given.encode(), token.encode()):
        return error_response(403, "Forbidden", f"X-Admin-Token must equal {TOKEN_VARIABLE}")
    return None


def is_loopback(host: str) -> bool:
    """Whether a peer's address is this machine (127.0.0.0/8, ::1, also mapped into IPv6)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _change(
    service: MockService[ServiceSettings], changed: dict[str, Any], check: bool
) -> Response:
    fixed = sorted(service.settings.FIXED_WHILE_RUNNING & set(changed))
    if fixed:
        return validation_response([(key, "cannot be changed while running") for key in fixed])
    try:
        wanted = service.settings.updated(changed)
    except ValidationError as error:
        return validation_response(settings_problems(error, type(service.settings)))
    if not check:
        service.apply(changed)
    return _settings(wanted)


def _settings(settings: ServiceSettings) -> Response:
    return json_response(200, **settings.model_dump(mode="json"))
