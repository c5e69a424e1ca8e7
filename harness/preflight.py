"""Checks before the first user: is the target allowed, does it answer, will the load fit?"""

import os
import resource
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from harness.generator import CONNECTIONS_PER_USER, SPARE_DESCRIPTORS
from recording.errors import ConfigError, RefusedError
from recording.profile import Profile

LIVE_KEY = "sk_live_"


def check_safety(profile: Profile) -> None:
    """Raises RefusedError for a live payment key or a host outside the allow-list."""
    if any(text.startswith(LIVE_KEY) for text in _strings(profile.model_dump())):
        raise RefusedError(
            f"profile {profile.name}: holds a live key ({LIVE_KEY}…): load tests never use one; "
            "use sk_test_…"
        )
    if os.environ.get("STRIPE_API_KEY", "").startswith(LIVE_KEY):
        raise RefusedError(
            f"STRIPE_API_KEY in the environment is a live key ({LIVE_KEY}…): unset it"
        )
    target = profile.target
    for url in (*target.urls.values(), target.inventory_lock):
        host = urlsplit(url).hostname
        if url and host not in target.allowed_hosts:
            raise RefusedError(
                f"target {url}: host {host!r} is not in target.allowed_hosts "
                f"({', '.join(target.allowed_hosts)})"
            )


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _strings(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _strings(below)


def check_answers(urls: Mapping[str, str]) -> None:
    """Raises ConfigError when a configured target does not answer at all."""
    with httpx.Client(timeout=5.0, trust_env=False) as client:
        for name, url in urls.items():
            try:
                client.get(f"{url}/healthz")
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise ConfigError(f"target.{name} = {url}: does not answer ({error})") from None


def raise_descriptor_limit() -> int:
    """Lift this process's (and its children's) soft limit to the hard one; returns it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def check_descriptors(profile: Profile, processes: int, limit: int) -> None:
    """Raises ConfigError when the users' connections cannot fit into the processes' limits."""
    users = profile.load.peak_users
    generator = users * CONNECTIONS_PER_USER / processes + SPARE_DESCRIPTORS
    service = users + SPARE_DESCRIPTORS
    need = int(max(generator, service))
    if need > limit:
        raise ConfigError(
            f"{users} users need {need} file descriptors per process, the limit is {limit}; "
            f"raise it with `ulimit -n {need}` or set load.processes higher than {processes}"
        )
