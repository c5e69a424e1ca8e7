"""How connections to a service come about: counted, and timed.

Connecting (DNS, TLS, a proxy's tunnel) is geventhttpclient's.
"""

import time
from typing import Any

from gevent.socket import socket
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.url import DEFAULT_PORTS, URL

from locustfiles.traffic import Traffic
from recording.access import Access
from recording.trust import trust_store

MOST_CONNECTIONS = 1_000_000
"""Of a process to one service: no limit, the descriptors are one."""


class _Tcp(ConnectionPool):
    """Connections whose handshakes are counted."""

    def __init__(self, *where: Any, traffic: Traffic, **more: Any) -> None:
        self.traffic = traffic
        super().__init__(*where, **more)

    def _connect_socket(self, sock: socket, address: Any) -> socket:
        began_s = time.perf_counter()
        connected = super()._connect_socket(sock, address)
        self.traffic.connected(time.perf_counter() - began_s)
        return connected

    def _setup_proxy(self, sock: socket) -> None:
        try:
            super()._setup_proxy(sock)
        except RuntimeError as refused:
            raise ConnectionError(str(refused)) from refused


class _Tls(SSLConnectionPool, _Tcp):
    """The same over TLS: TCP comes first."""

    def _connect_socket(self, sock: socket, address: Any) -> socket:
        connected = super()._connect_socket(sock, address)
        self.traffic.tls += 1
        return connected


Sockets = _Tcp


def sockets(host: str, port: int, traffic: Traffic, access: Access, *, tls: bool) -> Sockets:
    """What connections to a service come from. Of the pool that it is only connecting is used: a
    connection stays with its user until it closes.
    """
    by = URL(access.proxy) if access.proxy else None
    to_host, to_port = (by.host, by.port or DEFAULT_PORTS["http"]) if by else (host, port)
    more: dict[str, Any] = {"ssl_context_factory": lambda **_: trust_store(access)} if tls else {}
    return (_Tls if tls else _Tcp)(
        to_host,
        to_port,
        host,
        port,
        size=MOST_CONNECTIONS,
        connection_timeout=None,  # the exchange has a deadline
        network_timeout=None,
        use_proxy=by is not None,
        traffic=traffic,
        **more,
    )
