"""What became of a request: an outcome class for each cause that a report must tell apart.

``ok`` and ``declined`` are what the plan asked for. Everything else is a failure, whatever its
status code: a decline that should not have happened is one, and so is a charge that should have
been declined and was not. What the shop said is foreign text: a label holds a little of it, in
printable ASCII, and a step has only so many labels.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson
from geventhttpclient.response import HTTPConnectionClosed

from loadgate_scenario import Step
from locustfiles.answers import fault
from locustfiles.client import TruncatedError
from recording.outcomes import (
    BAD_BODY,
    CLOSED,
    CONNECTION_ERROR,
    OK,
    REFUSED,
    RESET,
    TIMEOUT,
    TRUNCATED,
    UNAVAILABLE,
)

MOST_LABELS = 20
"""Of a step, in one process: each is a histogram per interval. The rest share one label."""
_MOST_CHARS = 80
_BY_STATUS = {429: "rate_limited", 503: UNAVAILABLE, 504: "gateway_timeout"}
_BY_ERROR = {
    ConnectionRefusedError: REFUSED,
    ConnectionResetError: RESET,
    HTTPConnectionClosed: CLOSED,
    BrokenPipeError: CLOSED,
    TruncatedError: TRUNCATED,
}
_UNPRINTABLE = re.compile(r"[^ -~]")


def parse(content: bytes) -> object:
    """The JSON value of a response body; None when it is none."""
    try:
        return orjson.loads(content or b"null")
    except orjson.JSONDecodeError:
        return None


def classify(
    step: Step,
    status: int,
    body: object,
    sent: Mapping[str, Any],
    *,
    decline_card: bool,
    again: bool = False,
) -> str:
    """The outcome of an answered request; ``sent`` is what the request asked for, by key.

    ``again``: it was asked before, and may have been done then.
    """
    if status == step.status or (again and status == step.repeated):
        if decline_card:
            return "missing_decline"
        wrong = fault(step.good, body, sent)
        return label(BAD_BODY, wrong) if wrong else OK
    if status == 402:
        return "declined" if decline_card else "unexpected_decline"
    if status == 503 and isinstance(body, dict) and body.get("error") == "ConnectionPoolExhausted":
        return "pool_exhausted"
    return of_status(status)


def of_status(status: int) -> str:
    """The outcome of an answer of which nothing but its status says why it is none."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    by_class = {3: f"redirect {status}", 4: "http_4xx", 5: "http_5xx"}
    return by_class.get(status // 100, f"unexpected_status {status}")


def label(family: str, wrong: str) -> str:
    """Of a failure that somebody says in words of his own."""
    return f"{family}: {_UNPRINTABLE.sub('?', wrong)}"[:_MOST_CHARS]


def classify_error(error: Exception | None) -> str:
    """The outcome of a request that got no answer."""
    if "timed out" in str(error).lower():
        return TIMEOUT
    root = error.__cause__ or error if isinstance(error, HTTPConnectionClosed) else error
    return next(
        (name for kind, name in _BY_ERROR.items() if isinstance(root, kind)), CONNECTION_ERROR
    )


class Labels:
    """The labels in use, by step: a shop that says something new every time gets no more."""

    def __init__(self) -> None:
        self._known: defaultdict[str, set[str]] = defaultdict(set)

    def bounded(self, step: str, label: str) -> str:
        """The label, or that of its family's rest: ``bad_body: other``."""
        known = self._known[step]
        if label not in known:
            if len(known) >= MOST_LABELS:
                family = re.split("[: ]", label, maxsplit=1)[0]
                return f"{family}: other" if family != label else label
            known.add(label)
        return label
