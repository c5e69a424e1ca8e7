"""What no command may do: load a host that nobody allowed, or hold a live payment key."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from recording.errors import RefusedError
from recording.secrets import live_keys


def check_keys(table: Mapping[Any, Any], where: str) -> None:
    """Raises RefusedError naming every place where a live payment key stands, never the key."""
    if places := ", ".join(live_keys(table)):
        raise RefusedError(
            f"{where}{places} holds a live key (sk_live_… or rk_live_…): load tests never use "
            "one; use sk_test_…"
        )


def check_hosts(urls: Iterable[str], allowed: Sequence[str], where: str, option: str = "") -> None:
    """Raises RefusedError for a url whose host is not in the allow-list.

    The list is the profile's, or that of ``option``.
    """
    for url in filter(None, urls):
        host = urlsplit(url).hostname
        if host not in allowed:
            missing, cure = "allowed", f"allow it by {option}"
            if not option:
                missing = "in target.allowed_hosts"
                cure = f"add it there or by --set 'target.allowed_hosts=[\"{host}\"]'"
            raise RefusedError(
                f"{where}{url}: host {host!r} is not {missing} ({', '.join(allowed)}); {cure}"
            )
