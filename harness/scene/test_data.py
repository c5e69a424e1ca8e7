"""Test data of services: made before a load and removed after it, by prefix, over their admin."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from harness.scene import preflight
from harness.scene.running import Running
from harness.scene.scene import target_urls
from mock_services.table import SERVICES
from recording.access import DIRECT, Access
from recording.errors import ConfigError, RunFailedError
from recording.profile import Profile
from recording.text import plain
from recording.trust import trust_store

PATH = "/admin/test-data"
WITHIN_S = 60.0
NOT_OFFERED = (404, 405)
SAID_CHARS = 200


@dataclass(frozen=True, slots=True)
class Shop:
    """Services by the names that reports use, and the token that opens their admin."""

    urls: Mapping[str, str]
    token: str
    access: Access = DIRECT


@dataclass(frozen=True, slots=True)
class Touched:
    """What a service said that it made or removed; None where it offers no such thing."""

    subject: str
    url: str
    counts: Mapping[str, int] | None


def of_mocks(running: Running) -> Shop:
    """Mocks that run by themselves."""
    return Shop({m.subject: m.url for m in running.mocks.values()}, running.admin_token)


def of_profile(profile: Profile, token: str) -> Shop:
    """Services at the urls of a profile.

    Raises RefusedError for a host that is not allowed, and ConfigError where there are no urls or
    one does not answer.
    """
    preflight.check_safety(profile)
    if profile.scenario.own:
        raise ConfigError(f"profile {profile.name}: test data are the checkout flow's services'")
    if not profile.target.reached:
        raise ConfigError(f"profile {profile.name}: no [target]: a run starts its services itself")
    preflight.check_answers(profile.target.reached, access=profile.target.access)
    urls = {SERVICES[key].subject: url for key, url in target_urls(profile).items()}
    return Shop(urls, token, profile.target.access)


def seeded(shop: Shop, prefix: str, users: int, products: int) -> list[Touched]:
    """Make it everywhere. Raises RunFailedError where a service fails."""
    wanted = {"prefix": prefix, "users": users, "products": products}
    return list(_touched(shop, "POST", json=wanted))


def cleaned(shop: Shop, prefix: str) -> list[Touched]:
    """Remove it everywhere. Raises RunFailedError where a service fails."""
    return list(_touched(shop, "DELETE", params={"prefix": prefix}))


def _touched(shop: Shop, method: str, **sent: Any) -> Iterator[Touched]:
    with httpx.Client(
        timeout=WITHIN_S,
        trust_env=False,
        headers={"X-Admin-Token": shop.token},
        verify=trust_store(shop.access),
        proxy=shop.access.proxy or None,
    ) as client:
        for subject, url in shop.urls.items():
            try:
                answer = client.request(method, url + PATH, **sent)
                counts = None if answer.status_code in NOT_OFFERED else _counts(answer)
            except (httpx.HTTPError, ValueError) as error:
                raise RunFailedError(f"{subject} at {url}: {error}") from error
            yield Touched(subject, url, counts)


def _counts(answer: httpx.Response) -> dict[str, int]:
    """Raises ValueError for an answer that is no such thing."""
    if not answer.is_success:
        raise ValueError(f"{answer.status_code} {plain(answer.text)[:SAID_CHARS]}")
    said = answer.json()
    counts = said.get("counts") if isinstance(said, dict) else None
    if not isinstance(counts, dict) or not all(type(n) is int for n in counts.values()):
        raise ValueError(f"no counts in its answer: {plain(answer.text)[:SAID_CHARS]}")
    return {str(what): n for what, n in counts.items()}
