"""What guards did while a run went on, as its events have it."""

from collections.abc import Iterator, Mapping
from math import nan
from typing import Any

from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch
from analysis.words.values import Measurement, Outcome, RuleRow
from recording.clock import is_moment
from recording.durations import format_duration
from recording.events import (
    GUARD_CLEARED,
    GUARD_STOPPED,
    GUARD_TRIPPED,
    INVALID_SEEN,
    LOOK_FAILED,
    RESUME_ASKED,
)

KIND = "guard"
_OF = ("guard", "rule", "subject", "where")
"""What tells a guard, and on whom, from others."""


def stops(evidence: Evidence) -> Iterator[RuleRow]:
    """The guard that ended the run: its rule is broken, for that is why there is no more of it."""
    for row in evidence.events_named(GUARD_STOPPED):
        at = evidence.elapsed(float(row["t_s"]))
        because = f"a guard ended the run at {at}: {row.get('because')}"
        rule, subject = str(row.get("rule")), str(row.get("subject"))
        yield RuleRow(rule, subject, _measured(row), Outcome.FAIL, because, kind=KIND)


def guarded(evidence: Evidence) -> Iterator[str]:
    """A finding for each thing that they did, in order of time."""
    for row, stretch in tripped(evidence):
        start, end = evidence.elapsed(stretch.start_s), evidence.elapsed(stretch.end_s)
        measured = _measured(row)
        yield (
            f"guard ({row.get('guard')}): {measured.subject} {row.get('rule')} did not hold "
            f"between {start} and {end}; when that was seen, {measured.metric} was {measured.shown}"
        )
    yield from _pauses(evidence)
    for row in evidence.events_named(INVALID_SEEN):
        at = evidence.elapsed(float(row["t_s"]))
        yield f"seen at {at} that this was no evidence so far: {row.get('because')}"
    for row in evidence.events_named(LOOK_FAILED):
        yield f"guards could not look at {evidence.elapsed(float(row['t_s']))}: {row.get('error')}"


def tripped(evidence: Evidence) -> Iterator[tuple[Mapping[str, Any], Stretch]]:
    """Each guard that did not hold, from the stretch that showed it until it held again."""
    cleared = evidence.events_named(GUARD_CLEARED)
    for row in evidence.events_named(GUARD_TRIPPED):
        at_s = float(row["t_s"])
        own = (e for e in cleared if all(e.get(key) == row.get(key) for key in _OF))
        ends_s = (float(e["t_s"]) for e in own if float(e["t_s"]) >= at_s)
        from_s = row.get("from_s")
        start_s = from_s if is_moment(from_s) else at_s
        yield row, Stretch(start_s, next(ends_s, evidence.load_end_s))


def _pauses(evidence: Evidence) -> Iterator[str]:
    asked = evidence.events_named(RESUME_ASKED)
    for start_s, end_s in evidence.pauses:
        until_s = evidence.end_s if end_s is None else end_s
        by = next((row.get("by") for row in asked if start_s <= row["t_s"] <= until_s), "")
        took = format_duration(round(until_s - start_s))
        ended = f"; {by}" if by else "; it did not go on"
        yield f"the load was paused at {evidence.elapsed(start_s)} for {took}, unmeasured{ended}"


def _measured(row: Mapping[str, Any]) -> Measurement:
    """What the guard saw; of a spoilt event as little as it says."""
    value, n = row.get("value"), row.get("n")
    from_s, to_s = row.get("from_s"), row.get("to_s")
    span = to_s - from_s if is_moment(from_s) and is_moment(to_s) else 0.0
    return Measurement(
        subject=str(row.get("where")),
        metric=str(row.get("metric")),
        value=float(value) if type(value) in (int, float) else nan,  # type: ignore[arg-type]
        unit=str(row.get("unit") or ""),
        n=n if type(n) is int else 0,
        phase=f"{format_duration(round(max(0.0, span)))} before it",
    )
