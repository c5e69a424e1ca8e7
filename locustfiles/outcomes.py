"""What became of a request: an outcome class for each cause that a report must tell apart.

``ok`` and ``declined`` are what the plan asked for. Everything else is a failure, whatever its
status code: a decline that should not have happened is one, and so is a charge that should have
been declined and was not.
"""

from typing import Any

import orjson

from locustfiles.steps import Step

_BY_STATUS = {429: "rate_limited", 504: "gateway_timeout"}


def parse(content: bytes) -> dict[str, Any]:
    """The JSON object of a response body; empty when it is none."""
    try:
        body = orjson.loads(content or b"null")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def classify(step: Step, status: int, body: dict[str, Any], *, decline_card: bool) -> str:
    """The outcome of an answered request; ``body`` is what the response said."""
    if status == step.success and not decline_card:
        return "ok" if all(key in body for key in step.keys) else "bad_body"
    if status == step.success:
        return "missing_decline"
    if status == 402:
        return "declined" if decline_card else "unexpected_decline"
    if status == 503 and body.get("error") == "ConnectionPoolExhausted":
        return "pool_exhausted"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "http_5xx" if status >= 500 else "http_4xx"


def classify_error(error: Exception | None) -> str:
    """The outcome of a request that got no answer."""
    return "timeout" if "timed out" in str(error).lower() else "connection_error"
