"""Where an answer sends its client on to, within the service that gave it."""

import re
from urllib.parse import urljoin, urlsplit

_LOCATION = re.compile(rb"(?i)\r\nlocation:[ \t]*([!-~]+)[ \t]*\r\n")
_AS_GET = (301, 302, 303)
"""After which a POST becomes a GET, as in browsers (RFC 9110, 15.4); 307 and 308 keep it."""
_AS_IT_WAS = (307, 308)


def onward(
    status: int, head: bytes, base_url: str, method: str, target: str
) -> tuple[str, str] | None:
    """Method and target to ask next, the target below the base url as the first was.

    None for any other answer, and where it leads to another host or out of the base url's path:
    nobody allowed those.
    """
    found = _LOCATION.search(head) if status in (*_AS_GET, *_AS_IT_WAS) else None
    if found is None:
        return None
    try:
        to, base = urlsplit(urljoin(base_url + target, found[1].decode())), urlsplit(base_url)
    except ValueError:  # no url
        return None
    path = base.path.rstrip("/")
    same = (to.scheme, to.netloc) == (base.scheme, base.netloc)
    if not same or not to.path.startswith(f"{path}/") or ".." in to.path.split("/"):
        return None
    query = f"?{to.query}" if to.query else ""
    kept = method in ("GET", "HEAD") or status in _AS_IT_WAS
    return (method if kept else "GET"), to.path.removeprefix(path) + query
