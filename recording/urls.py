"""Base urls of services: what can be one, before anything tries to reach it."""

import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)
_PRINTABLE = re.compile(r"[!-~]+")
MAX_URL_CHARS = 2000
MAX_HOST_CHARS = 253
"""Of RFC 1035, without the dot at the end."""
FORM = "write http://HOST:PORT"


def base_url(text: str) -> str:
    """``text`` without a slash at its end; "" stays "".

    Paths are appended as ``/metrics``: two slashes would be another path.
    Raises ValueError that says what is wrong with it.
    """
    if not text:
        return text
    if len(text) > MAX_URL_CHARS or not _PRINTABLE.fullmatch(text):
        raise ValueError(f"not a url: blanks, other than ASCII characters or too long; {FORM}")
    parts = _parts(text)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"not an http:// or https:// url; {FORM}")
    if "@" in parts.netloc:
        raise ValueError(f"user and password have no place in a url; {FORM}")
    if "?" in text or "#" in text:
        raise ValueError(f"a base url has no query and no fragment; {FORM}")
    check_host(parts.hostname or "")
    return text.rstrip("/")


def proxy_url(text: str) -> str:
    """As ``base_url``, of a proxy: asked in plain HTTP, and has no path. Raises ValueError."""
    url = base_url(text)
    if url and not re.fullmatch(r"http://[^/]+", url, re.IGNORECASE):
        raise ValueError("a proxy is asked in plain HTTP and has no path; write http://HOST:PORT")
    return url


def _parts(text: str) -> SplitResult:
    """Raises ValueError for brackets that do not close and ports out of range."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"not a url: {error}; {FORM}") from None
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f"not a url: a port is 1 to 65535; {FORM}")
    return parts


def check_host(host: str) -> None:
    """Raises ValueError for what is neither an address nor a name of one."""
    if ":" in host:
        try:
            IPv6Address(host)
        except ValueError:
            raise ValueError(f"{host!r} is no IPv6 address; {FORM}") from None
    elif re.fullmatch(r"[0-9.]+", host):
        try:
            IPv4Address(host)
        except ValueError:
            raise ValueError(f"{host!r} is no IPv4 address; {FORM}") from None
    elif not host or len(host) > MAX_HOST_CHARS or not all(map(_LABEL.fullmatch, host.split("."))):
        raise ValueError(f"{host!r} is no host name; {FORM}")
