"""Brings a setting into force between two slots: over the mocks' own admin, by a restart, or by a
command.
"""

import subprocess
import time
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any

from harness.run.search import Apply
from harness.scene.behaviour import change_all
from harness.scene.running import running_of
from harness.scene.scene import Scene
from harness.system.fetch import NoAnswerError, fetch
from recording.access import Access
from recording.errors import RunFailedError
from recording.profile import Profile
from recording.tune import Tune

ASKED_EVERY_S, ANSWERS_WITHIN_S = 0.2, 2.0
SAID_CHARS = 200


class Telling:
    """A `Search.apply` of mocks that the run starts, and tells ``services`` at its start."""

    def __init__(self, services: Mapping[str, Mapping[str, Any]]) -> None:
        self._services = services

    def __call__(self, scene: Scene) -> Apply:
        assert scene.services is not None
        running = running_of(scene.services, 0, 0)

        def apply(settings: Mapping[str, Any], _over: Event) -> None:
            tables: dict[str, dict[str, Any]] = {}
            for key, value in settings.items():
                service, _, name = key.partition(".")
                tables.setdefault(service, {})[name] = value
            for service, table in tables.items():
                own = self._services.get(service, {})
                if "replicas" in own and "replicas" not in table:
                    table["replicas"] = own["replicas"]  # what an autoscaler added is taken back
            change_all(running, tables)

        return apply


class Restarting:
    """A `Search.apply` of a shop that ``[arm]`` starts: anew, with the settings as variables."""

    def __call__(self, scene: Scene) -> Apply:
        restart = scene.restart
        assert restart is not None

        def apply(settings: Mapping[str, Any], over: Event) -> None:
            told = {key.partition(".")[2]: f"{value:.12g}" for key, value in settings.items()}
            restart(told, over)

        return apply


class Commanding:
    """A `Search.apply` of services that are not ours, by the profile's ``[tune]``."""

    def __init__(self, profile: Profile, tune: Tune) -> None:
        self._profile = profile
        self._tune = tune
        self._urls: Mapping[str, str] = {}
        self._in_force: Mapping[str, Any] = {}

    def __call__(self, scene: Scene) -> Apply:
        self._urls = scene.urls
        return self._apply

    def put_back(self, settings: Mapping[str, Any]) -> None:
        """What was in force before, unless nothing was changed. Raises RunFailedError."""
        if self._in_force and self._in_force != settings:
            self._apply(settings, Event())

    def _apply(self, settings: Mapping[str, Any], over: Event) -> None:
        deadline_s = time.monotonic() + self._tune.within
        self._in_force = settings
        for key, value in settings.items():
            url = self._urls.get(key.partition(".")[0], "")
            _run(self._tune.told(key, value, url), self._tune.within)
        if self._tune.ready:
            _wait_ready(self._tune.ready, deadline_s, self._profile.target.access, over)


def _run(words: Sequence[str], within_s: float) -> None:
    name = words[0]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=within_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise RunFailedError(f"[tune] apply: {name} took longer than {within_s:g} s") from None
    except OSError as error:
        raise RunFailedError(f"[tune] apply: {name}: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-SAID_CHARS:]
        raise RunFailedError(f"[tune] apply: {name}: exit code {done.returncode}: {said}")


def _wait_ready(url: str, deadline_s: float, access: Access, over: Event) -> None:
    said = "no answer"
    while time.monotonic() < deadline_s:
        try:
            page = fetch(url, min(ANSWERS_WITHIN_S, deadline_s - time.monotonic()), access)
            if page.ok:
                return
            said = f"status {page.status}"
        except NoAnswerError as error:
            said = str(error)
        if over.wait(ASKED_EVERY_S):
            return
    raise RunFailedError(f"[tune] ready: {url} was not ready in time: {said}")
