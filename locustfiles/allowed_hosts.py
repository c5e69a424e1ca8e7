"""The allow-list for a file whose requests go where it says: no other host is looked up."""

import sys
from collections.abc import Collection
from typing import Any

_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname")
"""Audit events (https://docs.python.org/3/library/audit_events.html); the host comes first."""


class HostRefusedError(PermissionError):
    """A host that nobody allowed: to clients a connection that could not be made."""


def allow_only(hosts: Collection[str]) -> None:
    """From now on, for as long as this process lives."""
    known = {host.lower() for host in hosts}

    def heed(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _LOOK_UPS or not arguments[0]:
            return
        host = arguments[0]
        name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
        if name.lower() not in known:
            raise HostRefusedError(
                f"host {name!r} is not in target.allowed_hosts ({', '.join(sorted(known))})"
            )

    sys.addaudithook(heed)
