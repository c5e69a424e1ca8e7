"""Does a server that gives no answer speak HTTP/2, and so nothing that we do?

Over TLS it says so in the handshake (ALPN, RFC 7301), else in its answer to HTTP/2's first words
(RFC 9113, 3.4): a SETTINGS frame.
"""

import socket
from urllib.parse import urlsplit

from harness.system.deadline import NoAnswerError, answered
from recording.access import Access
from recording.trust import trust_store

_EMPTY_SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_FIRST_WORDS = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _EMPTY_SETTINGS
_SETTINGS = 4
"""The type of such a frame (RFC 9113, 6.5), its fourth byte."""
_PORTS = {"http": 80, "https": 443}


def speaks_http2(url: str, access: Access, within_s: float) -> bool:
    """Whether it does; what says nothing in time, or is behind a proxy, does not."""
    if access.proxy:
        return False
    try:
        return answered(lambda: _speaks(url, access, within_s), within_s)
    except NoAnswerError:
        return False


def _speaks(url: str, access: Access, within_s: float) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    with socket.create_connection((host, parts.port or _PORTS[parts.scheme]), within_s) as plain:
        if parts.scheme == "https":
            return _says_so(plain, host, access)
        plain.sendall(_FIRST_WORDS)
        head = plain.makefile("rb").read(len(_EMPTY_SETTINGS))
        return len(head) == len(_EMPTY_SETTINGS) and head[3] == _SETTINGS


def _says_so(plain: socket.socket, host: str, access: Access) -> bool:
    context = trust_store.__wrapped__(access)  # one of its own: the shared one stays as it is
    context.set_alpn_protocols(["h2"])
    with context.wrap_socket(plain, server_hostname=host) as tls:
        return tls.selected_alpn_protocol() == "h2"
