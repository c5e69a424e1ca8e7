"""Bodies that came compressed, as they were before."""

import re
import zlib

_GZIP = re.compile(rb"(?i)\r\ncontent-encoding:[ \t]*(?:x-)?gzip[ \t]*\r\n")
_GZIP_FORMAT = 16 + zlib.MAX_WBITS
"""What zlib calls RFC 1952."""


def plain(head: bytes, body: bytes, most_bytes: int) -> bytes:
    """A body of gzip (RFC 9110, 8.4.1.3) as it was, any other as it is.

    So is one that is not what its head says, or would be larger than ``most_bytes``: no JSON then.
    """
    if not _GZIP.search(head):
        return body
    unpacking = zlib.decompressobj(_GZIP_FORMAT)
    try:
        found = unpacking.decompress(body, most_bytes)
    except zlib.error:
        return body
    return found if unpacking.eof else body
