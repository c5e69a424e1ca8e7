"""Redirects that a scenario follows, within the service, and cookies that its users keep."""

import pytest

from locustfiles.client import Answer, Connection, Service
from locustfiles.cookies import MOST, Cookies
from locustfiles.outcomes import classify
from locustfiles.recorder import server_time_ms
from locustfiles.redirects import onward
from locustfiles.steps import SCENARIO
from tests.locustfiles.scripted_server import OK, ScriptedServer

BASE = "http://shop.test:8080/api/v2"


def head(status: int, *lines: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status} There", *lines, "", "")).encode()


def sent_on(location: str, status: int = 302, method: str = "GET") -> tuple[str, str] | None:
    return onward(status, head(status, f"Location: {location}"), BASE, method, "/cart/items?a=1")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/api/v2/other", "/other"),
        ("there?b=2", "/cart/there?b=2"),
        ("http://shop.test:8080/api/v2/x", "/x"),
        ("/login", None),  # out of the base url's path
        ("/api/v2evil/x", None),
        ("../../../login", None),
        ("http://shop.test:8080/api/v2/../x", None),
        ("http://elsewhere.test/api/v2/x", None),
        ("https://shop.test:8080/api/v2/x", None),
        ("//elsewhere.test/api/v2/x", None),
        ("http://[", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_redirect_leads_no_further_than_its_service(location: str, target: str | None) -> None:
    """Nobody allowed another host, and no path out of the base url's."""
    assert sent_on(location) == (("GET", target) if target else None)


@pytest.mark.parametrize(
    ("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
)
def test_what_becomes_of_a_post(status: int, method: str) -> None:
    """As in browsers."""
    assert sent_on("/api/v2/x", status, "POST") == (method, "/x")


@pytest.mark.parametrize("status", [200, 300, 304, 404])
def test_other_answers_lead_nowhere(status: int) -> None:
    """Whatever Location they have; and one without it neither."""
    assert sent_on("/api/v2/x", status) is None
    assert onward(302, head(302), BASE, "GET", "/x") is None


def redirect(to: str, *lines: str, status: int = 302) -> bytes:
    more = "".join(f"{line}\r\n" for line in lines)
    said = f"HTTP/1.1 {status} There\r\nLocation: {to}\r\nX-Response-Time: 3ms\r\n{more}"
    return f"{said}Content-Length: 0\r\n\r\n".encode()


def posted(server: ScriptedServer, redirects: int, cookies: Cookies | None = None) -> Answer:
    connection = Connection(Service(server.url, 5.0), cookies)
    answer = connection.send("POST", "/x", "A: b\r\n", b"{}", redirects)
    connection.close()
    return answer


def test_a_redirect_is_followed_where_the_scenario_says_so() -> None:
    """One answer with the time of both; the first hop is no distortion of the second."""
    with ScriptedServer([redirect("/y"), OK]) as server:
        answer = posted(server, redirects=2)
    assert (answer.status_code, server_time_ms(answer.head)) == (200, 28.0)
    assert 0 < answer.hops_ms < answer.took_ms
    assert server.requests[1].startswith(b"GET /y HTTP/1.1\r\n")
    assert b"A: b\r\n" in server.requests[1]
    assert not server.requests[1].endswith(b"{}")


def test_one_that_is_not_followed_is_the_answer() -> None:
    """By default none is; of a circle the last that was allowed. Both are failures."""
    with ScriptedServer([redirect("/x")], [redirect("/x", status=307)] * 2) as server:
        assert posted(server, redirects=0).status_code == 302
    with ScriptedServer([redirect("/x", status=307)] * 3) as server:
        assert posted(server, redirects=2).status_code == 307
        assert len(server.requests) == 3
    assert classify(SCENARIO.steps[0], 307, None, {}, decline_card=False) == "redirect 307"


def test_cookies_are_kept_and_sent_where_they_belong() -> None:
    """In a redirect too, as log-in pages want it; of a path only there; until another user."""
    jar = Cookies()
    first = redirect("/y", "Set-Cookie: session=1; Path=/; HttpOnly", "Set-Cookie: far=2; Path=/z")
    with ScriptedServer([first, OK], [OK]) as server:
        posted(server, redirects=1, cookies=jar)
        jar.clear()
        posted(server, redirects=1, cookies=jar)
    assert [b"Cookie: session=1\r\n" in asked for asked in server.requests] == [False, True, False]
    assert not any(b"far=2" in asked for asked in server.requests)


def test_without_a_jar_no_cookie_is_kept() -> None:
    """As the shipped scenario has it."""
    with ScriptedServer([redirect("/y", "Set-Cookie: session=1; Path=/"), OK]) as server:
        posted(server, redirects=1)
    assert not any(b"Cookie" in asked for asked in server.requests)


def test_a_cookie_ends_when_it_is_said_to() -> None:
    """``Max-Age=0`` removes it; what stands in a body sets none."""
    jar = Cookies()
    jar.keep(BASE, head(200, "Set-Cookie: a=1", "set-cookie: b=2"))
    assert jar.header(BASE) == "Cookie: a=1; b=2\r\n"
    jar.keep(BASE, head(200, "Set-Cookie: a=; Max-Age=0") + b"\r\nSet-Cookie: c=3\r\n")
    assert jar.header(BASE) == "Cookie: b=2\r\n"
    jar.keep(BASE, b"HTTP/1.1 100 Continue\r\n\r\n" + head(200, "Set-Cookie: d=4"))
    assert jar.header(BASE) == "Cookie: b=2; d=4\r\n"


def test_a_shop_that_sets_cookies_without_end_does_not_fill_the_memory() -> None:
    """After the fiftieth the jar begins anew."""
    jar = Cookies()
    for n in range(3 * MOST):
        jar.keep(BASE, head(200, f"Set-Cookie: c{n}=1"))
    assert jar.header(BASE).count("=") <= MOST
