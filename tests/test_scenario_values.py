"""loadgate_scenario.py: the values of a scenario, and what of them cannot be."""

import pytest

from loadgate_scenario import (
    Request,
    Scenario,
    ScenarioError,
    Service,
    Step,
    Users,
    Visit,
    given,
    maybe,
    number,
    one_of,
    same,
    some,
    text,
)
from locustfiles.answers import fault
from locustfiles.asking import Asked, SpoiltError, asked, header_lines, once_more

ASKED = Request("/basket", body={"sku": "x"})


def made(request: object) -> Asked:
    """Of a step whose function returns this."""
    return asked(Step("a", "POST", lambda _visit: request), Visit(), typed=False)


@pytest.mark.parametrize(
    ("good", "body", "wrong"),
    [
        (None, None, ""),
        ({}, {}, ""),
        ({}, [], "not a JSON object"),
        ({"sku": same}, {"sku": "x"}, ""),
        ({"sku": same}, {"sku": "y"}, "sku is not what was asked for"),
        ({"n": number}, {"n": True}, "n is true"),
        ({"n": maybe(number)}, {}, ""),
        ({"n": maybe(number)}, {"n": "1"}, 'n is "1"'),
        ({"n": given}, {}, "no n"),
        ({"n": given}, {"n": None}, "n is null"),
        ({"n": one_of("a", "b")}, {"n": "c"}, 'n is "c"'),
        ({"n": text}, {"n": "1", "error": "no"}, 'error is "no"'),
        ({"n": text, "error": given}, {"n": "1", "error": "no"}, ""),
        (some, [1], ""),
        (some, [], "it is []"),
    ],
)
def test_what_a_good_answer_is(good: object, body: object, wrong: str) -> None:
    """By key, or all of it, or anything."""
    assert fault(good, body, {"sku": "x"}) == wrong  # type: ignore[arg-type]


def test_what_later_steps_know_must_be_there() -> None:
    """And what names an order, checked or not."""
    step = Step("a", "GET", ASKED, {"id": text}, takes=("id", "token"), order="order")
    assert fault(step.good, {"id": "1", "token": "t"}, {}) == "no order"


@pytest.mark.parametrize(
    ("request_", "target", "lines", "content"),
    [
        (Request("/a?b=c&d"), "/a?b=c&d", "", b""),
        (Request("/ä b"), "/%C3%A4%20b", "", b""),
        (ASKED, "/basket", "Content-Type: application/json\r\n", b'{"sku":"x"}'),
        (Request(form={"a": "b c"}), "/", "Content-Type: application/x-www-form-urlencoded\r\n",
         b"a=b+c"),
        (Request(body="<a/>", headers={"Content-Type": "text/xml"}), "/",
         "Content-Type: text/xml\r\n", b"<a/>"),
        (Request(body=[1], headers={"content-type": "a/b"}), "/", "content-type: a/b\r\n", b"[1]"),
    ],
)  # fmt: skip
def test_what_goes_on_the_wire(request_: Request, target: str, lines: str, content: bytes) -> None:
    """A target, lines of the head, a body."""
    assert made(request_)[1:4] == (target, lines, content)


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        (None, "made a NoneType and no Request"),
        (Request("basket"), "begin it with a slash"),
        (Request(body={"a": object()}), "TypeError: Type is not JSON serializable"),
        (Request(headers={"A": "b\r\nC: d"}), "header A is no printable text"),
        (Request(headers={"A b": "c"}), "header 'A b' is no name"),
    ],
)
def test_what_cannot_be_sent_is_said(returned: object, why: str) -> None:
    """In the words that its step fails by; a second request hides in no header."""
    with pytest.raises(SpoiltError, match=why):
        made(returned)


def test_a_second_request_can_be_another() -> None:
    """What a function makes of the first."""
    what = made(ASKED._replace(again=lambda first: first._replace(headers={"Key": "2"})))
    assert "Key: 2\r\n" in once_more(what, typed=False).lines
    assert once_more(made(ASKED), typed=False).lines == made(ASKED).lines


def test_a_header_is_sent_as_latin_1_or_not_at_all() -> None:
    """Nothing is sent that is not what was meant."""
    with pytest.raises(UnicodeEncodeError):
        header_lines({"A": "€"})


def test_ids_are_never_made_twice() -> None:
    """Nor in another session."""
    one, two = Visit(session_id="lt-1-0"), Visit(session_id="lt-1-1")
    made_up = [visit.unique("cart") for visit in (one, two, one, two)]
    assert len({*made_up}) == 4


WRONG = {
    "method 'get'": lambda: Step("a", "get", ASKED),
    "ask is a function": lambda: Step("a", "GET", "/a"),  # type: ignore[arg-type]
    "share 2": lambda: Step("a", "GET", ASKED, share=2.0),
    "takes is a tuple": lambda: Step("a", "GET", ASKED, takes="id"),  # type: ignore[arg-type]
    "need good by key": lambda: Step("a", "GET", ASKED, some, takes=("id",)),
    "step 'a/b'": lambda: Step("a/b", "GET", ASKED),
    "service 'a b'": lambda: Service("a b"),
    "has no share": lambda: Users(log_in=Step("a", "GET", ASKED, share=0.5)),
    "unique is about": lambda: Users(data=lambda _number, _session: {}, unique=True),
    "has services and steps": lambda: Scenario((), ()),
    "service '': write one of a, b": lambda: Scenario(
        (Service("a"), Service("b")), (Step("c", "GET", ASKED),)
    ),
    "'c' is there twice": lambda: Scenario(
        (Service("a"),), (Step("c", "GET", ASKED), Step("c", "GET", ASKED))
    ),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_cannot_be_a_scenario_is_said_where_it_is_written(why: str) -> None:
    """When the module is read, in a line."""
    with pytest.raises(ScenarioError, match=why):
        WRONG[why]()
