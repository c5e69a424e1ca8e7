"""harness/scene/http2.py: a server that only speaks HTTP/2 is told from one that says nothing."""

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.scene import preflight
from harness.scene.http2 import speaks_http2
from recording.access import Access
from recording.errors import ConfigError
from tests.private_authority import make_authority

SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
GOAWAY = bytes((0, 0, 8, 7, 0, 0, 0, 0, 0)) + bytes(4) + bytes((0, 0, 0, 1))
"""PROTOCOL_ERROR: what such a server answers to HTTP/1.1 (RFC 9113, 3.4)."""


class OnlyHttp2(threading.Thread):
    """Sends its first frame to whoever connects, and hangs up on who does not speak HTTP/2."""

    def __init__(self, tls: ssl.SSLContext | None = None, first: bytes = SETTINGS) -> None:
        super().__init__(daemon=True)
        self._tls, self._first = tls, first
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self.start()

    def run(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError), peer:
                self._serve(peer)

    def _serve(self, peer: socket.socket) -> None:
        with self._tls.wrap_socket(peer, server_side=True) if self._tls else peer as spoken:
            if self._tls and spoken.selected_alpn_protocol() != "h2":  # type: ignore[attr-defined]
                return
            if not spoken.recv(65536).startswith(b"PRI * HTTP/2.0"):
                spoken.sendall(SETTINGS + GOAWAY)
                return
            spoken.sendall(self._first)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def plain() -> Iterator[OnlyHttp2]:
    server = OnlyHttp2()
    yield server
    server.close()


def test_a_target_that_only_speaks_http2_is_a_usage_error(plain: OnlyHttp2) -> None:
    """What it is, and what would help."""
    with pytest.raises(ConfigError, match=r"checkout = http://.*: speaks only HTTP/2, and"):
        preflight.check_answers({"checkout": plain.url})


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_so_is_one_over_tls(tmp_path: Path) -> None:
    """It offers nothing else in the handshake."""
    trusted = Access(str(make_authority(tmp_path)))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    tls.set_alpn_protocols(["h2"])
    server = OnlyHttp2(tls)
    with pytest.raises(ConfigError, match="speaks only HTTP/2"):
        preflight.check_answers({"cart": server.url}, access=trusted)
    server.close()


@pytest.mark.parametrize("first", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\0\0\0"])
def test_another_server_does_not(first: bytes) -> None:
    """One that answers in HTTP/1.1, hangs up, or says less than a frame."""
    server = OnlyHttp2(first=first)
    assert not speaks_http2(server.url, Access(), 5.0)
    server.close()


def test_nobody_there_does_not() -> None:
    """Nor does what only a proxy can reach."""
    assert not speaks_http2("http://127.0.0.1:9", Access(), 5.0)
    assert not speaks_http2("http://127.0.0.1:9", Access(proxy="http://127.0.0.1:8"), 5.0)
