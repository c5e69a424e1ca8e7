"""locustfiles/outcomes.py: what the plan asked for is no failure, everything else is."""

import pytest

from locustfiles.outcomes import classify, classify_error, parse
from locustfiles.steps import BROWSE, CHARGE, CONFIRM, Step

PAID = b'{"payment_id":"pay-lt-00001","status":"succeeded"}'
EXHAUSTED = b'{"error":"ConnectionPoolExhausted","message":"no available connections"}'


@pytest.mark.parametrize(
    ("step", "status", "body", "decline_card", "outcome"),
    [
        (BROWSE, 200, b'{"products":[]}', False, "ok"),
        (CONFIRM, 201, b'{"order_id":"ord-lt-00001"}', False, "ok"),
        # a confirm that answers 200 did not create an order now
        (CONFIRM, 200, b'{"order_id":"ord-lt-00001"}', False, "http_4xx"),
        # the body is part of the promise
        (BROWSE, 200, b'{"items":[]}', False, "bad_body"),
        (BROWSE, 200, b"<html>", False, "bad_body"),
        (BROWSE, 200, b"", False, "bad_body"),
        (BROWSE, 200, b"[1]", False, "bad_body"),
        # declines: only the decline cards', and always theirs
        (CHARGE, 402, b"{}", True, "declined"),
        (CHARGE, 402, b"{}", False, "unexpected_decline"),
        (CHARGE, 200, PAID, True, "missing_decline"),
        # failures by cause
        (CHARGE, 429, b"{}", False, "rate_limited"),
        (CHARGE, 504, b"{}", False, "gateway_timeout"),
        (CONFIRM, 503, EXHAUSTED, False, "pool_exhausted"),
        (CONFIRM, 503, b"{}", False, "http_5xx"),
        (CONFIRM, 500, b"", False, "http_5xx"),
        (CONFIRM, 404, b"{}", False, "http_4xx"),
        # even a decline card can meet a broken service
        (CHARGE, 500, b"", True, "http_5xx"),
    ],
)
def test_an_answer_has_one_outcome(
    step: Step, status: int, body: bytes, decline_card: bool, outcome: str
) -> None:
    """By status, body and the card that was sent."""
    assert classify(step, status, parse(body), decline_card=decline_card) == outcome


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError("timed out"), "timeout"),
        (ConnectionRefusedError("refused"), "connection_error"),
        (OSError("reset by peer"), "connection_error"),
    ],
)
def test_no_answer_is_a_timeout_or_a_connection_error(error: Exception, outcome: str) -> None:
    """Tell a slow server from a dead one."""
    assert classify_error(error) == outcome
