"""Checks before the first user: is the target allowed, does it answer, will the load fit?"""

import os
import resource
import sys
from collections.abc import Mapping
from math import isnan
from pathlib import Path

import psutil

from harness.generator.generator import CONNECTIONS_PER_USER, SPARE_DESCRIPTORS, expected_rate
from harness.scene.safety import check_hosts, check_keys
from harness.system.fetch import NoAnswerError, fetch
from harness.system.host import usable_cores
from recording.errors import ConfigError
from recording.profile import Profile

# Measured with `loadgate run bf2025-peak` on 2 cores: generator and mocks together.
ANSWER_WITHIN_S = 5.0
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
    check_hosts((*target.urls.values(), target.inventory_lock), target.allowed_hosts, where)
    check_hosts(profile.metrics.urls, target.allowed_hosts, "metrics ")


def check_own_keys() -> None:
    """Raises RefusedError for a live payment key in our environment or on our command line."""
    check_keys(dict(os.environ), "environment: ")
    check_keys(dict(enumerate(sys.argv)), "command line: word ")


def check_answers(urls: Mapping[str, str], where: str = "target.", ca_file: str = "") -> None:
    """Raises ConfigError when a configured target does not answer at all, in time."""
    for name, url in urls.items():
        try:
            fetch(f"{url}/healthz", ANSWER_WITHIN_S, ca_file)
        except NoAnswerError as error:
            raise ConfigError(f"{where}{name} = {url}: does not answer ({error})") from None


def raise_descriptor_limit() -> int:
    """Lift this process's (and its children's) soft limit to the hard one; returns it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def descriptors_needed(profile: Profile, processes: int) -> int:
    """Open files that a process of the load may take."""
    users = profile.load.peak_users
    return int(max(users * CONNECTIONS_PER_USER / processes, users) + SPARE_DESCRIPTORS)


def bytes_needed(profile: Profile) -> int:
    """Memory of generator and mocks together."""
    return BASE_BYTES + profile.load.peak_users * BYTES_PER_USER


def cores_needed(profile: Profile) -> float:
    """CPU of generator and mocks together; nan where nobody knows the rate."""
    return expected_rate(profile) * CPU_S_PER_REQUEST


def shortages(profile: Profile, processes: int, limit: int) -> list[str]:
    """What this machine certainly lacks for the load, each with the command that mends it."""
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
    free_bytes = psutil.virtual_memory().available
    if need_bytes > free_bytes:
        found.append(
            f"short of memory: {users} users need about {need_bytes / 2**30:.1f} GB, "
            f"{free_bytes / 2**30:.1f} GB are free; lower the users, or share the load with "
            "`--workers-expected`"
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
