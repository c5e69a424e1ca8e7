"""The cookies of one user, kept and sent by the rules of ``http.cookiejar``."""

import re
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any
from urllib.request import Request

MOST = 50
"""Of one user: what RFC 6265, 6.1, wants of a browser. A shop that sets more starts anew."""
_SET = re.compile(rb"(?i)\r\nset-cookie:[ \t]*([^\r\n]+)")
_INFORMATIONAL = b"HTTP/1.1 1"


class Cookies:
    """Of all services: the jar knows whose is whose."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def clear(self) -> None:
        """Another shopper."""
        self._jar.clear()

    def header(self, url: str) -> str:
        """The line to ask a url with, its CRLF included; "" where nothing is kept for it."""
        request = Request(url)
        self._jar.add_cookie_header(request)
        said = request.get_header("Cookie")
        return f"Cookie: {said}\r\n" if said else ""

    def keep(self, url: str, head: bytes) -> None:
        """What an answer sets; ``head`` may go on with a part of the body."""
        if lines := _set_by(head):
            answer: Any = _Answer(lines)
            self._jar.extract_cookies(answer, Request(url))
            if len(self._jar) > MOST:
                self._jar.clear()


class _Answer:
    """As much of one as the jar asks for."""

    def __init__(self, lines: list[bytes]) -> None:
        self._said = Message()
        for line in lines:
            self._said["Set-Cookie"] = line.decode("latin-1")

    def info(self) -> Message:
        return self._said


def _set_by(head: bytes) -> list[bytes]:
    final = (part for part in head.split(b"\r\n\r\n") if not part.startswith(_INFORMATIONAL))
    return _SET.findall(next(final, b""))
