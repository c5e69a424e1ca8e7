"""What goes between this process and each service: counted, and of all workers added up."""

import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import inf
from socket import IPPROTO_TCP
from typing import Any

from gevent.socket import socket

_TCP_INFO = 11
"""Of Linux (linux/tcp.h); elsewhere nobody says."""
_RESENT = struct.Struct("100xI")
"""``tcpi_total_retrans`` of its ``struct tcp_info``: segments sent again, a SYN among them."""


@dataclass(slots=True)
class Traffic:
    """Of one service, in one process. All but the least only grow."""

    requests: int = 0
    opened: int = 0
    """TCP connections."""
    tls: int = 0
    """TLS handshakes."""
    closed: int = 0
    """Answers after which the service closed the connection: ``Connection: close``."""
    resent: int = 0
    """TCP segments that were sent again, of connections that are closed by now."""
    wire_bytes: int = 0
    """Received, heads of answers included, as they came; TLS' own are not counted."""
    content_bytes: int = 0
    """Of answers' bodies, after decompression."""
    least_handshake_s: float = inf
    """The quickest TCP handshake."""

    def connected(self, took_s: float) -> None:
        """One more connection."""
        self.opened += 1
        self.least_handshake_s = min(self.least_handshake_s, took_s)

    def ends(self, connection: socket) -> None:
        """A connection is about to be closed."""
        with suppress(OSError, struct.error):  # a socket that is no more, another system
            told = connection.getsockopt(IPPROTO_TCP, _TCP_INFO, _RESENT.size)
            self.resent += _RESENT.unpack(told)[0]


def names_by_url(urls: Mapping[str, str], arm: str | None) -> dict[str, str]:
    """What the traffic of each url is counted under: ``cart, checkout@head``."""
    named = {url: ", ".join(sorted(n for n in urls if urls[n] == url)) for url in urls.values()}
    return {url: f"{names}@{arm}" if arm else names for url, names in named.items() if url}


def added_up(workers: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Of all workers together, by service."""
    found: dict[str, Traffic] = {}
    for services in workers:
        for names, counted in services.items():
            found[names] = _sum(found.get(names, Traffic()), Traffic(**counted))
    return {names: asdict(found[names]) for names in sorted(found)}


def _sum(one: Traffic, other: Traffic) -> Traffic:
    a, b = asdict(one), asdict(other)
    least = min(a.pop("least_handshake_s"), b.pop("least_handshake_s"))
    return Traffic(**{name: a[name] + b[name] for name in a}, least_handshake_s=least)
