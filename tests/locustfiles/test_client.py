"""locustfiles/client.py: one kept connection, whole answers, and every failure told apart."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator

import gevent
import pytest
from geventhttpclient.response import HTTPParseError
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.client import Answer, Connection, Service, _read, _Reader, _whole
from locustfiles.outcomes import classify_error
from locustfiles.recorder import server_time_ms
from tests.faults.hostile_shop import HostileShop, Quirk
from tests.locustfiles.scripted_server import OK, SILENCE, ScriptedServer, pieces

HEADERS = "Authorization: Bearer lt-user-token-00001\r\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-response-time: 28ms\r\n\r\n"
    b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
)


def connect(server: ScriptedServer, timeout_s: float = 5.0) -> Connection:
    return Connection(Service(server.url, timeout_s))


def get(connection: Connection) -> Answer:
    return connection.send("GET", "/x", HEADERS)


def post(connection: Connection) -> Answer:
    return connection.send("POST", "/x", HEADERS, b"{}")


def test_a_request_carries_host_headers_length_and_body() -> None:
    """Exactly these bytes go out; the base url's own path comes first."""
    service = Service("http://gateway.test:8080/shop/", 1.0)
    assert service.request("POST", "/api", HEADERS, b'{"a":1}') == (
        b"POST /shop/api HTTP/1.1\r\nHost: gateway.test:8080\r\nUser-Agent: loadgate\r\n"
        b'Authorization: Bearer lt-user-token-00001\r\nContent-Length: 7\r\n\r\n{"a":1}'
    )


class Source:
    """A socket that delivers these blocks, then the end of the stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def recv(self, _size: int) -> bytes:
        return next(self._blocks, b"")


@given(
    st.sampled_from([OK, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + OK]),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_however_a_response_is_cut_it_is_read_whole(response: bytes, cuts: list[int]) -> None:
    """Status, body and the server's own time, from any sequence of blocks."""
    found = _read(Source(pieces(response, cuts)))
    assert (found.status_code, found.body) == (200, b"{}")
    assert server_time_ms(found.head) == 28.0


ORDINARY = (
    OK,
    OK.replace(b"200 OK", b"404 Not Found"),
    OK.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\nserver: caf\xe9 (1)\r\n\r\n"),
)
SPOILT = st.tuples(st.integers(0, 200), st.sampled_from([0, 1]), st.binary(max_size=3))
"""Where, how many bytes are left out there, and what is put in."""


@given(st.sampled_from(ORDINARY), st.lists(SPOILT, max_size=3))
def test_what_is_read_without_the_parser_is_what_it_reads(
    response: bytes, spoilt: list[tuple[int, int, bytes]]
) -> None:
    """An ordinary answer is; of anything else the parser says what it is."""
    for at, out, put in spoilt:
        response = response[:at] + put + response[at + out :]
    found = _whole(response)
    assert found or response not in ORDINARY
    if found is not None:
        assert found == _Reader().read(response, Source(iter([])))


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "response",
    [
        HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
        HEAD + b"Connection: keep-alive\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Proxy-Connection: close\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Content-Length : 2\r\n\r\n{}", HEAD + b"Content-Length: +2\r\n\r\n{}",
        HEAD + b"Content-Length: 2\r\n a: folded\r\n\r\n{}", OK + OK, OK[:-1], CHUNKED,
        HEAD.replace(b"1.1", b"1.0") + b"Content-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"a\0b: 1\r\nContent-Length: 2\r\n\r\n{}", HEAD + b"\r\n{}", b"",
    ],
)  # fmt: skip
def test_whatever_is_out_of_the_ordinary_is_the_parsers(response: bytes) -> None:
    """What is twice there, contradicts itself, is more, less or nothing."""
    assert _whole(response) is None


@given(st.integers(1, len(OK) - 1))
def test_a_response_cut_short_is_an_error(length: int) -> None:
    """Never a shorter body that looks complete."""
    with pytest.raises(HTTPParseError):
        _read(Source(iter([OK[:length]])))


def test_a_connection_is_kept() -> None:
    """Two requests, one connection."""
    with ScriptedServer([OK, OK]) as server:
        connection = connect(server)
        assert [get(connection).status_code, post(connection).status_code] == [200, 200]
        connection.close()
    assert server.connections == 1


def test_a_response_may_end_the_connection() -> None:
    """After ``Connection: close`` the next request opens another."""
    last = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
    with ScriptedServer([last], [OK]) as server:
        connection = connect(server)
        assert [get(connection).status_code, get(connection).status_code] == [200, 200]
        connection.close()
    assert server.connections == 2


def test_a_connection_that_was_closed_while_idle_is_replaced_before_use() -> None:
    """Even a POST goes out only on a connection that is still open."""
    with ScriptedServer([OK], [OK]) as server:
        connection = connect(server)
        get(connection)
        assert server.closed[0].wait(5)
        assert post(connection).status_code == 200
        connection.close()
    assert len(server.requests) == 2


def test_a_get_that_crosses_a_closing_connection_is_repeated() -> None:
    """RFC 9112, 9.3.1: the server closed a kept connection as the request was on its way."""
    with ScriptedServer([OK, b""], [OK]) as server:
        connection = connect(server)
        get(connection)
        assert get(connection).status_code == 200
        connection.close()
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_post_is_never_repeated() -> None:
    """The service may have acted on it: no answer is a failure, and the service saw it once."""
    with ScriptedServer([OK, b""], [OK]) as server:
        connection = connect(server)
        get(connection)
        answer = post(connection)
        connection.close()
    assert answer.status_code == 0
    assert classify_error(answer.error) == "connection_closed"
    assert len(server.requests) == 2


def test_no_answer_on_a_new_connection_is_a_failure() -> None:
    """A service that accepts and closes is broken; asking again would hide it."""
    with ScriptedServer([b""], [OK]) as server:
        answer = get(connect(server))
    assert (answer.status_code, server.connections) == (0, 1)


def test_a_refused_connection_is_an_answer_with_its_error() -> None:
    """Status 0, and the operating system's own words."""
    with ScriptedServer() as server:
        pass
    answer = get(connect(server))
    assert answer.status_code == 0
    assert isinstance(answer.error, ConnectionRefusedError)
    assert classify_error(answer.error) == "connection_refused"


def test_a_silent_service_is_a_timeout_and_its_connection_is_not_used_again() -> None:
    """A late answer must not be taken for the next request's."""
    with ScriptedServer([SILENCE], [OK]) as server:
        connection = connect(server, timeout_s=0.05)
        late = get(connection)
        assert get(connection).status_code == 200
        connection.close()
    assert classify_error(late.error) == "timeout"
    assert late.took_ms >= 50


def test_a_killed_user_leaves_no_request_behind() -> None:
    """What was under way is cut off; the connection's next request gets its own answer."""
    with ScriptedServer([SILENCE], [OK]) as server:
        connection = connect(server)
        user = gevent.spawn(get, connection)
        with gevent.Timeout(5):
            while not server.requests:
                gevent.sleep(0.001)
        user.kill()
        assert get(connection).content == b"{}"
        connection.close()


def test_https_verifies_certificate_and_name() -> None:
    """As before a payment endpoint it must."""
    context = Service("https://shop.test", 1.0).sockets.ssl_context  # type: ignore[attr-defined]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "ftp://shop.test", "http://"])
def test_a_base_url_needs_scheme_and_host(url: str) -> None:
    """Said when the user starts, not as a failure of every request."""
    with pytest.raises(ValueError, match="http"):
        Service(url, 1.0)


def test_a_kept_connection_beyond_descriptor_1023_is_used_again(
    beyond_select: list[socket.socket],
) -> None:
    """geventhttpclient's own check takes it for dead: every request would open another."""
    assert max(s.fileno() for s in beyond_select) >= 1023
    with ScriptedServer([OK, OK], [OK]) as server:
        connection = connect(server)
        assert [get(connection).status_code, get(connection).status_code] == [200, 200]
        connection.close()
    assert server.connections == 1


@pytest.mark.parametrize("quirk", ["drip", "drip_head"])
def test_the_timeout_is_a_deadline_for_the_whole_answer(quirk: str) -> None:
    """A byte every 0.2 s: each read is in time, the answer never comes."""
    with HostileShop(Quirk(quirk)) as shop:
        late = Connection(Service(shop.url, 0.5)).send("GET", "/api/v2/products", HEADERS)
    assert classify_error(late.error) == "timeout"
    assert 500 <= late.took_ms < 10_000


def test_a_handshake_that_stands_still_is_a_timeout() -> None:
    """Accepted, and nothing ever said: the deadline holds for opening too. As under Locust."""
    code = (
        "import locust, sys\n"
        "from locustfiles.client import Connection, Service\n"
        "late = Connection(Service(sys.argv[1], 0.3)).send('GET', '/', '')\n"
        "print(late.took_ms >= 300, late.error)"
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        words = [sys.executable, "-c", code, url]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith("True timed out"), done.stderr


def test_an_answer_without_end_is_given_up() -> None:
    """As fast as it is read, so that no timer gets its turn: too large to be one."""
    with HostileShop(Quirk("endless")) as shop:
        answer = Connection(Service(shop.url, 20.0)).send("GET", "/api/v2/products", HEADERS)
    assert isinstance(answer.error, HTTPParseError)
