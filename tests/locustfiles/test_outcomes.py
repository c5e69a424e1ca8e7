"""locustfiles/outcomes.py: what the plan asked for is no failure, everything else is."""

from types import SimpleNamespace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgate_scenario import Step
from locustfiles.outcomes import MOST_LABELS, Labels, classify, classify_error, parse
from locustfiles.steps import SCENARIO
from recording.hlog import Tag

steps = SimpleNamespace(**{step.name: step for step in SCENARIO.steps})
SENT = {"id": "p-00007", "cart_id": "cart-1", "coupon_code": "BF25-001"}
PAID = b'{"payment_id":"pay-lt-00001","status":"succeeded"}'
EXHAUSTED = b'{"error":"ConnectionPoolExhausted","message":"no available connections"}'
ORDER = b'{"order_id":"ord-lt-00001","status":"confirmed"}'


def outcome_of(step: Step, status: int, body: bytes, *, decline_card: bool = False) -> str:
    return classify(step, status, parse(body), SENT, decline_card=decline_card)


@pytest.mark.parametrize(
    ("step", "status", "body", "decline_card", "outcome"),
    [
        (steps.browse, 200, b'{"products":[{"id":"p-00001"}]}', False, "ok"),
        (steps.detail, 200, b'{"id":"p-00007"}', False, "ok"),
        (steps.add_to_cart, 200, b'{"cart_id":"cart-1"}', False, "ok"),
        (steps.apply_coupon, 200, b'{"coupon_code":"BF25-001"}', False, "ok"),
        (steps.start_checkout, 200, b'{"checkout_id":"chk-1","status":"pending"}', False, "ok"),
        (steps.charge, 200, PAID, False, "ok"),
        (steps.confirm, 201, ORDER, False, "ok"),
        # another status is not the answer, and is called what it is
        (steps.confirm, 200, ORDER, False, "unexpected_status 200"),
        (steps.browse, 201, b'{"products":[1]}', False, "unexpected_status 201"),
        (steps.browse, 204, b"", False, "unexpected_status 204"),
        (steps.browse, 302, b"{}", False, "redirect 302"),
        (steps.browse, 999, b"{}", False, "unexpected_status 999"),
        # declines: only the decline cards', and always theirs
        (steps.charge, 402, b"{}", True, "declined"),
        (steps.charge, 402, b"{}", False, "unexpected_decline"),
        (steps.charge, 200, PAID, True, "missing_decline"),
        # failures by cause
        (steps.charge, 429, b"{}", False, "rate_limited"),
        (steps.charge, 504, b"{}", False, "gateway_timeout"),
        (steps.confirm, 503, EXHAUSTED, False, "pool_exhausted"),
        (steps.confirm, 503, b"{}", False, "unavailable"),
        (steps.confirm, 503, b"[]", False, "unavailable"),
        (steps.confirm, 500, b"", False, "http_5xx"),
        (steps.confirm, 404, b"{}", False, "http_4xx"),
        # even a decline card can meet a broken service
        (steps.charge, 500, b"", True, "http_5xx"),
    ],
)
def test_an_answer_has_one_outcome(
    step: Step, status: int, body: bytes, decline_card: bool, outcome: str
) -> None:
    """By status, body and the card that was sent."""
    assert outcome_of(step, status, body, decline_card=decline_card) == outcome


@pytest.mark.parametrize(
    ("step", "status", "body", "fault"),
    [
        # keys without values are no answer
        (steps.charge, 200, b'{"payment_id":null,"status":"succeeded"}', "payment_id is null"),
        (steps.charge, 200, b'{"payment_id":" ","status":"succeeded"}', 'payment_id is " "'),
        (steps.charge, 200, b'{"payment_id":7,"status":"succeeded"}', "payment_id is 7"),
        (steps.charge, 200, b'{"payment_id":["x"],"status":"succeeded"}', "payment_id is a list"),
        (steps.charge, 200, b'{"payment_id":"pay-1","status":"failed"}', 'status is "failed"'),
        (steps.charge, 200, b'{"payment_id":"pay-1"}', "no status"),
        (steps.confirm, 201, b'{"order_id":null}', "order_id is null"),
        (steps.confirm, 201, b'{"order_id":"ord-1","status":"failed"}', 'status is "failed"'),
        (steps.start_checkout, 200, b'{"checkout_id":""}', 'checkout_id is ""'),
        (steps.browse, 200, b'{"products":[]}', "products is []"),
        (steps.browse, 200, b'{"products":{}}', "products is {}"),
        (steps.browse, 200, b'{"items":[]}', "no products"),
        # nor is an answer to another question; ids would make a label each
        (steps.detail, 200, b'{"id":"p-00008"}', "id is not what was asked for"),
        (steps.add_to_cart, 200, b'{"cart_id":"cart-2"}', "cart_id is not what was asked for"),
        (steps.add_to_cart, 200, b'{"cart_id":"cart-1","items":0}', "items is 0"),
        (steps.apply_coupon, 200, b'{"coupon_code":null}', "coupon_code is null"),
        (steps.apply_coupon, 200, b'{"coupon_code":"BF25-001","status":"expired"}',
         'status is "expired"'),
        # things without anything in them are none, and an id names something
        (steps.browse, 200, b'{"products":[null]}', "products is a list"),
        (steps.browse, 200, b'{"products":[{"id":"p-00001"},{}]}', "products is a list"),
        (steps.confirm, 201, b'{"order_id":"' + b"o" * 1001 + b'"}', f'order_id is "{"o" * 40}"'),
        # nor is what says of itself that it failed
        (steps.confirm, 201, b'{"order_id":"ord-1","error":{"code":7}}', "error is an object"),
        (steps.charge, 200, b'{"payment_id":"pay-1","status":"succeeded","errors":["no"]}',
         "errors is a list"),
        (steps.browse, 200, b'{"products":[{"id":"p-1"}],"success":false}', "success is false"),
        # nor is what cannot be read
        (steps.browse, 200, b"<html>", "not a JSON object"),
        (steps.browse, 200, b"", "not a JSON object"),
        (steps.browse, 200, b"[1]", "not a JSON object"),
    ],
)  # fmt: skip
def test_a_bad_body_says_what_came(step: Step, status: int, body: bytes, fault: str) -> None:
    """The status is right, and there is no order all the same."""
    assert outcome_of(step, status, body) == f"bad_body: {fault}"


@given(
    st.sampled_from(SCENARIO.steps),
    st.dictionaries(
        st.sampled_from(["status", "payment_id", "order_id", "products", "id", "cart_id"]),
        st.one_of(st.none(), st.text(), st.booleans(), st.integers(-9, 9), st.lists(st.text())),
    ),
)
def test_whatever_a_shop_says_becomes_a_tag_that_can_be_read_back(
    step: Step, body: dict[str, object]
) -> None:
    """Foreign text: printable ASCII, short, and no part of a tag's own grammar."""
    outcome = outcome_of(step, step.status, orjson.dumps(body))
    tag = str(Tag(step.name, outcome))
    assert len(outcome) <= 80
    assert tag.isascii()
    assert not set(tag) & set(", \n\r\t\x1b")
    assert Tag.parse(tag).outcome == outcome


def test_a_step_has_only_so_many_labels() -> None:
    """A shop with a new excuse each time shares one for the rest; other steps have their own."""
    labels = Labels()
    said = {labels.bounded("charge", f'bad_body: status is "{n}"') for n in range(1000)}
    assert len(said) == MOST_LABELS + 1
    assert "bad_body: other" in said
    assert labels.bounded("charge", "http_5xx") == "http_5xx"
    assert labels.bounded("confirm", "bad_body: no order_id") == "bad_body: no order_id"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError("timed out"), "timeout"),
        (ConnectionRefusedError("refused"), "connection_refused"),
        (ConnectionResetError("reset"), "connection_reset"),
        (OSError("no route to host"), "connection_error"),
    ],
)
def test_no_answer_is_a_timeout_or_a_connection_error(error: Exception, outcome: str) -> None:
    """Tell a slow server from a dead one."""
    assert classify_error(error) == outcome
