"""Starts the mocks on free ports, waits until they are healthy, and ends them."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from harness.generator.handshake import ANY_ADDRESS, LOOPBACK
from harness.proxy.proxy import Proxy
from harness.scene.orders_db import OrdersDb, orders_dbs, schema_of
from harness.scene.safety import check_keys
from harness.system.fetch import NoAnswerError, fetch
from harness.system.paths import PROJECT, environment_of
from mock_services.table import SERVICES
from recording.clock import RunClock
from recording.errors import ConfigError, RunFailedError, did_you_mean
from recording.profile_file import KeyPath, build
from recording.rundir import RunDir
from recording.written import Written, as_written

START_TIMEOUT_S = 20.0
HEALTH_WITHIN_S = 1.0
STOP_TIMEOUT_S = 10.0
GIVE_UP_TIMEOUT_S = 2.0
"""Services that were never in use have nothing to finish."""
TAIL_BYTES = 4096
"""Of a log: its last lines, however long they are."""
_LEDGERS = {"checkout": RunDir.orders_of, "payment": RunDir.payments_of}
"""Whose ledger lies where in the run directory."""


def service_settings(
    tables: Mapping[str, Mapping[str, Any]], where: Written | str
) -> dict[str, dict[str, Any]]:
    """The profile's ``[services.*]`` tables, checked against the mocks' own schema.

    Raises ConfigError naming the key and the nearest known one.
    """
    given = named_services(tables, where)
    names = {_key(name): name for name in tables}
    found = {name: given.get(name, {}) for name in SERVICES}
    for name, table in found.items():
        build(SERVICES[name].settings, table, where, ("services", names.get(name, name)))
    return found


def named_services(
    tables: Mapping[str, Mapping[str, Any]], where: Written | str, path: KeyPath = ("services",)
) -> dict[str, dict[str, Any]]:
    """Such tables by the keys of services. Raises ConfigError for one that is of none."""
    source = as_written(where, {})
    at = source.where(path)
    if not isinstance(tables, Mapping):
        raise ConfigError(f"{at}: services = {tables!r}: write a table")
    check_keys(tables, f"{at}: services.")
    for name, table in tables.items():
        at = source.where((*path, name))
        if _key(name) not in SERVICES:
            hint = did_you_mean(_key(name), SERVICES)
            raise ConfigError(f"{at}: unknown key 'services.{name}'{hint}")
        if not isinstance(table, Mapping):
            raise ConfigError(f"{at}: services.{name} = {table!r}: write a table")
    return {_key(name): dict(table) for name, table in tables.items()}


def _key(name: str) -> str:
    """``inventory-lock`` is ``inventory_lock`` too."""
    return name.replace("-", "_")


class Process(Protocol):
    """What a `subprocess.Popen` has, as far as services are watched and ended by it."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended. Raises subprocess.TimeoutExpired."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running mock."""

    name: str
    subject: str
    url: str
    process: Process
    log: Path
    ends_within_s: float = 0.0
    """How long it may take to end, where that is longer than what any service is given."""

    @property
    def died(self) -> str | None:
        """Why it is gone, with what it said last; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"{self.subject} died ({how}); {self.last_words}"

    @property
    def last_words(self) -> str:
        """The log's end, behind its whole path."""
        return last_words(self.log)


@dataclass(frozen=True, slots=True)
class Services:
    """The mocks of one run, or of one of its arms.

    ``proxy`` stands before those whose connections are to go wrong, and is at ``doors``.
    """

    services: tuple[Service, ...]
    admin_token: str
    proxy: Proxy | None = None
    doors: Mapping[str, str] = field(default_factory=dict)
    databases: tuple[OrdersDb, ...] = ()
    """Those that keep a run's orders in place of a file."""

    @property
    def urls(self) -> dict[str, str]:
        """Base url of each service, where users go."""
        return {service.name: service.url for service in self.services} | dict(self.doors)

    @property
    def by_subject(self) -> dict[str, str]:
        """The same under the names that reports use."""
        return {service.subject: service.url for service in self.services}

    def first_death(self) -> str | None:
        """Why the first dead service died; None while all run."""
        died = (service.died for service in self.services)
        return next(filter(None, died), self.proxy.died if self.proxy else None)

    def stop(self, within_s: float = STOP_TIMEOUT_S) -> None:
        """End all of them in good order; what does not end in time is killed."""
        for service in self.services:
            service.process.terminate()
        told_s = time.monotonic()
        for service in self.services:
            deadline = told_s + max(within_s, service.ends_within_s)
            try:
                service.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                service.process.kill()
                service.process.wait()
        if self.proxy is not None:
            self.proxy.stop()


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose code the services run, and the arm of a paired run they stand for ("" outside one).

    ``subjects`` has the services that this code has, ``knows`` the settings of each.
    """

    project: Path = PROJECT
    arm: str = ""
    subjects: Mapping[str, str] = field(
        default_factory=lambda: {name: mock.subject for name, mock in SERVICES.items()}
    )
    knows: Mapping[str, Collection[str]] = field(
        default_factory=lambda: {
            name: mock.settings.model_fields for name, mock in SERVICES.items()
        }
    )

    def subject(self, name: str) -> str:
        """What reports call its service: ``cart-service``, in an arm ``cart-service@head``."""
        return self.subjects[name] + (f"@{self.arm}" if self.arm else "")

    def log(self, name: str, folder: Path | None) -> Path:
        """Where its service's log goes."""
        prefix = f"{self.arm}-" if self.arm else ""
        return folder / f"{prefix}{name}.log" if folder else Path(os.devnull)

    def wiring(self, name: str, urls: Mapping[str, str], run: RunDir | None) -> dict[str, str]:
        """Settings that only a run knows: where the services are that it calls, and its ledger."""
        wired = {f"{other}_url": url for other, url in urls.items()}
        if run is not None and name in _LEDGERS:
            wired["ledger_path"] = str(_LEDGERS[name](run, self.arm).resolve())
            wired["ledger_schema"] = schema_of(run, self.arm)
        return {key: value for key, value in wired.items() if key in self.knows[name]}


OURS = Origin()


def start_services(
    settings: Mapping[str, Mapping[str, Any]],
    clock: RunClock,
    run: RunDir | None = None,
    ports: Mapping[str, int] | None = None,
    logs: Path | None = None,
    host: str = LOOPBACK,
    origin: Origin = OURS,
    proxied: Collection[str] = (),
) -> Services:
    """Start all of them and wait until they answer.

    ``ports`` fixes where all find them, or the proxy of those ``proxied`` (0: a free one). Raises
    ConfigError when a port is taken, RunFailedError with its log's tail when one does not come up.
    """
    fixed, folder = dict(ports or {}), run.logs if run else logs
    doors = {name: fixed.pop(name, 0) for name in proxied}
    sockets = {k: _listen(host, fixed.get(k, 0), who) for k, who in origin.subjects.items()}
    here = LOOPBACK if host == ANY_ADDRESS else host
    urls = {name: f"http://{here}:{s.getsockname()[1]}" for name, s in sockets.items()}
    token = secrets.token_urlsafe(16)
    services = Services((), token)
    try:
        services = _with_proxy(token, urls, doors, host, origin.log("proxy", folder))
        reached = urls | dict(services.doors)
        for name, listener in sockets.items():
            told = {**settings.get(name, {}), **origin.wiring(name, reached, run)}
            own = _environment(token, clock, run, origin) | {"MOCK_SETTINGS": json.dumps(told)}
            log = origin.log(name, folder)
            process = _start(name, listener, own, origin.project, log)
            started = Service(name, origin.subject(name), urls[name], process, log)
            services = replace(services, services=(*services.services, started))
        _wait_healthy(services)
    except BaseException:
        services.stop(GIVE_UP_TIMEOUT_S)
        raise
    finally:
        for listener in sockets.values():
            listener.close()
    return replace(services, databases=orders_dbs(settings, run, origin.arm))


def _with_proxy(
    token: str, urls: Mapping[str, str], ports: Mapping[str, int], host: str, log: Path
) -> Services:
    """No services yet, and a proxy before where those will be that are to have one."""
    if not ports:
        return Services((), token)
    split = {name: urlsplit(urls[name]) for name in ports}
    proxy = Proxy(host, {name: url.netloc for name, url in split.items()}, log, ports)
    doors = {name: f"http://{split[name].hostname}:{port}" for name, port in proxy.ports.items()}
    return Services((), token, proxy, doors)


def _listen(host: str, port: int, subject: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(8192)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"port {port} for {subject} is taken ({error.strerror}); "
            "choose another with --port-base"
        ) from None
    return listener


def _environment(token: str, clock: RunClock, run: RunDir | None, origin: Origin) -> dict[str, str]:
    shared = {"MOCK_ADMIN_TOKEN": token, "MOCK_EPOCH_MONOTONIC": repr(clock.epoch_s)}
    if run is not None:
        shared["MOCK_EVENTS"] = str(run.events_of(origin.arm).resolve())
    return environment_of(origin.project) | shared


def _start(
    name: str, listener: socket.socket, environment: Mapping[str, str], project: Path, log: Path
) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "mock_services.serve", name, "--fd", str(listener.fileno())]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*command, "--parent-pid", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=project,  # `-m` finds the packages there first
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C in the terminal reaches the harness only
        )


def _wait_healthy(services: Services) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    for service in services.services:
        while not _healthy(service.url):
            if why := service.died:
                raise RunFailedError(why)
            if time.monotonic() > deadline:
                raise RunFailedError(
                    f"{service.subject} not healthy after {START_TIMEOUT_S:.0f} s; "
                    f"{service.last_words}"
                )
            time.sleep(0.05)


def _healthy(url: str) -> bool:
    try:
        return fetch(f"{url}/healthz", HEALTH_WITHIN_S).status == 200
    except NoAnswerError:
        return False


def last_words(log: Path) -> str:
    """A log's end, behind its whole path."""
    return f"{log.resolve()} ends with:\n{tail(log) or '    nothing'}"


def tail(log: Path, lines: int = 4) -> str:
    """The last lines of a log, indented, for an error message."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text[-lines:])
