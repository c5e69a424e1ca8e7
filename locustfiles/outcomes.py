"""What became of a request: an outcome class for each cause that a report must tell apart.

``ok`` and ``declined`` are what the plan asked for. Everything else is a failure, whatever its
status code: a decline that should not have happened is one, and so is a charge that should have
been declined and was not.
"""

from typing import Any

import orjson

from locustfiles.steps import Step

_BY_STATUS = {429: "rate_limited", 504: "gateway_timeout"}


def classify(step: Step, status: int, content: bytes | None, *, decline_card: bool) -> str:
    """The outcome of an answered request; ``content`` is the response body."""
    if status == step.success and not decline_card:
        return "ok" if _has_keys(content, step.keys) else "bad_body"
    if status == step.success:
        return "missing_decline"
    if status == 402:
        return "declined" if decline_card else "unexpected_decline"
    if status == 503 and _parse(content).get("error") == "ConnectionPoolExhausted":
        return "pool_exhausted"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "http_5xx" if status >= 500 else "http_4xx"


def classify_error(error: Exception) -> str:
    """The outcome of a request that got no answer."""
    return "timeout" if "timed out" in str(error).lower() else "connection_error"


def _has_keys(content: bytes | None, keys: tuple[str, ...]) -> bool:
    body = _parse(content)
    return all(key in body for key in keys)


def _parse(content: bytes | None) -> dict[str, Any]:
    try:
        body = orjson.loads(content or b"null")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
