"""What is counted of connections, and how they are made: over TLS as ourselves, through a proxy."""

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gevent
import pytest

from harness.system.fetch import NoAnswerError, fetch
from locustfiles.client import Connection, Service
from locustfiles.outcomes import classify_error
from locustfiles.traffic import Traffic, added_up, names_by_url
from recording.access import Access
from recording.errors import ConfigError
from recording.trust import trust_store
from tests.locustfiles.scripted_server import OK, ScriptedServer
from tests.locustfiles.test_tls import Shop
from tests.private_authority import make_authority, server_tls

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
LAST = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")


def counts(connection: Connection) -> tuple[int, int, int]:
    """Requests, connections, and answers that ended theirs."""
    traffic = connection.service.traffic
    return traffic.requests, traffic.opened, traffic.closed


def test_a_kept_connection_is_opened_once_and_only_its_first_request_waited() -> None:
    """What it waited for is told apart, so that it is not taken for distortion."""
    with ScriptedServer([OK, OK]) as server:
        connection = Connection(Service(server.url, 5.0))
        first, second = (connection.send("GET", "/x", "") for _ in range(2))
        connection.close()
    assert counts(connection) == (2, 1, 0)
    assert 0 < first.opening_ms < first.took_ms
    assert second.opening_ms == 0
    assert connection.service.traffic.least_handshake_s < 1


def test_a_server_that_closes_is_counted() -> None:
    """``Connection: close`` costs a handshake for each request."""
    with ScriptedServer([LAST], [LAST]) as server:
        connection = Connection(Service(server.url, 5.0))
        assert all(connection.send("GET", "/x", "").opening_ms > 0 for _ in range(2))
    assert counts(connection) == (2, 2, 2)


def test_bytes_are_counted_on_the_wire_and_after() -> None:
    """A body of 20,000 bytes that is a hundred compressed."""
    body = gzip.compress(b'{"a": "' + b"x" * 20_000 + b'"}')
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    with ScriptedServer([answer + body]) as server:
        connection = Connection(Service(server.url, 5.0))
        assert len(connection.send("GET", "/x", "").content) == 20_009
        connection.close()
    traffic = connection.service.traffic
    assert (traffic.wire_bytes, traffic.content_bytes) == (len(answer + body), 20_009)


def test_a_segment_that_is_lost_is_counted() -> None:
    """A full backlog drops the first SYN; the kernel sends it again after a second."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        where = listener.getsockname()
        blocking = [socket.socket() for _ in range(2)]
        for one in blocking:
            one.setblocking(False)
            one.connect_ex(where)
        connection = Connection(Service(f"http://127.0.0.1:{where[1]}", 10.0))
        opening = gevent.spawn(connection.open)
        gevent.sleep(0.2)
        for _ in blocking:
            listener.accept()[0].close()
        opening.get(timeout=9)
        connection.close()
        for one in blocking:
            one.close()
    assert connection.service.traffic.resent >= 1


def test_workers_are_added_up() -> None:
    """Counts are summed; of the quickest handshakes the quickest is kept."""
    one = {"requests": 3, "opened": 2, "tls": 0, "closed": 1, "resent": 0, "wire_bytes": 5,
           "content_bytes": 4, "least_handshake_s": 0.05}  # fmt: skip
    both = added_up([{"cart": one}, {"cart": one | {"least_handshake_s": 0.04}, "checkout": one}])
    assert list(both) == ["cart", "checkout"]
    assert both["cart"] | {"opened": 4, "least_handshake_s": 0.04} == both["cart"]
    assert both["checkout"] == one


def test_services_that_share_a_url_are_counted_together() -> None:
    """And those of an arm apart from the other's."""
    urls = {"checkout": "http://a", "cart": "http://a", "payment": "http://b", "absent": ""}
    assert names_by_url(urls, None) == {"http://a": "cart, checkout", "http://b": "payment"}
    assert names_by_url(urls, "head")["http://b"] == "payment@head"


def test_a_socket_that_is_gone_counts_nothing() -> None:
    """Nor does it fail whoever closes it."""
    traffic, gone = Traffic(), socket.socket()
    gone.close()
    traffic.ends(gone)
    assert traffic.resent == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and a certificate with its key that it signed."""
    folder = tmp_path_factory.mktemp("tls")
    make_authority(folder)
    return folder


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def strict(authority: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop that talks only to whom the authority knows."""
    tls = server_tls(authority, request.param)
    tls.load_verify_locations(authority / "ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    server = Shop(tls)
    yield server
    server.close()


def test_a_client_certificate_is_shown_by_load_and_checks(authority: Path, strict: Shop) -> None:
    """Without it the shop hangs up on both."""
    ca = str(authority / "ca.pem")
    known = Access(ca, str(authority / "cert.pem"), str(authority / "key.pem"))
    connection = Connection(Service(strict.url, 5.0, known))
    assert connection.send("GET", "/x", "").status_code == 200
    connection.close()
    assert (counts(connection)[1], connection.service.traffic.tls) == (1, 1)
    assert fetch(f"{strict.url}/healthz", 5.0, known).ok
    assert Connection(Service(strict.url, 5.0, Access(ca))).send("GET", "/x", "").status_code == 0
    with pytest.raises(NoAnswerError):
        fetch(f"{strict.url}/healthz", 5.0, Access(ca))


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("absent.pem", "key.pem", "target.client_cert .*absent.pem: no such file"),
        ("cert.pem", "absent.pem", "target.client_key .*absent.pem: no such file"),
        ("cert.pem", "", "target.client_cert .*cert.pem: no certificate in PEM with its key"),
        ("cert.pem", "ca.key", "with target.client_key .*ca.key: no certificate .*MISMATCH"),
        ("ext", "key.pem", "target.client_cert .*ext with .*key.pem: no certificate in PEM"),
        ("cert.pem", "locked.pem", "locked.pem: no certificate .*, without a password"),
    ],
)
def test_a_certificate_that_cannot_be_shown_is_named(
    authority: Path, cert: str, key: str, said: str
) -> None:
    """Absent, without its key, of another, no PEM; a key with a password is never asked for."""
    if key == "locked.pem":
        lock(authority)
    files = (str(authority / name) if name else "" for name in (cert, key))
    with pytest.raises(ConfigError, match=f"(?i){said}"):
        trust_store(Access("", *files))


def lock(folder: Path) -> None:
    """locked.pem: the key, with a password."""
    words = ("openssl", "pkcs8", "-topk8", "-in", "key.pem", "-out", "locked.pem")
    by = ("-passout", "pass:secret")
    subprocess.run([*words, *by], cwd=folder, check=True, capture_output=True)


class Tunnel(threading.Thread):
    """A proxy of one connection: it opens the tunnel that it is asked for, or refuses."""

    def __init__(self, opens: bool) -> None:
        super().__init__(daemon=True)
        self._opens = opens
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked = b""
        self.start()

    def run(self) -> None:
        client, _ = self._listener.accept()
        with client:
            self.asked = client.recv(65536)
            if not self._opens:
                client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            host, _, port = self.asked.split()[1].decode().partition(":")
            with socket.create_connection((host, int(port))) as there:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self._carry, args=(there, client), daemon=True)
                back.start()
                self._carry(client, there)
                back.join(5)

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # whoever has hung up
            while block := source.recv(65536):
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()


def test_a_proxy_is_told_the_whole_url() -> None:
    """RFC 9112, 3.2.2; the service's own host stands in Host."""
    with ScriptedServer([OK]) as proxy:
        through = Access(proxy=proxy.url)
        connection = Connection(Service("http://shop.test:8080/api", 5.0, through))
        assert connection.send("GET", "/x?a=1", "").status_code == 200
        connection.close()
    (asked,) = proxy.requests
    assert asked.startswith(
        b"GET http://shop.test:8080/api/x?a=1 HTTP/1.1\r\nHost: shop.test:8080\r\n"
    )


def test_https_goes_through_a_tunnel(authority: Path) -> None:
    """The proxy hears the address, and nothing of what is said."""
    shop = Shop(server_tls(authority, ssl.TLSVersion.TLSv1_3))
    tunnel = Tunnel(opens=True)
    through = Access(str(authority / "ca.pem"), proxy=tunnel.url)
    connection = Connection(Service(shop.url, 5.0, through))
    assert connection.send("GET", "/x", "").status_code == 200
    connection.close()
    tunnel.join(5)
    tunnel.close()
    shop.close()
    assert tunnel.asked.startswith(f"CONNECT {shop.url.removeprefix('https://')} ".encode())
    assert b"GET" not in tunnel.asked


def test_a_tunnel_that_is_refused_is_an_answer_with_its_error(authority: Path) -> None:
    """In the proxy's own words."""
    tunnel = Tunnel(opens=False)
    through = Access(str(authority / "ca.pem"), proxy=tunnel.url)
    answer = Connection(Service("https://localhost:9", 5.0, through)).send("GET", "/x", "")
    tunnel.close()
    assert "403 Forbidden" in str(answer.error)
    assert classify_error(answer.error) == "connection_error"


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the load nor by the checks."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with ScriptedServer([OK], [OK]) as server:
        connection = Connection(Service(server.url, 5.0))
        assert connection.send("GET", "/x", "").status_code == 200
        connection.close()
        assert fetch(server.url, 5.0).ok
