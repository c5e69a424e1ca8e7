"""What this Locust process was asked to do, built once from the environment.

The harness sets ``LOADGATE_PLAN`` (JSON: profile, service urls, number of workers, run directory or
null, and for a paired run the urls of both arms and their order), ``LOADGATE_EPOCH`` (this host's
monotonic clock at the run's start, s) and ``LOADGATE_TOKEN`` (what seals its messages). Without
them the locustfile works by itself: the profile named by ``LOADGATE_PROFILE``, or the seed's
journey, against the mocks' default ports, and nothing is recorded but Locust's own statistics.
"""

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from mock_services.table import SERVICES
from recording.clock import RunClock
from recording.errors import RefusedError
from recording.load import Load, Phase
from recording.profile import Profile
from recording.profile_file import load_profile
from recording.rundir import RunDir, new_token
from recording.secrets import live_keys

DEFAULT_URLS = {name: f"http://127.0.0.1:{mock.port}" for name, mock in SERVICES.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """``run`` is None where nothing is written: stand-alone, and on another machine's worker."""

    profile: Profile
    urls: Mapping[str, str]
    clock: RunClock
    token: str
    """Of this run alone: a shop that keeps carts and requests never takes it for another."""
    run: RunDir | None = None
    recorded: bool = False
    shaped: bool = True
    arms: Mapping[str, Mapping[str, str]] | None = None
    """A paired run: the urls of base and of head."""
    head_first: tuple[bool, ...] = ()
    steps: Mapping[str, Sequence[str]] | None = None
    """A paired run: the steps that base and head have."""
    workers: int = 1
    """Locust processes that the load is dealt out to."""
    folder: str = ""
    """Where the harness was called: what a locustfile of one's own reads, it reads from there."""
    in_levels: bool = False
    """A search: the load is that of the level which the harness has chosen."""
    theirs: bool = False
    """Whether any of the services is somebody else's and not a mock."""

    @property
    def gzip(self) -> bool:
        """Whether answers may come compressed; of mocks, which never do, it is not asked."""
        return self.theirs and self.profile.target.gzip

    def url_of(self, service: str, arm: str | None) -> str:
        """Where a service of an arm is; "" where there is none."""
        urls = self.arms[arm] if self.arms and arm else self.urls
        return urls.get(service, "")

    def has(self, step: str, arm: str | None) -> bool:
        """Whether an arm has a step; outside a paired run all are there."""
        return self.steps is None or arm is None or step in self.steps[arm]


def plan_from(environ: Mapping[str, str]) -> Plan:
    """Raises ConfigError for a bad profile and RefusedError for a live payment key."""
    if places := ", ".join(live_keys(environ)):
        raise RefusedError(f"environment: {places} holds a live key: load tests never use one")
    if "LOADGATE_PLAN" in environ:
        return _recorded(orjson.loads(environ["LOADGATE_PLAN"]), float(environ["LOADGATE_EPOCH"]))
    if "LOADGATE_PROFILE" in environ:
        profile = _seeded(load_profile(Path(environ["LOADGATE_PROFILE"])))
        urls = profile.target.reached or DEFAULT_URLS
        theirs = bool(profile.target.reached)
        return Plan(profile, urls, RunClock.start(), new_token(), theirs=theirs)
    by_hand = Load(phases=(Phase(name="by-hand", duration=3600, users=1, measured=True),))
    profile = _seeded(Profile(name="by-hand", load=by_hand))
    return Plan(profile, DEFAULT_URLS, RunClock.start(), new_token(), shaped=False)


def _seeded(profile: Profile) -> Profile:
    """With a seed of this call alone, where it has none; the harness hands over its own."""
    if profile.seed is not None:
        return profile
    return profile.model_copy(update={"seed": secrets.randbits(32)})


def _recorded(table: Mapping[str, Any], epoch_s: float) -> Plan:
    paired = table.get("paired", {})
    return Plan(
        Profile.model_validate(table["profile"]),
        table["urls"],
        RunClock(epoch_s, epoch_wall_s=time.time() - (time.monotonic() - epoch_s)),
        table["token"],
        RunDir(Path(table["run"])) if table["run"] else None,
        recorded=True,
        arms=paired.get("arms"),
        head_first=tuple(paired.get("head_first", ())),
        steps=paired.get("steps"),
        workers=table["workers"],
        folder=table.get("folder", ""),
        in_levels=table.get("in_levels", False),
        theirs=table["theirs"],
    )


PLAN = plan_from(os.environ)
"""Locust loads its file once per process, so this is the one place that reads the environment."""
