"""Asks a file of users of one's own what it has, in a process of its own, before any load."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any

from harness.generator.generator import digest_of, processes_for
from harness.scene.preflight import raise_descriptor_limit
from harness.scene.scene import reached_urls
from harness.system.paths import PROJECT, environment_of
from recording.errors import ConfigError, RefusedError, did_you_mean
from recording.profile import Profile
from recording.profile_file import build
from recording.scenario import Outline
from recording.secrets import has_live_key, keep_secret
from recording.target import Target
from recording.text import plain

WITHIN_S = 30.0
"""To import it: what it takes longer for belongs into a user's ``on_start``."""
Noted = tuple[Profile, tuple[str, ...]]
"""A profile, and what is to be said of its file."""


def with_own_file(profile: Profile, *, arms: bool = False, workers: int = 0) -> Noted:
    """The profile with what its file has: a module's services and steps, or the host of a
    locustfile, where the profile names none.

    ``arms``: those of a gate say where their services are. ``workers``: as many as are started by
    someone else; 0: they are processes of this machine. Raises ConfigError for a file that
    cannot be loaded, has no users, or nobody says what they load.
    """
    own = profile.scenario
    if not own.own:
        return profile, ()
    key = "module" if own.module else "locustfile"
    if not Path(own.own).is_file():
        raise ConfigError(f"scenario.{key} = {own.own}: no such file")
    found = _asked(Path(own.own), of_scenario=bool(own.module))
    if "error" in found:
        raise ConfigError(f"{own.own}: cannot be loaded: {plain(found['error'])}")
    if own.module:
        return _with_module(profile, found, arms=arms, workers=workers)
    if not found["users"]:
        words = "has no users: write a class of HttpUser, FastHttpUser or User"
        raise ConfigError(f"{own.own}: {words}")
    return (profile if arms else _with_host(profile, found)), _left_out(profile, found)


def _with_host(profile: Profile, found: dict[str, Any]) -> Profile:
    if profile.target.host or profile.arm is not None:
        return profile
    hosts = sorted({str(host) for host in found["users"].values() if host})
    if len(hosts) != 1:
        said = f"its users have {', '.join(map(plain, hosts))}" if hosts else "nor has it a host"
        file = profile.scenario.locustfile
        raise ConfigError(f"target.host is missing, the url that users of {file} load: {said}")
    target = build(Target, profile.target.model_dump() | {"host": hosts[0]}, "target", ("target",))
    return profile.model_copy(update={"target": target})


def _left_out(profile: Profile, found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{profile.scenario.locustfile}: its {plain(name)} is left out: [load] says how many users "
        "there are"
        for name in found["shapes"]
    )


def _with_module(profile: Profile, found: dict[str, Any], *, arms: bool, workers: int) -> Noted:
    own = profile.scenario
    if has_live_key(Path(own.module).read_text(errors="replace")):
        raise RefusedError(f"{own.module} holds a live key: load tests never use one")
    for name in found["variables"]:  # what Locust wrote is redacted by this process
        keep_secret(os.environ.get(name, ""), shortest=1)
    outline = Outline.model_validate(found["outline"])
    steps = [step.name for step in outline.steps]
    for name in own.shares:
        if name not in steps[1:]:
            raise ConfigError(
                f"scenario.shares.{plain(name)}: no step of {own.module} that has a share"
                f"{did_you_mean(name, steps[1:])}"
            )
    told = profile.model_copy(update={"scenario": own.model_copy(update={"outline": outline})})
    _check_reached(told, arms=arms)
    return told, too_few_rows(told, workers)


def _check_reached(profile: Profile, *, arms: bool) -> None:
    """Raises ConfigError where nobody says where a service of the module is."""
    if profile.arm is not None:
        try:
            profile.arm.check_reached(profile.flow)
        except ValueError as error:
            raise ConfigError(str(error)) from None
    elif not arms:
        check_urls(profile, "target.urls")


def check_urls(profile: Profile, where: str) -> None:
    """Raises ConfigError unless there is a url for each service of the module, and for no other."""
    keys = [service.key for service in profile.flow.all]
    urls = reached_urls(profile)
    for key in urls:
        if key not in keys:
            raise ConfigError(
                f"{where}: {profile.scenario.module} has no service {plain(key)!r}"
                f"{did_you_mean(key, keys)}"
            )
    if missing := [key for key in keys if key not in urls]:
        raise ConfigError(
            f"{where}: nobody says where {', '.join(missing)} of {profile.scenario.module} is: "
            f'write {missing[0]} = "http://…", or say in [arm] how it is started'
        )


def too_few_rows(profile: Profile, workers: int = 0) -> tuple[str, ...]:
    """That users share rows of their data. Raises ConfigError where the module forbids it.

    ``workers`` as of `with_own_file`.
    """
    outline, users = profile.scenario.outline, profile.load.peak_users
    if outline is None or outline.rows is None:
        return ()
    # Each deals from rows of its own.
    workers = workers or processes_for(profile, raise_descriptor_limit())
    if outline.rows >= workers * ceil(users / workers):
        return ()
    file, among = profile.scenario.module, f" in {workers} processes" if workers > 1 else ""
    said = f"{file}: its data have {outline.rows:,} rows for {users:,} users{among}"
    if outline.unique:
        raise ConfigError(f"{said}, and are unique: add rows, or lower the users")
    return (f"{said}: some share one",)


def as_elsewhere(plan: Mapping[str, Any]) -> Mapping[str, Any]:
    """The plan of a master, to be played with the files that lie here: those that its users are of
    must be the same as there, at the same place below the folder where either was called.

    Raises ConfigError where they are not.
    """
    if not (own := plan.get("own")):
        return plan
    path = Path.cwd() / own["path"]
    key = "module" if plan["profile"]["scenario"].get("module") else "locustfile"
    cure = f"start this worker where {own['path']} is the file that the master has"
    if not path.is_file():
        raise ConfigError(f"{own['path']}: no such file in {Path.cwd()}; {cure}")
    if digest_of(path) != own["sha256"]:
        raise ConfigError(
            f"{own['path']} in {Path.cwd()} is another file than the master's; {cure}"
        )
    scenario = plan["profile"]["scenario"] | {key: str(path)}
    told = {**plan["profile"], "scenario": scenario}
    profile = Profile.model_validate(told)
    found, _ = with_own_file(profile, arms=True, workers=plan["workers"])
    if found.scenario.outline != profile.scenario.outline:
        raise ConfigError(
            f"what {own['path']} reads here is not what it reads at the master; {cure}"
        )
    return {**plan, "profile": told, "folder": str(Path.cwd())}


def _asked(path: Path, *, of_scenario: bool) -> dict[str, Any]:
    kind = ["--scenario"] if of_scenario else []
    try:
        done = subprocess.run(
            # -P: what lies where we are called may be called as ours is
            [sys.executable, "-P", "-m", "locustfiles.look", *kind, str(path.resolve())],
            env=environment_of(PROJECT),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{path}: took more than {WITHIN_S:.0f} s to load") from None
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return {"error": " ".join(words) or f"exit code {done.returncode}"}
