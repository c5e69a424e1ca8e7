"""The outermost layer of every service: ids, bearer check, body limit, timing, counting.

A pure ASGI class and not FastAPI's decorator middleware, which costs an extra task and a
memory stream per request.
"""

import logging
import re
import uuid

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_services.kit.body import BODY_MAX_BYTES, bounded
from mock_services.kit.call import Call
from mock_services.kit.errors import error_response
from mock_services.kit.service import MockService
from mock_services.kit.settings import ServiceSettings

_LOG = logging.getLogger(__name__)

BUSINESS_PREFIX = "/api/"
_TOKEN = re.compile(rb"^Bearer lt-(?:user|svc)-token-\S+$", re.IGNORECASE)
_LIVE_KEY = re.compile(rb"sk_live_", re.IGNORECASE)
_ID_MAX_CHARS = 200
_TRACE = (b"traceparent", b"tracestate")


class Front:
    """Wraps a service's app."""

    def __init__(self, app: ASGIApp, service: MockService[ServiceSettings]) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        authorization, request_id, trace, body_bytes = _read_headers(scope)
        call = Call(request_id, trace)
        call.attach(scope)
        answer = _stamping(call, send)
        business = scope["path"].startswith(BUSINESS_PREFIX)
        refusal = self._refuse(authorization) if business else None
        if refusal is None and (body_bytes is None or body_bytes > BODY_MAX_BYTES):
            receive, refusal = await bounded(receive, body_bytes)
        if refusal is None and business:
            refusal = self._service.admit(call, scope)
        try:
            await (refusal or self._app)(scope, receive, answer)
        except Exception:
            _LOG.exception("%s %s failed (%s)", scope["method"], scope["path"], request_id)
            if call.status:
                raise  # the answer has begun; all that is left is to cut the connection
            text = "unexpected error; see the service's log"
            await error_response(500, "InternalError", text)(scope, receive, answer)
        finally:
            if business:
                self._service.count(call, scope)

    def _refuse(self, authorization: bytes) -> Response | None:
        if _LIVE_KEY.search(authorization):
            text = "live keys (sk_live_...) are never accepted here"
            return error_response(403, "LiveKeyRefused", text)
        if self._service.settings.require_auth and not _TOKEN.match(authorization):
            text = "Authorization must be: Bearer lt-user-token-... or Bearer lt-svc-token-..."
            return error_response(401, "Unauthorized", text)
        return None


def _stamping(call: Call, send: Send) -> Send:
    """An ASGI `send` that adds the id and the time it took when the answer begins."""

    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            call.status = message["status"]
            call.took_s = call.elapsed_s()
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", call.request_id.encode("latin-1")),
                (b"x-response-time", b"%dms" % round(call.took_s * 1000)),
                *call.extra_headers,
            ]
        await send(message)

    return stamped


def _read_headers(scope: Scope) -> tuple[bytes, str, bytes, int | None]:
    """Authorization, request id, lines of its trace, and the body's length: None if not said."""
    authorization, request_id, trace = b"", "", b""
    body_bytes: int | None = 0
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization = value
        elif name == b"x-request-id":
            request_id = value.decode("latin-1")[:_ID_MAX_CHARS]
        elif name in _TRACE:
            trace += b"%b: %b\r\n" % (name, value)
        elif name == b"content-length":
            body_bytes = int(value)
        elif name == b"transfer-encoding":
            body_bytes = None
    return authorization, request_id or f"mock-{uuid.uuid4().hex}", trace, body_bytes
