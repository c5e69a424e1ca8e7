"""Locust as a subprocess: a master that collects and as many workers as the load needs."""

import hashlib
import json
import os
import random
import signal
import site
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isnan, nan
from pathlib import Path
from typing import Any

from harness.generator.handshake import ANY_ADDRESS, LOOPBACK, PLAN_PORT_OFFSET
from harness.generator.token import VARIABLE, Token, made_token
from harness.system.host import usable_cores
from harness.system.parent import STARTED_BY
from harness.system.paths import PROJECT, environment_of
from mock_services.table import SERVICES
from recording.clock import RunClock
from recording.profile import Profile
from recording.rundir import RunDir

MASTER_PORT = 5557
CHECKOUT_FLOW, OWN_FILE, OWN_MODULE = "checkout_flow", "own_file", "own_module"
"""What Locust is started on, of `locustfiles`."""
OWN_WORKERS_WITHIN_S = 60.0
"""Local workers are forked at once; on a starved machine they may take some seconds."""
PORTS_FOR_LISTENING = (15_000, 32_000)
SPARE_DESCRIPTORS = 500
REQUESTS_PER_WORKER = 600.0
"""Requests/s one worker carries at about half a core (measured on 2 cores, Locust 2.47)."""


def connections_per_user(profile: Profile) -> int:
    """One to each service that answers a step, or whose steps a run tells."""
    flow = profile.flow
    return sum(bool(service.steps) for service in flow.all) or len(flow.all)


def processes_for(profile: Profile, descriptors: int, cores: int | None = None) -> int:
    """Locust workers for this load: by descriptors first, then by the rate one can carry."""
    if profile.load.processes != "auto":
        return profile.load.processes
    by_descriptors = ceil(
        profile.load.peak_users
        * connections_per_user(profile)
        / max(1, descriptors - SPARE_DESCRIPTORS)
    )
    rate, most = expected_rate(profile), cores or usable_cores()
    by_rate = (
        min(profile.load.peak_users, most) if isnan(rate) else ceil(rate / REQUESTS_PER_WORKER)
    )
    return max(1, by_descriptors, min(by_rate, most))


def expected_rate(profile: Profile, mean_latency_s: float = 0.17) -> float:
    """Requests/s at the peak of users by Little's law; 0.17 s is Appendix A's weighted mean.

    Nan where a locustfile decides how often its users ask.
    """
    if profile.scenario.locustfile:
        return nan
    journey = profile.journey
    per_journey = profile.requests_per_journey
    if profile.load.model == "arrivals":
        return per_journey * max(phase.arrivals_per_s or 0.0 for phase in profile.load.phases)
    cycle_s = per_journey * (journey.think.mean_s + mean_latency_s)
    if journey.period is not None:
        cycle_s = max(cycle_s, journey.period)
    active = profile.load.peak_users / (2 if profile.gate else 1)  # one arm of two at a time
    return active * per_journey / cycle_s


@dataclass(frozen=True, slots=True)
class Generator:
    """The running Locust master; its workers are its children."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def stop(self) -> None:
        """Ask for an orderly end: requests in flight finish, workers send their last report."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)

    def kill(self) -> None:
        """End it now; its workers notice within half a second."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def wait(self, timeout_s: float) -> bool:
        """Whether it ended within ``timeout_s``."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Workers:
    """Where the load comes from: local processes, or ``expected`` workers that connect.

    ``host`` is the address to listen on, ``token`` what workers must have, ``within_s`` how long
    all of them may take to come.
    """

    expected: int = 0
    host: str = LOOPBACK
    port: int = 0
    token: Token = field(default_factory=made_token)
    within_s: float = OWN_WORKERS_WITHIN_S

    @property
    def remote(self) -> bool:
        """Whether workers are started by someone else."""
        return self.expected > 0

    @property
    def host_for_services(self) -> str:
        """Where mocks listen: workers elsewhere must reach them by the master's own address."""
        return self.host if self.remote else LOOPBACK

    @property
    def ports_for_services(self) -> dict[str, int]:
        """Of mocks: those after the master's where a firewall has to know them, else free ones."""
        if self.host_for_services == LOOPBACK:
            return {}
        first = self.port + PLAN_PORT_OFFSET + 1
        return {key: first + number for number, key in enumerate(SERVICES)}

    @property
    def command(self) -> str:
        """What starts a worker. A token that the user gave is not repeated."""
        host = _own_address() if self.host == ANY_ADDRESS else self.host
        start = f"loadgate worker --master {host}:{self.port}"
        if self.token.made:
            return f"{start} --token {self.token.text}"
        return f"{start} --token-file FILE  (or {VARIABLE}: the token given here)"

    def options(self, processes: int) -> list[str]:
        """Locust's options for its master."""
        port = str(self.port or free_port())
        bind = ["--master-bind-host", self.host, "--master-bind-port", port]
        if not self.remote:
            return [*bind, "--master-port", port, "--processes", str(processes)]
        return [*bind, "--master", "--expect-workers", str(self.expected)]


def start_generator(
    profile: Profile,
    run: RunDir,
    plan: str,
    clock: RunClock,
    processes: int,
    workers: Workers,
) -> Generator:
    """Start Locust's master with a plan, and its workers unless they are elsewhere."""
    log = run.logs / "locust.log"
    folder, token = run.logs.resolve(), workers.token.text
    options = [
        "--headless", "--enable-rebalancing", *workers.options(processes),
        "--stop-timeout", str(ceil(profile.load.stop_patience_s)),
        "--exit-code-on-error", "0", "--only-summary", "--loglevel", "INFO",
    ]  # fmt: skip
    streams: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stderr": subprocess.STDOUT,
        "start_new_session": True,
    }
    with log.open("ab") as output:
        asked = (options, folder, plan, clock.epoch_s, token)
        locust = start_locust(*asked, started_on(profile), stdout=output, **streams)
    return Generator(locust, log)


def started_on(profile: Profile) -> str:
    """Which of our files Locust is started on: that of whose users they are."""
    own = profile.scenario
    return OWN_MODULE if own.module else OWN_FILE if own.locustfile else CHECKOUT_FLOW


def start_locust(
    options: Sequence[str],
    folder: Path,
    plan: str,
    epoch_s: float,
    token: str,
    scenario: str = CHECKOUT_FLOW,
    **more: Any,
) -> "subprocess.Popen[bytes]":
    """Locust on a file of ours, told what to do; ``more`` is for its process.

    It starts in ``folder``, where no settings of its own lie: it reads ``locust.conf`` and
    ``pyproject.toml`` where it starts, and ``~/.locust.conf``.
    """
    environment = {
        **environment_of(),
        "HOME": str(folder),
        "PYTHONUSERBASE": site.getuserbase(),  # found by HOME otherwise
        "LOADGATE_PLAN": plan,
        "LOADGATE_EPOCH": repr(epoch_s),
        VARIABLE: token,
        STARTED_BY: str(os.getpid()),
        "PYTHONUNBUFFERED": "1",
    }
    if raw := os.environ.get("LOADGATE_RAW"):
        environment["LOADGATE_RAW"] = str(Path(raw).resolve())
    file = str(PROJECT / "locustfiles" / f"{scenario}.py")
    command = [sys.executable, "-m", "locust", "-f", file, *options]
    return subprocess.Popen(command, env=environment, cwd=folder, **more)


def plan_json(
    profile: Profile,
    token: str,
    urls: Mapping[str, str],
    paired: Mapping[str, object] | None,
    workers: int,
    in_levels: bool = False,
    theirs: bool = False,
) -> Callable[[RunDir | None], str]:
    """What a Locust process is asked to do, for a run directory or, elsewhere, for None.

    ``token`` goes into the ids that it makes up; ``paired`` has the urls and steps of the arms.
    With ``in_levels`` the load is that of the levels which the harness announces; ``theirs``: some
    services are somebody else's.
    """
    # What services are told is none of the load's business, and may hold a database's password.
    dumped = profile.model_dump(mode="json", exclude={"services"})
    for key in ("ca_file", "client_cert", "client_key"):
        if file := dumped["target"][key]:  # Locust starts in another folder
            dumped["target"][key] = str(Path(file).resolve())
    table = {
        "profile": dumped,
        "token": token,
        "urls": dict(urls),
        "workers": workers,
        "theirs": theirs,
    }
    if own := profile.scenario.own:
        key = "module" if profile.scenario.module else "locustfile"
        dumped["scenario"][key] = str(Path(own).resolve())
        table |= {"folder": str(Path.cwd()), "own": _own_file(own)}
    if in_levels:
        table["in_levels"] = True
    if paired is not None:
        table["paired"] = paired
    return lambda run: json.dumps(table | {"run": str(run.root.resolve()) if run else None})


def _own_file(own: str) -> dict[str, str]:
    """For workers elsewhere: where it lies, from where we were called, and what it is."""
    return {"path": os.path.relpath(own), "sha256": digest_of(Path(own))}


def digest_of(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _own_address() -> str:
    """The address that others most likely reach us by: that of the way out (nothing is sent)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def free_port(neighbours: int = 0) -> int:
    """A port that nobody listens on, and as many free ones after it.

    Outside the range that outgoing connections take theirs from: under load any of those may be
    gone again before Locust binds it.
    """
    while True:
        port = random.randrange(*PORTS_FOR_LISTENING)
        if all(_is_free(port + i) for i in range(neighbours + 1)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
