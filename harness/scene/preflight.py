"""Checks before the first user: is the target allowed, does it answer, will the load fit?"""

import os
import resource
import sys
from collections.abc import Mapping
from math import isnan
from pathlib import Path

import psutil

from harness.generator.generator import SPARE_DESCRIPTORS, connections_per_user, expected_rate
from harness.scene.disk import bytes_of_recording, free_bytes, in_gb
from harness.scene.http2 import speaks_http2
from harness.scene.safety import check_hosts, check_keys
from harness.system.fetch import NoAnswerError, fetch
from harness.system.host import usable_cores
from recording.access import DIRECT, Access
from recording.errors import ConfigError
from recording.profile import Profile

ANSWER_WITHIN_S = 5.0
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

# Measured with `loadgate run bf2025-peak` on 2 cores: generator and mocks together.
BASE_BYTES = 600 * 2**20
BYTES_PER_USER = 110 * 1024
CPU_S_PER_REQUEST = 0.0011


def check_safety(profile: Profile, where: str = "target ") -> None:
    """Raises RefusedError for a live payment key or a host outside the allow-list.

    ``where`` is where the urls come from, for the message.
    """
    check_keys(profile.model_dump(), f"profile {profile.name}: ")
    check_own_keys()
    target = profile.target
    urls = (*target.reached.values(), target.inventory_lock, target.proxy)
    check_hosts(urls, target.allowed_hosts, where)
    check_hosts(profile.metrics.urls, target.allowed_hosts, "metrics ")


def check_own_keys() -> None:
    """Raises RefusedError for a live payment key in our environment or on our command line."""
    check_keys(dict(os.environ), "environment: ")
    check_keys(dict(enumerate(sys.argv)), "command line: word ")


def check_answers(urls: Mapping[str, str], where: str = "target.", access: Access = DIRECT) -> None:
    """Raises ConfigError when a configured target does not answer at all, in time."""
    for name, url in urls.items():
        try:
            fetch(f"{url}/healthz", ANSWER_WITHIN_S, access)
        except NoAnswerError as error:
            said = f"does not answer ({error})"
            if speaks_http2(url, access, ANSWER_WITHIN_S):
                said = "speaks only HTTP/2, and loadgate HTTP/1.1: have it offer that too"
            raise ConfigError(f"{where}{name} = {url}: {said}") from None


def proxies_unheeded(proxy: str) -> str:
    """Which proxies of the environment are not used, "" for none; ``proxy`` is the profile's."""
    named = sorted(
        name for name in os.environ if name.upper() in PROXY_VARIABLES and os.environ[name]
    )
    if not named:
        return ""
    instead = f"requests go through {proxy}" if proxy else "services are asked directly"
    cure = "" if proxy else "; target.proxy names one to go through"
    return f"{', '.join(named)} of the environment: not used, {instead}{cure}"


def raise_descriptor_limit() -> int:
    """Lift this process's (and its children's) soft limit to the hard one; returns it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def descriptors_needed(profile: Profile, processes: int) -> int:
    """Open files that a process of the load may take."""
    users = profile.load.peak_users
    return int(max(users * connections_per_user(profile) / processes, users) + SPARE_DESCRIPTORS)


def bytes_needed(profile: Profile) -> int:
    """Memory of generator and mocks together."""
    return BASE_BYTES + profile.load.peak_users * BYTES_PER_USER


def cores_needed(profile: Profile) -> float:
    """CPU of generator and mocks together; nan where nobody knows the rate."""
    return expected_rate(profile) * CPU_S_PER_REQUEST


def shortages(profile: Profile, processes: int, limit: int, runs: Path) -> list[str]:
    """What this machine certainly lacks for the load, each with the command that mends it.

    ``runs`` is the folder in which it will be recorded.
    """
    users = profile.load.peak_users
    found = []
    need = descriptors_needed(profile, processes)
    if need > limit:
        found.append(
            f"short of descriptors: {users} users on {processes} Locust process(es) need {need} "
            f"open files per process, the limit is {limit}; raise it with `ulimit -n {need}`, or "
            f"raise load.processes"
        )
    ports = _ephemeral_ports()
    if users > ports:
        found.append(
            f"short of ports: {users} users need as many local ports for each service, there are "
            f'{ports}; widen them with `sysctl -w net.ipv4.ip_local_port_range="1024 65535"`'
        )
    need_bytes = bytes_needed(profile)
    memory_bytes = psutil.virtual_memory().available
    if need_bytes > memory_bytes:
        found.append(
            f"short of memory: {users} users need about {need_bytes / 2**30:.1f} GB, "
            f"{memory_bytes / 2**30:.1f} GB are free; lower the users, or share the load with "
            "`--workers-expected`"
        )
    record_bytes, room_bytes = bytes_of_recording(profile), free_bytes(runs)
    if record_bytes > room_bytes:
        found.append(
            f"short of disk: the recording takes about {in_gb(record_bytes)}, "
            f"{in_gb(room_bytes)} are free in {runs}; choose another folder with `--runs`, or a "
            "longer recording.interval"
        )
    return found


def doubts(profile: Profile) -> list[str]:
    """What may not be enough; whether it was, the run itself shows."""
    need = cores_needed(profile)
    cores = usable_cores()
    if isnan(need) or need <= cores:
        return []
    return [
        f"this load takes about {need:.1f} cores, there are {cores}: the run may come out INVALID; "
        "lower the users, or share the load with `--workers-expected`"
    ]


def _ephemeral_ports() -> int:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    except OSError:
        return 16_384  # IANA's range, which other systems use
    low, high = map(int, text.split())
    return high - low + 1
