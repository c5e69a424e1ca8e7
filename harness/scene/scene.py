"""What a run plays against: services of our own or somebody else's, one set or two arms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from harness.sampling.after_load import AfterLoad
from harness.sampling.mapped_page import MappedPages
from harness.sampling.processes import Processes
from harness.sampling.prometheus import flatten
from harness.scene.services import GIVE_UP_TIMEOUT_S, Services, start_services
from harness.scene.shop import Checkout, install, repository, start_shop
from harness.scene.shop_metrics import shop_metrics
from harness.system.fetch import NoAnswerError, fetch
from recording.access import DIRECT, Access
from recording.clock import RunClock
from recording.flow import Service
from recording.flow import Services as Flow
from recording.profile import Profile
from recording.rundir import RunDir


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything is up. ``services`` are the ones to watch and end; None where none are ours.

    ``urls`` is where users go; in a paired run ``arms`` has them for each arm. ``sampled`` has
    the url of every subject whose ``/metrics`` is recorded, ``unsampled`` who has none to record.
    ``processes`` are those of services that say nothing of themselves, or not of all of them;
    ``reads`` are those that are read in another way, ``after_load`` those that are asked for then.
    ``restart`` starts a shop of one's own anew, with variables set, unless that is over meanwhile;
    None where none is ours.
    """

    services: Services | None
    urls: Mapping[str, str]
    sampled: Mapping[str, str]
    arms: Mapping[str, Mapping[str, str]] | None = None
    unsampled: tuple[str, ...] = ()
    processes: Mapping[str, Processes] = field(default_factory=dict)
    reads: Mapping[str, MappedPages] = field(default_factory=dict)
    after_load: AfterLoad | None = None
    restart: Callable[[Mapping[str, str], Event], None] | None = None


METRICS_WITHIN_S = 5.0
OpenScene = Callable[[RunDir, RunClock], Scene]


def single(
    profile: Profile,
    settings: Mapping[str, Mapping[str, Any]],
    host: str,
    ports: Mapping[str, int] | None = None,
) -> OpenScene:
    """The profile's target or shop, or the mocks when it names none, on ``host`` and these
    ``ports``.
    """

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        if profile.arm is not None:
            checkout = Checkout(
                profile.arm,
                repository(profile),
                access=profile.target.access,
                flow=profile.flow,
            )
            return _mapped(installed(checkout)(run, clock), profile)
        if profile.target.reached:
            urls = target_urls(profile)
            subjects = by_subject(urls, profile.flow)
            own = shop_metrics(profile, subjects)
            sampled, unsampled = with_metrics(own.others(subjects), profile.target.access)
            return Scene(
                None, urls, sampled, unsampled=unsampled, reads=own.pages, after_load=own.after
            )
        proxied = {fault.service for fault in profile.faults if fault.below_http}
        services = start_services(settings, clock, run, ports, host=host, proxied=sorted(proxied))
        own = shop_metrics(profile, services.by_subject)
        sampled = own.others(services.by_subject)
        return Scene(services, services.urls, sampled, reads=own.pages, after_load=own.after)

    return open_scene


def _mapped(scene: Scene, profile: Profile) -> Scene:
    """A shop's own services, whose metrics are where ``[metrics]`` says."""
    own = shop_metrics(profile, by_subject(scene.urls, profile.flow))
    return replace(
        scene,
        sampled=own.others(scene.sampled),
        unsampled=tuple(subject for subject in scene.unsampled if subject not in own.subjects),
        reads=own.pages,
        after_load=own.after,
    )


def side_by_side(arms: Mapping[str, OpenScene]) -> OpenScene:
    """One scene of the arms' own, up at the same time; where one fails, none is left."""

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        up: dict[str, Scene] = {}
        try:
            for arm, open_it in arms.items():
                up[arm] = open_it(run, clock)
        except BaseException:
            for services in filter(None, (scene.services for scene in up.values())):
                services.stop(GIVE_UP_TIMEOUT_S)
            raise
        return _joined(up)

    return open_scene


def _joined(arms: Mapping[str, Scene]) -> Scene:
    ours = [scene.services for scene in arms.values() if scene.services is not None]
    every = tuple(service for own in ours for service in own.services)
    databases = tuple(database for own in ours for database in own.databases)
    first = next(iter(arms.values()))
    return Scene(
        services=Services(every, "", databases=databases) if every else None,
        urls=first.urls,
        sampled={k: v for scene in arms.values() for k, v in scene.sampled.items()},
        arms={arm: scene.urls for arm, scene in arms.items()},
        unsampled=tuple(subject for scene in arms.values() for subject in scene.unsampled),
        processes={k: v for scene in arms.values() for k, v in scene.processes.items()},
    )


def installed(checkout: Checkout) -> OpenScene:
    """A shop of one's own, with what it needs done first."""

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        install(checkout, run)
        return of_shop(checkout)(run, clock)

    return open_scene


def of_shop(checkout: Checkout) -> OpenScene:
    """The same where that is done."""

    def open_scene(run: RunDir, _clock: RunClock) -> Scene:
        started = start_shop(checkout, run)
        subjects = by_subject(started.urls, checkout.flow, checkout.arm)
        sampled, others = with_metrics(subjects, checkout.access)
        found = started.processes(subjects)
        processes = dict.fromkeys(found.subjects, found) if found else {}
        silent = tuple(subject for subject in others if subject not in processes)
        services = Services((started.keeper,), "")
        return Scene(
            services,
            started.urls,
            sampled,
            unsampled=silent,
            processes=processes,
            restart=started.restart,
        )

    return open_scene


def with_metrics(
    urls: Mapping[str, str], access: Access = DIRECT
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Of somebody else's services those that export ``/metrics``, and the names of the others."""
    sampled = {subject: url for subject, url in urls.items() if _exports(url, access)}
    return sampled, tuple(subject for subject in urls if subject not in sampled)


def _exports(url: str, access: Access) -> bool:
    """Whether it does; one that does not answer at all is sampled, and so seen to be down."""
    try:
        page = fetch(f"{url}/metrics", METRICS_WITHIN_S, access)
        return page.ok and bool(dict(flatten(page.text)))
    except NoAnswerError:
        return True
    except ValueError:
        return False


def target_urls(profile: Profile) -> dict[str, str]:
    """The configured services, the lock service among them when it is named."""
    lock = {"inventory_lock": profile.target.inventory_lock}
    return profile.target.reached | {name: url for name, url in lock.items() if url}


def reached_urls(profile: Profile) -> dict[str, str]:
    """Those of services that are not ours: the target's, or the shop's before it has its ports."""
    shop = profile.arm
    return shop.reached(profile.flow) if shop is not None else target_urls(profile)


def services_of(profile: Profile) -> tuple[Service, ...]:
    """What a run is made with. A shop says all that there is of it, and urls what users talk to."""
    urls, flow = reached_urls(profile), profile.flow
    if profile.arm is not None:
        return tuple(service for service in flow.all if service.key in urls)
    return flow.reached_by(urls) if urls else flow.all


def by_subject(urls: Mapping[str, str], flow: Flow, arm: str = "") -> dict[str, str]:
    """Urls under the names that reports use: ``cart-service``, in an arm ``cart-service@head``."""
    subjects = {service.key: service.subject for service in flow.all}
    return {subjects[name] + (f"@{arm}" if arm else ""): url for name, url in urls.items()}
