"""What this Locust process was asked to do, built once from the environment.

The harness sets ``LOADGATE_RUN`` (run directory), ``LOADGATE_URLS`` (JSON: service → base url)
and ``LOADGATE_EPOCH`` (monotonic clock at the run's start, s). Without them the locustfile works
by itself: the profile named by ``LOADGATE_PROFILE``, or the seed's journey, against the mocks'
default ports, and nothing is recorded but Locust's own statistics.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recording.errors import RefusedError
from recording.manifest import read_manifest
from recording.profile import Load, Phase, Profile
from recording.profile_file import load_profile
from recording.rundir import RunDir

DEFAULT_URLS = {
    "checkout": "http://127.0.0.1:8001",
    "payment": "http://127.0.0.1:8002",
    "cart": "http://127.0.0.1:8004",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """``run`` None: stand-alone, not recorded. ``shaped``: the profile's phases drive the load."""

    profile: Profile
    urls: Mapping[str, str]
    epoch_s: float
    epoch_wall_s: float
    run: RunDir | None
    shaped: bool

    def now_s(self) -> float:
        """Seconds since the run's start on the monotonic clock: a wall-clock jump moves nothing."""
        return time.monotonic() - self.epoch_s


def plan_from(environ: Mapping[str, str]) -> Plan:
    """Raises ConfigError for a bad profile and RefusedError for a live payment key."""
    if environ.get("STRIPE_API_KEY", "").startswith("sk_live_"):
        raise RefusedError("STRIPE_API_KEY is a live key (sk_live_…): load tests never use one")
    epoch_s = float(environ.get("LOADGATE_EPOCH", time.monotonic()))
    if "LOADGATE_RUN" in environ:
        run = RunDir(Path(environ["LOADGATE_RUN"]))
        manifest = read_manifest(run.manifest)
        urls = json.loads(environ["LOADGATE_URLS"])
        return Plan(manifest.profile, urls, epoch_s, manifest.epoch_wall_s, run, shaped=True)
    if "LOADGATE_PROFILE" in environ:
        profile = load_profile(Path(environ["LOADGATE_PROFILE"]))
        urls = profile.target.urls or DEFAULT_URLS
        return Plan(profile, urls, epoch_s, time.time(), None, shaped=True)
    by_hand = Load(phases=(Phase(name="by-hand", duration=3600, users=1, measured=True),))
    profile = Profile(name="by-hand", load=by_hand)
    return Plan(profile, DEFAULT_URLS, epoch_s, time.time(), None, shaped=False)


PLAN = plan_from(os.environ)
"""Locust loads its file once per process, so this is the one place that reads the environment."""
