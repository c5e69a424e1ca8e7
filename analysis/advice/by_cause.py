"""Where to look, by what a cause is."""

from collections.abc import Iterator, Mapping, Sequence

from analysis.words.causes import Cause, CauseKind
from analysis.words.values import NextStep

MOST = 3
"""Causes that are told what to do about."""
_WHERE: Mapping[CauseKind, str] = {
    CauseKind.MEMORY_GROWTH: "find what {subject} never frees: compare its heap at two moments",
    CauseKind.OOM_KILLED: "see what filled the memory of {subject}, or give it more",
    CauseKind.RESTART: "read in the logs of {subject} why it ended",
    CauseKind.STALL: "see what stopped {subject}: its own pauses, or its host",
    CauseKind.NETWORK: "look at what lies between {subject} and its clients",
    CauseKind.COLLECTION: "have {subject} collect earlier, in shorter pauses",
    CauseKind.CONFLICTING_TIMEOUTS: (
        "let the pool of {subject} give up before its callers do, so that what is free goes to who "
        "still waits; then give it more connections, or free them sooner"
    ),
    CauseKind.POOL_EXHAUSTED: (
        "see what holds the connections of {subject}, above all where its pool climbs at constant "
        "load; or give it more: `loadgate tune` finds how many"
    ),
    CauseKind.OUTAGE: "read the logs of {subject} from then",
}
"""A service that is slow or fails for no reason that was seen has only its requests to look up."""


def by_cause(causes: Sequence[Cause]) -> Iterator[NextStep]:
    """One step for each of the first causes."""
    for cause in causes[:MOST]:
        if where := _WHERE.get(cause.kind):
            yield NextStep(where.format(subject=cause.subject))
