"""Requests worth looking up by their id: the slowest of a step, and those that failed."""

from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest
from operator import itemgetter
from typing import Any

from analysis.evidence.run import Evidence
from analysis.single.outages import began_s
from recording.outcomes import is_failure
from recording.profile import JOURNEY
from recording.slots import HEAD

MOST = 3
"""Requests of a step."""


def examples(evidence: Evidence, steps: Iterable[str], *, failed: bool) -> Iterator[str]:
    """A sentence for each step that has any; of a gate its head's. The journey is all steps."""
    for step in steps:
        rows = [row for row in _measured(evidence) if step in (row["step"], JOURNEY)]
        if failed:
            rows = [row for row in rows if is_failure(str(row.get("outcome")))]
        if rows:
            slowest = nlargest(MOST, rows, key=itemgetter("latency_ms"))
            what = "failed" if failed else "slowest"
            yield f"{what} requests of {step}: {', '.join(_said(row, step) for row in slowest)}"


def _measured(evidence: Evidence) -> Iterator[Mapping[str, Any]]:
    """Examples are foreign: one that lacks what is needed is none."""
    arm = HEAD if evidence.manifest.paired else None
    for row in evidence.exemplars:
        if arm in (None, row.get("arm")) and {"step", "request_id"} <= row.keys():
            begun_s = began_s(row)
            if any(start_s <= begun_s < end_s for start_s, end_s in evidence.measured):
                yield row


def _said(row: Mapping[str, Any], of: str) -> str:
    """Its id, and what is not said already."""
    outcome, ms = str(row.get("outcome")), f"{row['latency_ms']:.0f} ms"
    told = [row["step"]] if of == JOURNEY else []
    told += [ms, outcome] if is_failure(outcome) else [ms]
    return f"{row['request_id']} ({', '.join(map(str, told))})"
