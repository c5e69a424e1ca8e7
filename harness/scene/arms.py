"""The two arms of a paired run: this tree, another revision of it, or services at given urls."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.scene import preflight
from harness.scene.scene import OpenScene, Scene, by_subject, target_urls, with_metrics
from harness.scene.seeds import seeded_services
from harness.scene.services import (
    GIVE_UP_TIMEOUT_S,
    START_TIMEOUT_S,
    Origin,
    Services,
    service_settings,
    start_services,
)
from harness.system import git
from harness.system.paths import PROJECT, environment_of
from harness.system.scratch import scratch
from recording.clock import RunClock
from recording.errors import ConfigError
from recording.manifest import ArmFacts
from recording.profile import Profile, Target
from recording.profile_file import apply_override, build, key_path, read_toml
from recording.rundir import RunDir
from recording.slots import ARMS, BASE, Arm
from recording.text import plain

KINDS = "`.` (this tree), `ref:<git ref>` or `url:<file with service urls>`"
LOCK = "requirements.lock"
# Asked of another revision's mocks: the settings that each service knows.
KNOWN_SETTINGS = """
import json
from mock_services.settings import MODELS
print(json.dumps({name: list(model.model_fields) for name, model in MODELS.items()}))
"""


@dataclass(frozen=True, slots=True)
class PreparedArm:
    """An arm that can be started: its own services with ``settings``, or the ``urls`` of others."""

    facts: ArmFacts
    settings: Mapping[str, Mapping[str, Any]]
    origin: Origin
    urls: Mapping[str, str]


@contextmanager
def prepared(
    arm: Arm, what: str, overrides: Sequence[str], profile: Profile, where: str
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
            settings, notes = _as_known(arm, settings, overrides, folder, revision)
            facts = ArmFacts(what=what, revision=revision, overrides=asked, notes=notes)
            yield PreparedArm(facts, settings, Origin(folder, arm), {})
    else:
        raise ConfigError(f"--{arm} {what}: need {KINDS}")


def seeded(arm: PreparedArm, seed: int, of: str) -> PreparedArm:
    """The arm with seeds for its services; ``of`` is its own name, or a name common to both."""
    settings = seeded_services(arm.settings, seed, of)
    seeds = {name: int(own["seed"]) for name, own in settings.items()}
    return replace(arm, settings=settings, facts=arm.facts.model_copy(update={"seeds": seeds}))


def open_arms(base: PreparedArm, head: PreparedArm, ca_file: str = "") -> OpenScene:
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
                    exporting, without = with_metrics(by_subject(chosen.urls, arm), ca_file)
                    sampled |= exporting
                    unsampled += without
                else:
                    started.append(
                        start_services(chosen.settings, clock, run, origin=chosen.origin)
                    )
                    arms[arm] = started[-1].urls
                    sampled |= started[-1].by_subject
        except BaseException:
            for services in started:
                services.stop(GIVE_UP_TIMEOUT_S)
            raise
        every = tuple(service for services in started for service in services.services)
        own = Services(every, "") if every else None
        return Scene(own, arms[BASE], sampled, arms, unsampled)

    return open_scene


def _of_urls(arm: Arm, file: Path, overrides: Sequence[str], profile: Profile) -> PreparedArm:
    if overrides:
        raise ConfigError(
            f"--{arm}-set {overrides[0]}: services at given urls cannot be configured from here"
        )
    table = read_toml(file)
    target = build(Target, table.get("target", table), str(file))
    if not target.urls:
        raise ConfigError(f"{file}: needs the urls checkout, payment and cart")
    ours = {"allowed_hosts": profile.target.allowed_hosts, "ca_file": profile.target.ca_file}
    allowed = target.model_copy(update=ours)
    aimed = profile.model_copy(update={"target": allowed})
    preflight.check_safety(aimed, f"{file}: ")
    urls = target_urls(aimed)
    preflight.check_answers(urls, f"{file}: ", profile.target.ca_file)
    return PreparedArm(ArmFacts(what=plain(f"url:{file}"), urls=urls), {}, Origin(arm=arm), urls)


def _settings(
    arm: Arm, overrides: Sequence[str], profile: Profile, where: str
) -> dict[str, dict[str, Any]]:
    table: dict[str, Any] = {"services": profile.model_dump()["services"]}
    for text in overrides:
        if not text.startswith("services."):
            raise ConfigError(
                f"--{arm}-set {text}: only services.* may differ between the arms; "
                "--set changes both"
            )
        apply_override(table, text, f"--{arm}-set")
    return service_settings(table["services"], where if not overrides else f"--{arm}-set")


def _as_known(
    arm: Arm,
    settings: dict[str, dict[str, Any]],
    overrides: Sequence[str],
    folder: Path,
    revision: str,
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """The settings that the mocks of another revision know, and what is to be said about it.

    Raises ConfigError where it has no mocks, or does not know a setting asked for by name.
    """
    if not (folder / "mock_services" / "serve.py").exists():
        raise ConfigError(f"revision {revision}: has no mock_services/serve.py to start")
    notes = []
    if _lock(folder) != _lock(PROJECT):
        notes.append(f"its {LOCK} is another one, and it ran on the packages installed here")
    known = _known_settings(folder, arm, revision)
    named = {tuple(key_path(text.partition("=")[0])[1:3]) for text in overrides}
    kept: dict[str, dict[str, Any]] = {}
    for name, own in settings.items():
        strange = sorted({*own} - {*known.get(name, own)})
        if asked := [key for key in strange if (name, key) in named]:
            raise ConfigError(f"revision {revision[:10]}: does not know services.{name}.{asked[0]}")
        without = f"its mocks do not know services.{name}.{{}}, so it ran without"
        notes += [without.format(key) for key in strange]
        kept[name] = {key: value for key, value in own.items() if key not in strange}
    return kept, tuple(notes)


def _lock(folder: Path) -> bytes:
    try:
        return (folder / LOCK).read_bytes()
    except OSError:
        return b""


def _known_settings(folder: Path, arm: Arm, revision: str) -> dict[str, list[str]]:
    """By service; empty where that revision cannot be asked, and its services will have to say."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", KNOWN_SETTINGS],
            cwd=folder,
            env=environment_of(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else {}
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"--{arm} revision {revision[:10]}: its mock_services.settings took more than "
            f"{START_TIMEOUT_S:.0f} s to import"
        ) from None
    except ValueError:
        return {}  # it prints something else as well
