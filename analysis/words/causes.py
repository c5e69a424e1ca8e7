"""What breaches are filed under: something that happened, and what came of it."""

from dataclasses import dataclass
from enum import StrEnum


class CauseKind(StrEnum):
    """What can happen to a service, the deeper before what follows from it."""

    MEMORY_GROWTH = "memory_growth"
    OOM_KILLED = "oom_killed"
    RESTART = "restart"
    STALL = "stall"
    NETWORK = "network"
    COLLECTION = "collection"
    CONFLICTING_TIMEOUTS = "conflicting_timeouts"
    POOL_EXHAUSTED = "pool_exhausted"
    OUTAGE = "outage"
    FAILING = "failing"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened at ``subject``, a service; times are s since the load began.

    ``end_s`` is None where it had not ended with the recording. ``name`` says it in a clause,
    ``evidence`` what shows it. ``breaches`` are places in the verdict's, ``symptoms`` say each of
    them as it was felt meanwhile, and what else came of it.
    """

    kind: CauseKind
    subject: str
    start_s: float
    end_s: float | None
    name: str
    evidence: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    breaches: tuple[int, ...] = ()

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.name, "; ".join(self.evidence))))
