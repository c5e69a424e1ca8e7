"""One GET with a deadline for all of it: the name, the connection, every byte of the answer.

A client's own timeout is per read: a server that sends a byte a second would never meet it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from harness.system.deadline import NoAnswerError as NoAnswerError
from harness.system.deadline import answered
from recording.access import DIRECT, Access
from recording.trust import trust_store

MAX_PAGE_BYTES = 32 * 2**20
"""Above the largest /metrics there is; an endless page ends here."""


@dataclass(frozen=True, slots=True)
class Page:
    """What came. Redirects are not followed."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300


def fetch(
    url: str,
    within_s: float,
    access: Access = DIRECT,
    headers: Mapping[str, str] | None = None,
) -> Page:
    """The whole answer. Raises NoAnswerError, after ``within_s`` at the latest.

    Raises ConfigError for files of ``access`` that cannot be used.
    """
    trust, proxy = trust_store(access), access.proxy or None
    with httpx.Client(timeout=within_s, trust_env=False, verify=trust, proxy=proxy) as client:
        return answered(lambda: _ask(client, url, headers), within_s)


def _ask(client: httpx.Client, url: str, headers: Mapping[str, str] | None) -> Page:
    with client.stream("GET", url, headers=headers) as answer:
        return Page(answer.status_code, _body(answer))


def _body(answer: httpx.Response) -> str:
    data = bytearray()
    for block in answer.iter_bytes():
        data += block
        if len(data) > MAX_PAGE_BYTES:
            raise ValueError(f"more than {MAX_PAGE_BYTES / 2**20:g} MB")
    return data.decode(answer.encoding or "utf-8", errors="replace")
