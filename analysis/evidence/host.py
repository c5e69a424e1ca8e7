"""Which hosts are alike enough for their runs to be compared at all."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil, log2
from typing import Any

UNKNOWN = "unknown"
# What vendors write around the name of a processor, and what tells no two of them apart.
_NOISE = re.compile(r"\((r|tm)\)|\b(cpu|processor|\d+-core)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HostClass:
    """A kind of host: a stable short name (fit for a file name) and the facts it stands for.

    Alike in class is necessary for a comparison of two runs, never sufficient: shared runners of
    one class differ by a quarter between jobs.
    """

    name: str
    cpu: str
    cores: int
    memory_gib: float
    system: str
    kernel_major: int

    @property
    def known(self) -> bool:
        """Whether the facts were recorded. Two unknown hosts are *not* of the same class."""
        return self.name != UNKNOWN

    def facts(self) -> dict[str, Any]:
        """The facts without the name, as kept in baselines."""
        return {key: value for key, value in asdict(self).items() if key != "name"}


def host_class(facts: Mapping[str, Any]) -> HostClass:
    """The class of a host from the facts in a run's manifest (`host`).

    Processor model, cores the run may use, installed memory, system and major version of its
    kernel: what moves latencies of one binary by more than a run's own noise. Any fact missing
    (imported runs) makes the class unknown.
    """
    try:
        cpu = str(facts.get("cpu") or facts["machine"])
        cores, system = int(facts["cores"]), str(facts["system"])
        memory_gib = installed_gib(float(facts["memory_bytes"]))
        kernel_major = int(str(facts["kernel"]).partition(".")[0])
    except (KeyError, TypeError, ValueError, OverflowError):
        return HostClass(UNKNOWN, "", 0, 0.0, "", 0)
    name = f"{_slug(cpu)}-{cores}c-{memory_gib:g}gb-{_slug(system)}{kernel_major}"
    return HostClass(name, cpu, cores, memory_gib, system, kernel_major)


def installed_gib(total_bytes: float) -> float:
    """Memory as it was sold, GiB: the kernel reports some percent less, and not always the same.

    Rounded up to an eighth of the next power of two: 7.6 -> 8, 23.5 -> 24, 62.8 -> 64.
    Raises ValueError when not positive.
    """
    gib = total_bytes / 2**30
    step = 2.0 ** ceil(log2(gib)) / 8
    return ceil(gib / step) * step


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _NOISE.sub(" ", text).lower()).strip("-")
