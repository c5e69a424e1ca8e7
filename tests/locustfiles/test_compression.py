"""locustfiles/compression.py: what came compressed is read as it was, and nothing else is."""

import gzip

import pytest

from locustfiles.compression import plain
from locustfiles.outcomes import parse

SAID = b'{"items": [' + b", ".join(b"%d" % n for n in range(1000)) + b"]}"
PACKED = gzip.compress(SAID, mtime=0)
MOST = 2**20


def head(*lines: str) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode()


@pytest.mark.parametrize("line", ["Content-Encoding: gzip", "content-encoding:x-gzip "])
def test_gzip_is_decompressed(line: str) -> None:
    """However the header is written."""
    assert plain(head("Vary: *", line, "X: y"), PACKED, MOST) == SAID


@pytest.mark.parametrize("line", ["X-Content-Encoding: gzip", "Content-Encoding: br", "X: gzip"])
def test_any_other_body_is_left_alone(line: str) -> None:
    """Only what says that it is gzip."""
    assert plain(head(line), PACKED, MOST) == PACKED


@pytest.mark.parametrize(
    "body", [SAID, PACKED[:-20], PACKED[:5], b""], ids=["plain", "cut", "begun", "empty"]
)
def test_what_is_not_what_its_head_says_is_no_answer(body: bytes) -> None:
    """Plain text, cut off, empty: left as it is, so it counts by what it holds."""
    assert plain(head("Content-Encoding: gzip"), body, MOST) == body


def test_a_body_that_would_fill_the_memory_is_not_unpacked() -> None:
    """A thousandth of it came over the wire; it is no JSON either."""
    bomb = gzip.compress(bytes(4 * MOST))
    assert plain(head("Content-Encoding: gzip"), bomb, MOST) == bomb
    assert parse(bomb) is None
