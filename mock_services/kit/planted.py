"""Answers of an endpoint that are wrong on purpose, in shares that are dealt exactly."""

import math

from fastapi import Response

from mock_services.kit.errors import error_response
from mock_services.kit.settings import ServiceSettings
from mock_services.kit.shares import Share

NO_JSON = b"\x00"
"""No JSON text may hold this byte anywhere (RFC 8259)."""


class Planted:
    """What one endpoint's requests get in place of good answers."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._errors, self._unavailable, self._malformed = map(Share, shares(settings))
        self._retry_after_s = math.ceil(settings.retry_after_s)

    def error(self) -> Response | None:
        """A 500 in place of the work; None: do the work."""
        if not self._errors.hit():
            return None
        return error_response(500, "InternalError", "injected by error_share")

    def refusal(self) -> Response | None:
        """A 503 before anything is done; None: go on."""
        if not self._unavailable.hit():
            return None
        wait_s = self._retry_after_s
        response = error_response(503, "ServiceUnavailable", f"come again in {wait_s} s")
        response.headers["Retry-After"] = str(wait_s)
        return response

    def spoilt(self, response: Response) -> Response:
        """The answer, or one of the same length whose body is no JSON."""
        if response.body and self._malformed.hit():
            response.body = NO_JSON + bytes(response.body[1:])
        return response


def shares(settings: ServiceSettings) -> tuple[float, float, float]:
    """Of errors, refusals and malformed bodies."""
    return settings.error_share, settings.unavailable_share, settings.malformed_body_share
