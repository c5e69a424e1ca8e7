"""``[arm]`` of a profile: how a shop of somebody's own is started, made ready and ended."""

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from recording.durations import DurationS
from recording.errors import did_you_mean
from recording.flow import Service, Services
from recording.placeholders import PORT, check, fill, is_port, names, plausible
from recording.tables import Table
from recording.target import HOST
from recording.urls import base_url

_OF_A_SHELL = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"})
_SETS = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_A_SHELL = "only a shell understands"


def words(command: str) -> list[str]:
    """A command line as the words of a program and its arguments.

    Raises ValueError for one that is none, or that only a shell could carry out.
    """
    found = shlex.split(command)
    strange = next((w for w in found if w in _OF_A_SHELL), "")
    if found and _SETS.match(found[0]):
        raise ValueError(f"{_A_SHELL} {found[0]}: write it in [arm.environment]")
    if strange:
        raise ValueError(f"{_A_SHELL} {strange}: write sh -c '…'")
    return found


def _command(text: str) -> str:
    words(text)
    return check(text)


Command = Annotated[str, AfterValidator(_command)]
Text = Annotated[str, AfterValidator(check)]


class Shop(Table):
    """How a shop is started, each arm of a gate in a checkout of its own, both at once.

    ``{port}`` and ``{NAME.port}`` are free ports, one for each name, ``{arm}`` is base, head or,
    outside a gate, run, and ``{run}`` the run's id. Commands are no shell's unless they say
    ``sh -c '…'``.
    """

    start: Annotated[Command, Field(min_length=1)]
    """What answers the load. It runs until it is ended; one that returns, such as
    ``docker compose up --detach``, needs a ``stop``."""
    stop: Command = ""
    """What ends it; without one its processes get SIGTERM, and SIGKILL after 10 s."""
    install: Command = ""
    """What has to be done once in each checkout, the working tree among them, before it starts."""
    install_within: DurationS = Field(default=600.0, gt=0)
    """How long that may take."""
    ready: Text = ""
    """A path, or a url, that answers 2xx when it is ready. Without one ``/healthz`` does, or says
    that there is none."""
    ready_within: DurationS = Field(default=60.0, gt=0)
    """How long it may take to be ready."""
    environment: Mapping[str, str] = Field(default_factory=dict)
    """Variables beside ours, which it has too; ``{env.NAME}`` is the value of one of ours, and is
    written nowhere."""
    folder: str = ""
    """Working directory inside the checkout; without one, its top."""
    urls: Mapping[str, str] = Field(default_factory=dict)
    """Base url by service (checkout, payment, cart; inventory_lock if it is sampled; or those of a
    `scenario.module`). Without one it is at its ``{NAME.port}`` of this machine, where that is
    used, else at ``{port}``, or at the only port there is."""

    @field_validator("ready")
    @classmethod
    def _is_path_or_url(cls, ready: str) -> str:
        if ready and not ready.startswith(("/", "http://", "https://")):
            raise ValueError("write a path such as /healthz, or a url")
        return ready

    @field_validator("folder")
    @classmethod
    def _is_inside(cls, folder: str) -> str:
        path = PurePosixPath(folder)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("write a folder inside the repository, such as services/shop")
        return folder

    @field_validator("environment")
    @classmethod
    def _are_variables(cls, environment: Mapping[str, str]) -> Mapping[str, str]:
        for name, value in environment.items():
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a variable")
            check(value, ours=True)
        return environment

    def check_reached(self, flow: Services) -> None:
        """Raises ValueError where it answers at no place that users or samples could be sent to."""
        keys = [service.key for service in flow.all]
        for key, url in self.urls.items():
            if key not in keys:
                raise ValueError(f"arm.urls: no service {key!r}{did_you_mean(key, keys)}")
            try:
                base_url(fill(check(url), plausible([url])))
            except ValueError as error:
                raise ValueError(f"arm.urls.{key} = {url!r}: {error}") from None
        reached = self.reached(flow)
        if missing := [one.key for one in flow.all if _asked(one) and one.key not in reached]:
            raise ValueError(
                f"arm: nobody knows where {', '.join(missing)} will answer: use {{port}} or "
                f"{{{missing[0]}.port}} in start, or write urls"
            )

    @property
    def texts(self) -> tuple[str, ...]:
        """All that may hold placeholders."""
        commands = (self.start, self.stop, self.install, self.ready)
        return (*commands, *self.environment.values(), *self.urls.values())

    def together(self, flow: Services) -> tuple[str, ...]:
        """Keys of services that are at one url with another."""
        reached = self.reached(flow)
        urls = list(reached.values())
        return tuple(key for key, url in reached.items() if urls.count(url) > 1)

    def reached(self, flow: Services) -> dict[str, str]:
        """Base url of each service of the flow, with placeholders."""
        ports = {name for name in names(self.start, *self.environment.values()) if is_port(name)}
        shared = PORT if PORT in ports else next(iter(ports)) if len(ports) == 1 else ""
        found = dict(self.urls)
        for service in flow.all:
            own = f"{service.key}.{PORT}"
            port = own if own in ports else shared if _asked(service) else ""
            if port and not found.get(service.key):
                found[service.key] = f"http://127.0.0.1:{{{port}}}"
        return {service.key: found[service.key] for service in flow.all if found.get(service.key)}


def _asked(service: Service) -> bool:
    """Whether users talk to it: in steps, or by a locustfile."""
    return bool(service.steps) or service.key == HOST
