"""What the load counted of its connections, over the whole run and all workers together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.evidence.run import Evidence
from analysis.words.units import BYTES_PER_MB, counted
from recording.events import GENERATOR_ENDED
from recording.slots import ARMS

Subjects = tuple[str, ...]
HARDLY_REUSED = 0.5
"""Connections for each request: from here on a client pays for a handshake with most of them."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of a service, or of several that share a url; what each is: ``locustfiles/traffic.py``."""

    requests: int
    opened: int
    tls: int
    closed: int
    resent: int
    wire_bytes: int
    content_bytes: int
    least_handshake_s: float | None

    def __str__(self) -> str:
        handshakes = f", {counted(self.tls, 'TLS handshake')}" if self.tls else ""
        said = (
            f"{counted(self.requests, 'request')} over {counted(self.opened, 'connection')}"
            f"{handshakes}, {_size(self.wire_bytes)} received"
        )
        if self.content_bytes > self.wire_bytes:
            said += f" ({_size(self.content_bytes)} decompressed)"
        if self.closed:
            said += f"; after {counted(self.closed, 'answer')} the service closed the connection"
        if self.opened > HARDLY_REUSED * self.requests:
            said += ": most requests wait for a handshake"
        if self.resent:
            said += f"; {counted(self.resent, 'TCP segment')} sent again: packets were lost"
        return said


def traffic(evidence: Evidence) -> Mapping[Subjects, Traffic]:
    """By service (``checkout-service@head``), or by those that share a url; none where the
    recording does not say.
    """
    known = {service.key: service.subject for service in evidence.services.all}
    found = {}
    for names, told in _told(evidence).items():
        keys, at, arm = names.partition("@")
        if of := _traffic(told):
            found[tuple(f"{known.get(key, key)}{at}{arm}" for key in keys.split(", "))] = of
    return found


def _told(evidence: Evidence) -> Mapping[str, Any]:
    closing = evidence.events_named(GENERATOR_ENDED)
    told = closing[-1].get("traffic") if closing else None
    return told if isinstance(told, dict) else {}


def _traffic(told: Any) -> Traffic | None:
    """None for what is none: a spoilt recording's."""
    if not isinstance(told, dict):
        return None
    counts: dict[str, Any] = {name: told.get(name) for name in Traffic.__slots__}
    least_s = counts.pop("least_handshake_s")
    if not all(type(n) is int and n >= 0 for n in counts.values()):
        return None
    return Traffic(**counts, least_handshake_s=least_s if isinstance(least_s, float) else None)


def traffic_in_words(evidence: Evidence) -> Iterator[str]:
    """One finding for each url of services that are somebody else's."""
    for subjects, of in traffic(evidence).items():
        arm = subjects[0].partition("@")[2]
        if arm in ("", *ARMS) and not evidence.is_ours(arm):
            yield f"{', '.join(subjects)}: {of}"


def _size(octets: int) -> str:
    if octets < BYTES_PER_MB:
        return f"{octets / 1024:.0f} kB"
    return f"{octets / BYTES_PER_MB:,.1f} MB"
