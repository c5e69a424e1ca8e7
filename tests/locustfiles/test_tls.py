"""TLS: whom the client trusts, and that a session ticket is not taken for a closed connection."""

import contextlib
import select
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.system.fetch import NoAnswerError, fetch
from locustfiles.client import Connection, Service
from recording.access import Access
from recording.errors import ConfigError
from recording.trust import trust_store
from tests.private_authority import make_authority, server_tls

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, a private authority, and what it signed for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    make_authority(folder)
    return folder


class Shop:
    """An https server that counts its connections."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._context = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        self.connections = 0
        self.open: list[ssl.SSLSocket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                tls = self._context.wrap_socket(raw, server_side=True)
            except OSError:  # it does not trust us
                raw.close()
                continue
            self.open.append(tls)
            threading.Thread(target=self._answer, args=(tls,), daemon=True).start()

    def _answer(self, tls: ssl.SSLSocket) -> None:
        with tls, contextlib.suppress(OSError):
            while tls.recv(65536):
                tls.sendall(ANSWER)

    def hang_up(self) -> None:
        """Close every connection, as a shop does with idle ones."""
        for tls in self.open:
            tls.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def shop(authority: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    server = Shop(server_tls(authority, request.param))
    yield server
    server.close()


def readable(connection: Connection) -> None:
    """Wait until the server's session tickets are here, where there are any."""
    assert connection._socket is not None
    select.select([connection._socket.fileno()], [], [], 0.1)


def test_a_preconnected_user_needs_one_connection(authority: Path, shop: Shop) -> None:
    """Session tickets of TLS 1.3 make the idle connection readable, and it is still the one."""
    connection = Connection(Service(shop.url, 5.0, Access(str(authority / "ca.pem"))))
    connection.open()
    for _ in range(3):
        readable(connection)
        assert connection.send("GET", "/x", "").status_code == 200
    assert shop.connections == 1
    connection.close()


def test_a_connection_that_the_shop_closed_is_opened_anew(authority: Path, shop: Shop) -> None:
    """What is readable because it ended is not taken for a ticket: a POST is not lost."""
    connection = Connection(Service(shop.url, 5.0, Access(str(authority / "ca.pem"))))
    assert connection.send("GET", "/x", "").status_code == 200
    shop.hang_up()
    readable(connection)
    assert connection.send("POST", "/x", "").status_code == 200
    assert shop.connections == 2
    connection.close()


def test_client_and_checks_trust_the_same(
    authority: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ca_file or SSL_CERT_FILE, for the load and for what the harness asks; neither: nobody."""
    ca = str(authority / "ca.pem")
    assert "CERTIFICATE_VERIFY_FAILED" in str(
        Connection(Service(shop.url, 5.0)).send("GET", "/x", "").error
    )
    with pytest.raises(NoAnswerError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(f"{shop.url}/healthz", 5.0)
    assert fetch(f"{shop.url}/healthz", 5.0, Access(ca)).ok
    trust_store.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", ca)
    assert fetch(f"{shop.url}/healthz", 5.0).ok
    trusting = Connection(Service(shop.url, 5.0))
    assert trusting.send("GET", "/x", "").status_code == 200
    trusting.close()
    trust_store.cache_clear()


@pytest.mark.parametrize(
    "content", [None, "", "no certificate", "ÿ", "-----BEGIN CERTIFICATE-----"]
)
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, content: str | None) -> None:
    """Absent, empty, text, not even ASCII, cut off: usage error with the file's name."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=f"target.ca_file {file}: "):
        trust_store(Access(str(file)))
