"""Asks a locustfile of the user's own what it has, in a process of its own, before any load."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.system.paths import PROJECT, environment_of
from recording.errors import ConfigError
from recording.profile import Profile
from recording.text import plain

WITHIN_S = 30.0
"""To import it: what it takes longer for belongs into a user's ``on_start``."""


def check_locustfile(profile: Profile) -> tuple[str, ...]:
    """What is to be said of the profile's; nothing where it has none.

    Raises ConfigError for one that cannot be loaded, or has no users.
    """
    if not profile.scenario.locustfile:
        return ()
    path = Path(profile.scenario.locustfile)
    if not path.is_file():
        raise ConfigError(f"scenario.locustfile = {path}: no such file")
    found = _asked(path)
    if "error" in found:
        raise ConfigError(f"{path}: cannot be loaded: {plain(found['error'])}")
    if not found["users"]:
        raise ConfigError(f"{path}: has no users: write a class of HttpUser, FastHttpUser or User")
    return tuple(
        f"{path}: its {plain(name)} is left out: [load] says how many users there are"
        for name in found["shapes"]
    )


def check_has_host(profile: Profile) -> None:
    """Raises ConfigError where nobody says what a locustfile's users load."""
    if profile.scenario.locustfile and not profile.target.host:
        raise ConfigError(
            f"scenario.locustfile = {profile.scenario.locustfile}: target.host is missing, the url "
            "that its users load"
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
