"""Asks a locustfile of the user's own what it has, in a process of its own, before any load."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.system.paths import PROJECT, environment_of
from recording.errors import ConfigError
from recording.profile import Profile
from recording.profile_file import build
from recording.target import Target
from recording.text import plain

WITHIN_S = 30.0
"""To import it: what it takes longer for belongs into a user's ``on_start``."""


def with_locustfile(profile: Profile) -> tuple[Profile, tuple[str, ...]]:
    """The profile, at its file's own host where it names none, and what is to be said of the file.

    Raises ConfigError for one that cannot be loaded, has no users, or nobody says what they load.
    """
    if not profile.scenario.locustfile:
        return profile, ()
    found = _looked_at(profile)
    if profile.target.host or profile.arm is not None:
        return profile, _notes(profile, found)
    hosts = sorted({str(host) for host in found["users"].values() if host})
    if len(hosts) != 1:
        said = f"its users have {', '.join(map(plain, hosts))}" if hosts else "nor has it a host"
        file = profile.scenario.locustfile
        raise ConfigError(f"target.host is missing, the url that users of {file} load: {said}")
    target = build(Target, profile.target.model_dump() | {"host": hosts[0]}, "target", ("target",))
    return profile.model_copy(update={"target": target}), _notes(profile, found)


def check_locustfile(profile: Profile) -> tuple[str, ...]:
    """Of a gate, whose arms have the hosts: the same, without one."""
    return _notes(profile, _looked_at(profile)) if profile.scenario.locustfile else ()


def _looked_at(profile: Profile) -> dict[str, Any]:
    path = Path(profile.scenario.locustfile)
    if not path.is_file():
        raise ConfigError(f"scenario.locustfile = {path}: no such file")
    found = _asked(path)
    if "error" in found:
        raise ConfigError(f"{path}: cannot be loaded: {plain(found['error'])}")
    if not found["users"]:
        raise ConfigError(f"{path}: has no users: write a class of HttpUser, FastHttpUser or User")
    return found


def _notes(profile: Profile, found: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{profile.scenario.locustfile}: its {plain(name)} is left out: [load] says how many users "
        "there are"
        for name in found["shapes"]
    )


def _asked(path: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "locustfiles.look", str(path.resolve())],
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
