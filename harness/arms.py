"""The two arms of a paired run: this tree, another revision of it, or services at given urls."""

import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness import host, preflight
from harness.paths import PROJECT
from harness.scene import OpenScene, Scene, by_subject, target_urls
from harness.services import Origin, Services, service_settings, start_services
from recording.clock import RunClock
from recording.errors import ConfigError
from recording.manifest import ArmFacts
from recording.profile import Profile, Target
from recording.profile_file import apply_override, build, read_toml
from recording.rundir import RunDir
from recording.slots import ARMS, BASE, Arm

KINDS = "`.` (this tree), `ref:<git ref>` or `url:<file with service urls>`"
MAIN_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


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
        git = host.git_facts(PROJECT)
        revision, dirty = git.get("revision", ""), git.get("dirty", False)
        facts = ArmFacts(what=what, revision=revision, dirty=dirty, overrides=asked)
        yield PreparedArm(facts, settings, Origin(arm=arm), {})
    elif kind == "ref" and rest:
        revision = _resolve(rest, arm)
        with TemporaryDirectory(prefix=f"loadgate-{arm}-") as folder:
            _export(revision, Path(folder))
            facts = ArmFacts(what=what, revision=revision, overrides=asked)
            yield PreparedArm(facts, settings, Origin(Path(folder), arm), {})
    else:
        raise ConfigError(f"--{arm} {what}: need {KINDS}")


def merge_base() -> str:
    """The revision where HEAD left the main branch. Raises ConfigError where there is none."""
    for branch in MAIN_BRANCHES:
        if found := _git("merge-base", "HEAD", branch):
            return found
    raise ConfigError(
        f"{PROJECT}: no merge base of HEAD with any of {', '.join(MAIN_BRANCHES)}; "
        f"name the base with --base, {KINDS}"
    )


def open_arms(base: PreparedArm, head: PreparedArm) -> OpenScene:
    """Both arms' services, up side by side."""

    def open_scene(run: RunDir, clock: RunClock) -> Scene:
        started: list[Services] = []
        arms: dict[str, Mapping[str, str]] = {}
        sampled: dict[str, str] = {}
        try:
            for arm, prepared_arm in zip(ARMS, (base, head), strict=True):
                urls = prepared_arm.urls
                if not urls:
                    own = start_services(
                        prepared_arm.settings, clock, run, origin=prepared_arm.origin
                    )
                    started.append(own)
                    urls = own.urls
                arms[arm] = urls
                sampled |= by_subject(urls, arm)
        except BaseException:
            for services in started:
                services.stop()
            raise
        every = tuple(service for services in started for service in services.services)
        return Scene(Services(every, "") if every else None, arms[BASE], sampled, arms)

    return open_scene


def _of_urls(arm: Arm, file: Path, overrides: Sequence[str], profile: Profile) -> PreparedArm:
    if overrides:
        raise ConfigError(
            f"--{arm}-set {overrides[0]}: services at given urls cannot be configured from here"
        )
    target = build(Target, read_toml(file), str(file))
    if not target.urls:
        raise ConfigError(f"{file}: needs the urls checkout, payment and cart")
    allowed = target.model_copy(update={"allowed_hosts": profile.target.allowed_hosts})
    aimed = profile.model_copy(update={"target": allowed})
    preflight.check_safety(aimed)
    urls = target_urls(aimed)
    preflight.check_answers(urls)
    return PreparedArm(ArmFacts(what=f"url:{file}"), {}, Origin(arm=arm), urls)


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
        apply_override(table, text)
    return service_settings(table["services"], where if not overrides else f"--{arm}-set")


def _resolve(ref: str, arm: Arm) -> str:
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not found:
        raise ConfigError(f"--{arm} ref:{ref}: no such revision in {PROJECT}")
    return found


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _export(revision: str, folder: Path) -> None:
    """The files of a revision, without touching the user's own checkout or its worktrees."""
    done = subprocess.run(
        ["git", "archive", "--format=tar", revision], cwd=PROJECT, capture_output=True, check=False
    )
    if done.returncode:
        raise ConfigError(f"git archive {revision}: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        # Python before 3.11.4 has no filters; the archive is this project's own.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)
    if not (folder / "mock_services" / "serve.py").exists():
        raise ConfigError(f"revision {revision}: has no mock_services/serve.py to start")
