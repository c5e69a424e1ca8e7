"""A shop of somebody's own, started as ``[arm]`` of the profile says, in a checkout of its own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from harness.generator.generator import free_port
from harness.sampling.processes import Processes
from harness.scene.safety import check_hosts
from harness.scene.services import Service, last_words
from harness.screen.saying import saying
from harness.system import git
from harness.system.fetch import NoAnswerError, fetch
from harness.system.keeper import ENDS_WITHIN_S, Kept, below, kept
from harness.system.paths import PROJECT
from recording.access import DIRECT, Access
from recording.durations import format_duration
from recording.errors import ConfigError, RunFailedError
from recording.flow import FLOW, Services
from recording.placeholders import ARM, OURS, RUN, fill, is_port, names, plausible
from recording.profile import Profile
from recording.rundir import RunDir
from recording.secrets import keep_secret
from recording.shop import Shop, words

SHOP = "shop"
ANSWERS_WITHIN_S = 2.0
POLL_S = 0.1
HEALTH = "/healthz"
_HAS_NO_HEALTH = (404, 405)
"""An answer to ``/healthz`` that says it is up, and has no such page."""
_NOT_FOR_THEM = ("LOCUST_", "LOADGATE_")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A shop's files below ``top``, the arm that they stand for ("" outside a gate), and whom its
    users ask.
    """

    shop: Shop
    top: Path
    arm: str = ""
    access: Access = DIRECT
    flow: Services = FLOW

    @property
    def folder(self) -> Path:
        """Where its commands run."""
        return self.top / self.shop.folder

    @property
    def subject(self) -> str:
        """What messages call it."""
        return f"{SHOP}@{self.arm}" if self.arm else SHOP

    def log(self, run: RunDir, what: str) -> Path:
        """Where a command's output goes."""
        return run.logs / f"{self.arm}-{what}.log".removeprefix("-")


@dataclass(frozen=True, slots=True)
class Started:
    """A shop that was started: its keeper to watch and end, and where each service of it is.

    ``ready`` is what is asked for, with its names filled in.
    """

    checkout: Checkout
    keeper: Service
    process: "Keeper"
    urls: Mapping[str, str]
    ready: str

    def wait_until_ready(self) -> None:
        """Raises RunFailedError with the end of its log."""
        with saying(f"{self.keeper.subject}: waiting until it is ready … ({self.keeper.log})"):
            _wait_ready(self.checkout, self.keeper, self.urls, self.ready, Event())

    def restart(self, environment: Mapping[str, str], over: Event) -> None:
        """End it and start it where it was, with these variables set. Raises RunFailedError.

        Whether it is ready is not waited for any longer once it is ``over``.
        """
        self.process.renew(environment)
        _wait_ready(self.checkout, self.keeper, self.urls, self.ready, over)

    def processes(self, subjects: Mapping[str, str]) -> Processes | None:
        """Of ``subjects``, each with its url; None where none of its processes listens there."""
        ports = {subject: _address(url)[1] for subject, url in subjects.items()}
        found = Processes(lambda: below(self.keeper.process.pid), ports)
        return found if found.subjects else None


class Keeper:
    """The process that keeps a shop: the newest, where it is started anew."""

    def __init__(self, start: Callable[[Mapping[str, str]], "subprocess.Popen[bytes]"]) -> None:
        self._start = start
        self._process = start({})
        self._between = False

    @property
    def pid(self) -> int:
        """Of the newest."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code; None while it runs, or another is about to."""
        return None if self._between else self._process.poll()

    def terminate(self) -> None:
        """Ask it to end what it keeps."""
        self._process.terminate()

    def kill(self) -> None:
        """End it."""
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended. Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout)

    def end(self) -> None:
        """With all that it keeps."""
        _end(self._process)

    def renew(self, environment: Mapping[str, str]) -> None:
        """End it, and start one whose command finds these variables set."""
        self._between = True
        try:
            self.end()
            self._process = self._start(environment)
        finally:
            self._between = False


def repository(profile: Profile) -> Path:
    """Whose revisions a run is of: loadgate's own, or of ``[arm]`` what we are in."""
    if profile.arm is None:
        return PROJECT
    here = Path.cwd()
    return Path(git.repository_of(here) or here)


def check_shop(shop: Shop, profile: Profile, *, both: bool = False) -> None:
    """Raises ConfigError or RefusedError for what could not be started, or must not be loaded.

    ``both``: two of it run at once, and must not answer at the same place.
    """
    for name in names(*shop.environment.values()):
        if name.startswith(OURS) and name.removeprefix(OURS) not in os.environ:
            raise ConfigError(
                f"[arm.environment] {{{name}}}: {name.removeprefix(OURS)} is not set; export it"
            )
    reached = shop.reached(profile.flow)
    for key, url in reached.items():
        if both and not [*names(url)]:
            raise ConfigError(
                f"[arm.urls] {key} = {url}: base and head run at once and need places of their "
                "own: write a port as {port}"
            )
    filled = [fill(url, plausible([url])) for url in reached.values()]
    check_hosts(filled, profile.target.allowed_hosts, "[arm.urls] ")


def check_checkout(checkout: Checkout) -> None:
    """Raises ConfigError for a folder or a program that is not there, unless that is installed."""
    folder, shop = checkout.folder, checkout.shop
    if not folder.is_dir():
        raise ConfigError(f"[arm] folder = {shop.folder!r}: no such folder in {checkout.top}")
    for key in ("install",) if shop.install else ("start", "stop"):
        command = words(getattr(shop, key))
        if command and not _is_there(command[0], folder):
            raise ConfigError(f"[arm] {key}: no command {command[0]!r} in {folder}, nor in PATH")


def _is_there(program: str, folder: Path) -> bool:
    path = str(folder / program) if "/" in program else program
    return shutil.which(path) is not None


def install(checkout: Checkout, run: RunDir) -> None:
    """Do what has to be done before it can start. Raises RunFailedError with its last words."""
    shop, log = checkout.shop, checkout.log(run, "install")
    if not shop.install:
        return
    asked = _kept(checkout, run, shop.install, "", _values(checkout, run))
    keeper = kept(replace(asked, once=True), log)
    try:
        with saying(f"{checkout.subject}: install … ({log})"):
            code = keeper.wait(shop.install_within)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _end(keeper)
    if code is None:
        how = f"not done after {format_duration(shop.install_within)}"
        raise RunFailedError(f"{checkout.subject}: install {how}; {last_words(log)}")
    if code:
        how = f"ended with exit code {code}"
        raise RunFailedError(f"{checkout.subject}: install {how}; {last_words(log)}")


def start_shop(checkout: Checkout, run: RunDir) -> Started:
    """Start it and wait until it is ready; what fails to be leaves nothing behind.

    Raises RunFailedError with the end of its log, ConfigError where somebody answers in its place.
    """
    shop, values = checkout.shop, _values(checkout, run)
    urls = {key: fill(url, values) for key, url in shop.reached(checkout.flow).items()}
    for url in dict.fromkeys(urls.values()):
        if _accepts(url):
            raise ConfigError(f"{checkout.subject}: something answers at {url} already; end it")
    log = checkout.log(run, SHOP)

    def start(environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        told = shop.model_copy(update={"environment": {**shop.environment, **environment}})
        own = replace(checkout, shop=told)
        return kept(_kept(own, run, shop.start, shop.stop, values), log)

    keeper, url = Keeper(start), next(iter(urls.values()))
    service = Service(SHOP, checkout.subject, url, keeper, log, ends_within_s=ENDS_WITHIN_S)

    started = Started(checkout, service, keeper, urls, fill(shop.ready, values))
    try:
        started.wait_until_ready()
    except BaseException:
        keeper.end()
        raise
    return started


def _values(checkout: Checkout, run: RunDir) -> dict[str, Any]:
    ports = sorted({name for name in names(*checkout.shop.texts) if is_port(name)})
    free: dict[int, str] = {}
    for name in ports:
        while (port := free_port()) in free:
            pass
        free[port] = name
    values = {name: port for port, name in free.items()}
    return {**values, ARM: checkout.arm or "run", RUN: run.root.name}


def _kept(
    checkout: Checkout, run: RunDir, start: str, stop: str, values: Mapping[str, Any]
) -> Kept:
    command, end = ([fill(word, values) for word in words(each)] for each in (start, stop))
    own = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_FOR_THEM)}
    project = f"loadgate-{run.token}-{values[ARM]}"
    told = {k: _told(v, values) for k, v in checkout.shop.environment.items()}
    return Kept(command, end, str(checkout.folder), own | {"COMPOSE_PROJECT_NAME": project} | told)


def _told(text: str, values: Mapping[str, Any]) -> str:
    """A variable's value; what it has of our own environment is a secret from now on."""
    ours = {
        name: keep_secret(os.environ.get(name.removeprefix(OURS), ""))
        for name in names(text)
        if name.startswith(OURS)
    }
    return fill(text, {**values, **ours})


def _wait_ready(
    checkout: Checkout, keeper: Service, urls: Mapping[str, str], asked: str, over: Event
) -> None:
    within_s = checkout.shop.ready_within
    deadline = time.monotonic() + within_s
    places = list(dict.fromkeys(urls.values()))
    while why := next(_not_ready(places, asked, checkout.access), ""):
        if dead := keeper.died:
            raise RunFailedError(dead)
        if time.monotonic() > deadline:
            late = f"not ready after {format_duration(within_s)}"
            raise RunFailedError(f"{keeper.subject} {late} ({why}); {keeper.last_words}")
        if over.wait(POLL_S):
            return
    if dead := keeper.died:
        raise RunFailedError(dead)


def _not_ready(places: Iterable[str], asked: str, access: Access) -> Iterator[str]:
    """What is in the way, place by place; nothing where all is ready."""
    for url in places:
        page = url + (asked if asked.startswith("/") else HEALTH)
        allowed = () if asked.startswith("/") else _HAS_NO_HEALTH
        if asked.startswith("http"):
            page, allowed = asked, ()
            if not _accepts(url):
                yield f"{url}: nobody listens"
        try:
            answer = fetch(page, ANSWERS_WITHIN_S, access)
        except NoAnswerError as error:
            yield f"{page}: {error}"
            continue
        if not (answer.ok or answer.status in allowed):
            yield f"{page}: status {answer.status}"


def _accepts(url: str) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(_address(url), ANSWERS_WITHIN_S):
            return True
    except OSError:
        return False


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _end(keeper: "subprocess.Popen[bytes]") -> None:
    """With all that it keeps."""
    keeper.terminate()
    try:
        keeper.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
