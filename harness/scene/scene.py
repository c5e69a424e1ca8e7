"""What a run plays against: services of our own or somebody else's, one set or two arms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.sampling.after_load import AfterLoad
from harness.sampling.mapped_page import MappedPages
from harness.sampling.prometheus import flatten
from harness.scene.services import Services, start_services
from harness.scene.shop_metrics import shop_metrics
from harness.system.fetch import NoAnswerError, fetch
from mock_services.table import SERVICES
from recording.clock import RunClock
from recording.profile import Profile
from recording.rundir import RunDir


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything is up. ``services`` are the ones to watch and end; None where none are ours.

    ``urls`` is where users go; in a paired run ``arms`` has them for each arm. ``sampled`` has
    the url of every subject whose ``/metrics`` is recorded, ``unsampled`` who has none to record.
    ``reads`` are those that are read in another way, ``after_load`` those that are asked for then.
    """

    services: Services | None
    urls: Mapping[str, str]
    sampled: Mapping[str, str]
    arms: Mapping[str, Mapping[str, str]] | None = None
    unsampled: tuple[str, ...] = ()
    reads: Mapping[str, MappedPages] = field(default_factory=dict)
    after_load: AfterLoad | None = None


METRICS_WITHIN_S = 5.0
OpenScene = Callable[[RunDir, RunClock], Scene]


def single(profile: Profile, settings: Mapping[str, Mapping[str, Any]], host: str) -> OpenScene:
    """The profile's target, or the mocks when it names none."""

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        if profile.target.urls:
            urls = target_urls(profile)
            own = shop_metrics(profile, by_subject(urls))
            others = own.others(by_subject(urls))
            sampled, unsampled = with_metrics(others, profile.target.ca_file)
            return Scene(None, urls, sampled, None, unsampled, own.pages, own.after)
        proxied = {fault.service for fault in profile.faults if fault.below_http}
        services = start_services(settings, clock, run, host=host, proxied=sorted(proxied))
        own = shop_metrics(profile, services.by_subject)
        sampled = own.others(services.by_subject)
        return Scene(services, services.urls, sampled, reads=own.pages, after_load=own.after)

    return open_scene


def with_metrics(
    urls: Mapping[str, str], ca_file: str = ""
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Of somebody else's services those that export ``/metrics``, and the names of the others."""
    sampled = {subject: url for subject, url in urls.items() if _exports(url, ca_file)}
    return sampled, tuple(subject for subject in urls if subject not in sampled)


def _exports(url: str, ca_file: str) -> bool:
    """Whether it does; one that does not answer at all is sampled, and so seen to be down."""
    try:
        page = fetch(f"{url}/metrics", METRICS_WITHIN_S, ca_file)
        return page.ok and bool(dict(flatten(page.text)))
    except NoAnswerError:
        return True
    except ValueError:
        return False


def target_urls(profile: Profile) -> dict[str, str]:
    """The configured services, the lock service among them when it is named."""
    lock = {"inventory_lock": profile.target.inventory_lock}
    return profile.target.urls | {name: url for name, url in lock.items() if url}


def by_subject(urls: Mapping[str, str], arm: str = "") -> dict[str, str]:
    """Urls under the names that reports use: ``cart-service``, in an arm ``cart-service@head``."""
    return {SERVICES[name].subject + (f"@{arm}" if arm else ""): url for name, url in urls.items()}
