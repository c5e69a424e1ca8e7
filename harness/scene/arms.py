"""The two arms of a paired run: this tree, another revision of it, or services at given urls."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.scene import preflight
from harness.scene import revision as revisions
from harness.scene.orders_db import check_orders_db
from harness.scene.scene import OpenScene, Scene, by_subject, target_urls, with_metrics
from harness.scene.seeds import seeded_services
from harness.scene.services import (
    GIVE_UP_TIMEOUT_S,
    Origin,
    Services,
    service_settings,
    start_services,
)
from harness.system import git
from harness.system.scratch import scratch
from recording.access import DIRECT, Access
from recording.clock import RunClock
from recording.errors import ConfigError
from recording.flow import FLOW
from recording.manifest import ArmFacts
from recording.profile import Profile
from recording.profile_file import apply_override, build, read_toml
from recording.rundir import RunDir
from recording.slots import ARMS, BASE, Arm
from recording.target import Target
from recording.text import plain
from recording.written import Written, as_written

KINDS = "`.` (this tree), `ref:<git ref>` or `url:<file with service urls>`"


@dataclass(frozen=True, slots=True)
class PreparedArm:
    """An arm that can be started: its own services with ``settings``, or the ``urls`` of others."""

    facts: ArmFacts
    settings: Mapping[str, Mapping[str, Any]]
    origin: Origin
    urls: Mapping[str, str]


@contextmanager
def prepared(
    arm: Arm, what: str, overrides: Sequence[str], profile: Profile, where: Written | str
) -> Iterator[PreparedArm]:
    """Resolve what the user named; the files of another revision exist within this context only.

    Raises ConfigError for what cannot be resolved, RefusedError for a host or key not allowed.
    """
    kind, _, rest = what.partition(":")
    if kind == "url" and rest:
        yield _of_urls(arm, Path(rest), overrides, profile)
        return
    settings = _settings(arm, overrides, profile, where)
    asked = tuple(overrides)
    if what == ".":
        here = git.facts()
        revision, dirty = here.get("revision", ""), here.get("dirty", False)
        facts = ArmFacts(what=what, revision=revision, dirty=dirty, overrides=asked)
        yield PreparedArm(facts, settings, Origin(arm=arm), {})
    elif kind == "ref" and rest:
        revision = git.resolve(rest)
        with scratch(arm) as folder:
            git.export(revision, folder)
            theirs = revisions.asked(folder, arm, revision)
            settings, notes = theirs.as_known(settings, overrides)
            services = None if theirs.services is FLOW else theirs.services.all
            facts = ArmFacts(
                what=what, revision=revision, overrides=asked, notes=notes, services=services
            )
            yield PreparedArm(facts, settings, theirs.origin(arm), {})
    else:
        raise ConfigError(f"--{arm} {what}: need {KINDS}")


def seeded(arm: PreparedArm, seed: int, of: str) -> PreparedArm:
    """The arm with seeds for its services; ``of`` is its own name, or a name common to both."""
    settings = seeded_services(arm.settings, seed, of)
    seeds = {name: int(own["seed"]) for name, own in settings.items()}
    return replace(arm, settings=settings, facts=arm.facts.model_copy(update={"seeds": seeds}))


def open_arms(base: PreparedArm, head: PreparedArm, access: Access = DIRECT) -> OpenScene:
    """Both arms' services, up side by side."""

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        started: list[Services] = []
        arms: dict[str, Mapping[str, str]] = {}
        sampled: dict[str, str] = {}
        unsampled: tuple[str, ...] = ()
        try:
            for arm, chosen in zip(ARMS, (base, head), strict=True):
                if chosen.urls:
                    arms[arm] = chosen.urls
                    exporting, without = with_metrics(by_subject(chosen.urls, arm), access)
                    sampled |= exporting
                    unsampled += without
                else:
                    own = start_services(chosen.settings, clock, run, origin=chosen.origin)
                    started.append(own)
                    arms[arm] = own.urls | _renamed(own.urls, chosen.facts)
                    sampled |= own.by_subject
        except BaseException:
            for services in started:
                services.stop(GIVE_UP_TIMEOUT_S)
            raise
        every = tuple(service for services in started for service in services.services)
        databases = tuple(db for services in started for db in services.databases)
        ours = Services(every, "", databases=databases) if every else None
        return Scene(ours, arms[BASE], sampled, arms, unsampled)

    return open_scene


def _renamed(urls: Mapping[str, str], facts: ArmFacts) -> dict[str, str]:
    """What this tree's load calls the services that answer its steps, where they say otherwise."""
    own = {step: urls[service.key] for service in facts.services or () for step in service.steps}
    return {service.key: own[step] for service in FLOW.all for step in service.steps if step in own}


def _of_urls(arm: Arm, file: Path, overrides: Sequence[str], profile: Profile) -> PreparedArm:
    if overrides:
        raise ConfigError(
            f"--{arm}-set {overrides[0]}: services at given urls cannot be configured from here"
        )
    table = read_toml(file)
    target = build(Target, table.get("target", table), str(file))
    if not target.urls:
        raise ConfigError(f"{file}: needs the urls checkout, payment and cart")
    reach = profile.target.access
    ours = {"allowed_hosts": profile.target.allowed_hosts, **reach._asdict()}
    allowed = target.model_copy(update=ours)
    aimed = profile.model_copy(update={"target": allowed})
    preflight.check_safety(aimed, f"{file}: ")
    urls = target_urls(aimed)
    preflight.check_answers(urls, f"{file}: ", reach)
    there = FLOW.reached_by(urls)
    services = None if there == FLOW.all else there
    facts = ArmFacts(what=plain(f"url:{file}"), urls=urls, services=services)
    return PreparedArm(facts, {}, Origin(arm=arm), urls)


def _settings(
    arm: Arm, overrides: Sequence[str], profile: Profile, where: Written | str
) -> dict[str, dict[str, Any]]:
    table: dict[str, Any] = {"services": profile.model_dump()["services"]}
    option, more = f"--{arm}-set", []
    for text in overrides:
        if not text.startswith("services."):
            raise ConfigError(
                f"{option} {text}: only services.* may differ between the arms; --set changes both"
            )
        more.append((apply_override(table, text, option), f"{option} {text}"))
    written = as_written(where, {}).with_options(table, *more)
    settings = service_settings(table["services"], written)
    check_orders_db(settings, profile.target.allowed_hosts, written)
    return settings
