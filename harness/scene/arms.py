"""The two arms of a paired run: this tree, another revision of it, or services at given urls.

Of which repository: loadgate's own mocks, or, where the profile has ``[arm]``, the one we are in.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.scene import preflight
from harness.scene import revision as revisions
from harness.scene.orders_db import check_orders_db
from harness.scene.own_file import check_urls
from harness.scene.scene import (
    OpenScene,
    Scene,
    by_subject,
    of_shop,
    services_of,
    side_by_side,
    target_urls,
    with_metrics,
)
from harness.scene.seeds import seeded_services
from harness.scene.services import (
    Origin,
    service_settings,
    start_services,
)
from harness.scene.shop import Checkout, check_checkout, check_shop, install, repository
from harness.system import git
from harness.system.paths import PROJECT
from harness.system.scratch import scratch
from recording.access import DIRECT, Access
from recording.clock import RunClock
from recording.errors import ConfigError
from recording.flow import FLOW
from recording.flow import Services as Flow
from recording.manifest import ArmFacts
from recording.profile import Profile
from recording.profile_file import apply_override, build, read_toml
from recording.rundir import RunDir
from recording.slots import ARMS, Arm
from recording.target import Target
from recording.text import plain
from recording.written import Written, as_written

KINDS = "`.` (this tree), `ref:<git ref>` or `url:<file with service urls>`"


@dataclass(frozen=True, slots=True)
class PreparedArm:
    """An arm that can be started: our mocks with ``settings``, the ``urls`` of others' services, or
    the ``checkout`` of a shop."""

    facts: ArmFacts
    settings: Mapping[str, Mapping[str, Any]]
    origin: Origin
    urls: Mapping[str, str]
    flow: Flow = FLOW
    """Whom its users ask."""
    checkout: Checkout | None = None


@contextmanager
def prepared(
    arm: Arm, what: str, overrides: Sequence[str], profile: Profile, where: Written | str
) -> Iterator[PreparedArm]:
    """Resolve what the user named; the files of another revision exist within this context only.

    Raises ConfigError for what cannot be resolved, RefusedError for a host or key not allowed.
    """
    kind, _, rest = what.partition(":")
    if kind != "url" and profile.scenario.own and profile.arm is None:
        raise ConfigError(
            f"--{arm} {what}: the users of {profile.scenario.own} do not ask the mocks: name what "
            f"they ask with --{arm} url:FILE, which has its {_needed(profile)}, or say in [arm] "
            "how it is started"
        )
    if kind == "url" and rest:
        yield _of_urls(arm, Path(rest), overrides, profile)
        return
    if what != "." and not (kind == "ref" and rest):
        raise ConfigError(f"--{arm} {what}: need {KINDS}")
    opened = (
        _of_shop(arm, what, overrides, profile)
        if profile.arm
        else _of_mocks(arm, what, overrides, profile, where)
    )
    with opened as ready:
        yield ready


@contextmanager
def _of_mocks(
    arm: Arm, what: str, overrides: Sequence[str], profile: Profile, where: Written | str
) -> Iterator[PreparedArm]:
    settings = _settings(arm, overrides, profile, where)
    facts = _facts(what, PROJECT).model_copy(update={"overrides": tuple(overrides)})
    if what == ".":
        yield PreparedArm(facts, settings, Origin(arm=arm), {})
        return
    with scratch(arm) as folder:
        git.export(facts.revision, folder)
        theirs = revisions.asked(folder, arm, facts.revision)
        settings, notes = theirs.as_known(settings, overrides)
        services = None if theirs.services is FLOW else theirs.services.all
        facts = facts.model_copy(update={"notes": notes, "services": services})
        yield PreparedArm(facts, settings, theirs.origin(arm), {})


@contextmanager
def _of_shop(
    arm: Arm, what: str, overrides: Sequence[str], profile: Profile
) -> Iterator[PreparedArm]:
    """``[arm]`` in the repository that we are in."""
    shop, project = profile.arm, repository(profile)
    assert shop is not None
    _refuse_overrides(arm, overrides, "[arm] says how both arms are started")
    check_shop(shop, profile, both=True)
    there = services_of(profile)
    facts = _facts(what, project)
    notes = tuple(_notes(facts, project, profile))
    own = {"shop": True, "services": None if there == profile.flow.all else there, "notes": notes}
    facts = facts.model_copy(update=own)
    with ExitStack() as opened:
        top = project if what == "." else opened.enter_context(scratch(arm))
        if what != ".":
            git.check_out(facts.revision, top, project)
        checkout = Checkout(shop, top, arm, profile.target.access, profile.flow)
        check_checkout(checkout)
        yield PreparedArm(facts, {}, Origin(arm=arm), {}, profile.flow, checkout)


def _notes(facts: ArmFacts, project: Path, profile: Profile) -> Iterator[str]:
    if profile.services:
        yield "[services] is what mocks are told: it had no effect"
    lacking = git.submodules(facts.revision, project) if facts.what != "." else ()
    if lacking:
        yield f"its submodules ({', '.join(lacking)}) are not checked out, unless install did so"


def _facts(what: str, project: Path) -> ArmFacts:
    """Which revision an arm is of. Raises ConfigError for one that there is not."""
    if what == ".":
        here = git.facts(project)
        revision, dirty = here.get("revision", ""), here.get("dirty", False)
    else:
        revision, dirty = git.resolve(what.removeprefix("ref:"), project), False
    tree = git.tree_of(revision, project) if revision else ""
    return ArmFacts(what=what, revision=revision, tree=tree, dirty=dirty)


def seeded(arm: PreparedArm, seed: int, of: str) -> PreparedArm:
    """The arm with seeds for its services; ``of`` is its own name, or a name common to both."""
    settings = seeded_services(arm.settings, seed, of)
    seeds = {name: int(own["seed"]) for name, own in settings.items()}
    return replace(arm, settings=settings, facts=arm.facts.model_copy(update={"seeds": seeds}))


def check_differ(base: ArmFacts, head: ArmFacts, *, allowed: bool) -> None:
    """Raises ConfigError for arms that are equal, where nobody said that they may be."""
    if are_equal(base, head) and not allowed:
        same = f"revision {head.revision[:10]}" if head.revision else "this tree"
        raise ConfigError(
            f"base ({base.what}) and head ({head.what}) are the same files, of {same}: nothing "
            "could be slower. Change something, name another --base, or say --allow-equal, to see "
            "what the gate says of equal arms"
        )


def are_equal(base: ArmFacts, head: ArmFacts) -> bool:
    """Whether both run the same files, set up alike."""
    one_tree = base.what == head.what == "." and base.overrides == head.overrides
    return one_tree or base.is_same_code_as(head)


def only_ignored(base: ArmFacts, head: ArmFacts, profile: Profile) -> tuple[str, ...]:
    """The paths in which two revisions differ, where the gate ignores all of them; else ()."""
    ignore = profile.gate.ignore if profile.gate else ()
    before, after = ("" if facts.dirty else facts.revision for facts in (base, head))
    known = base.revision and head.revision and (before or after)
    if not (ignore and known) or base.overrides or head.overrides:
        return ()
    project = repository(profile)
    if git.changed(before, after, ignore, project):
        return ()
    return git.changed(before, after, (), project)


def open_arms(base: PreparedArm, head: PreparedArm, access: Access = DIRECT) -> OpenScene:
    """Both arms' services, up side by side."""
    arms = dict(zip(ARMS, (base, head), strict=True))
    together = side_by_side({arm: _opened(arm, each, access) for arm, each in arms.items()})

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        checkouts = filter(None, (each.checkout for each in arms.values()))
        for checkout in {each.folder: each for each in checkouts}.values():
            install(checkout, run)
        return together(run, clock)

    return open_scene


def _opened(arm: Arm, chosen: PreparedArm, access: Access) -> OpenScene:
    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        if chosen.urls:
            sampled, without = with_metrics(by_subject(chosen.urls, chosen.flow, arm), access)
            return Scene(None, chosen.urls, sampled, unsampled=without)
        own = start_services(chosen.settings, clock, run, origin=chosen.origin)
        return Scene(own, own.urls | _renamed(own.urls, chosen.facts), own.by_subject)

    return open_scene if chosen.checkout is None else of_shop(chosen.checkout)


def _renamed(urls: Mapping[str, str], facts: ArmFacts) -> dict[str, str]:
    """What this tree's load calls the services that answer its steps, where they say otherwise."""
    own = {step: urls[service.key] for service in facts.services or () for step in service.steps}
    return {service.key: own[step] for service in FLOW.all for step in service.steps if step in own}


def _of_urls(arm: Arm, file: Path, overrides: Sequence[str], profile: Profile) -> PreparedArm:
    _refuse_overrides(arm, overrides, "services at given urls cannot be configured from here")
    table = read_toml(file)
    target = build(Target, table.get("target", table), str(file))
    own = profile.scenario
    given = (bool(target.reached), bool(target.host), bool(target.urls))
    if given != (True, bool(own.locustfile), bool(own.module)):
        raise ConfigError(f"{file}: needs {_needed(profile)}")
    reach = profile.target.access
    ours = {"allowed_hosts": profile.target.allowed_hosts, **reach._asdict()}
    allowed = target.model_copy(update=ours)
    aimed = profile.model_copy(update={"target": allowed})
    preflight.check_safety(aimed, f"{file}: ")
    urls = target_urls(aimed)
    if own.module:
        check_urls(aimed, f"{file}: urls")
    preflight.check_answers(urls, f"{file}: ", reach)
    there = profile.flow.reached_by(urls)
    services = None if there == profile.flow.all else there
    facts = ArmFacts(what=plain(f"url:{file}"), urls=urls, services=services)
    return PreparedArm(facts, {}, Origin(arm=arm), urls, profile.flow)


def _needed(profile: Profile) -> str:
    """What a file of urls has to have."""
    if profile.scenario.module:
        keys = (service.key for service in profile.flow.all)
        return f"table [urls] with {', '.join(keys)}"
    return "host" if profile.scenario.locustfile else "urls checkout, payment and cart"


def _refuse_overrides(arm: Arm, overrides: Sequence[str], because: str) -> None:
    if overrides:
        raise ConfigError(f"--{arm}-set {overrides[0]}: {because}")


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
