"""What happened at services during a run, told by the traces that it left in the recording.

Never from the profile's schedule of faults: a shop that breaks by itself leaves the same traces.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from analysis.evidence.late import late_alone
from analysis.evidence.processes import restarts_of
from analysis.evidence.resources import counter_growth
from analysis.evidence.run import Evidence
from analysis.evidence.stalls import stalls
from analysis.evidence.stretches import Stretch
from analysis.metrics.case import Case
from analysis.single.exhaustion import exhaustion_of
from analysis.single.incident import Incident, short, slack_s
from analysis.single.outages import Outage, outages
from analysis.words.causes import CauseKind
from recording.durations import format_duration
from recording.events import GC, OOM_KILLED
from recording.metric_names import OOM_EVENTS, UP

OF_MEMORY = frozenset({"slope", "time_to_limit", "peak_rss", "oom_killed"})


def incidents(case: Case) -> tuple[Incident, ...]:
    """Everything that left traces of its own, in order of time."""
    kinds = (exhaustion_of, _growth, _kills, _restarts, _collections)
    found = [i for kind in kinds for subject in case.services.subjects for i in kind(case, subject)]
    found += (*_stalls(case.evidence), *_lateness(case.evidence))
    found += map(_outage, outages(case.evidence))
    return tuple(sorted(found, key=lambda incident: incident.start_s))


def _growth(case: Case, subject: str) -> Iterator[Incident]:
    memory, evidence = case.memory[subject], case.evidence
    if not memory.growing:
        return
    name = f"{short(subject)} leaks {memory.verdict.slope_mb_per_h:.1f} MB/h"
    at_s = [t_s for t_s in _times_of(evidence, GC, subject) if t_s >= evidence.measured_from_s]
    if at_s:
        zero_s, segments = evidence.load_start_s, memory.verdict.segments
        after = [s.slope_mb_per_h for s in segments if s.start_s + zero_s >= at_s[0]]
        resumed = " and resumed" if after and after[-1] > 0 else ""
        name += f", collected at {evidence.elapsed(at_s[0])}{resumed}"
    yield Incident(
        CauseKind.MEMORY_GROWTH,
        subject,
        (Stretch(evidence.measured_from_s, evidence.load_end_s),),
        name,
        tuple(filter(None, (memory.explanation, memory.resumed))),
        breaks=OF_MEMORY,
        spreads=False,
        lasts=True,
    )


def _kills(case: Case, subject: str) -> Iterator[Incident]:
    seen_s, steps = counter_growth(case.evidence, subject, OOM_EVENTS)
    times_s = _times_of(case.evidence, OOM_KILLED, subject) or seen_s[steps > 0].tolist()
    breaks = frozenset({"oom_killed", "restarts"})
    yield from _moments(case, CauseKind.OOM_KILLED, subject, times_s, "killed for memory", breaks)


def _collections(case: Case, subject: str) -> Iterator[Incident]:
    times_s = _times_of(case.evidence, GC, subject)
    yield from _moments(case, CauseKind.COLLECTION, subject, times_s, "collected")


def _restarts(case: Case, subject: str) -> Iterator[Incident]:
    """From the last sample that it gave before to the first one after."""
    times_s = restarts_of(case.evidence, subject) or []
    up_s, up = case.evidence.resources.get(subject, UP)
    known_s = up_s[up > 0]

    def before(t_s: float) -> float:
        place = int(np.searchsorted(known_s, t_s)) - 1
        return float(known_s[place]) if place >= 0 else t_s

    breaks = frozenset({"restarts"})
    yield from _moments(case, CauseKind.RESTART, subject, times_s, "restarted", breaks, before)


def _moments(
    case: Case,
    kind: CauseKind,
    subject: str,
    times_s: Iterable[float],
    verb: str,
    breaks: frozenset[str] = frozenset(),
    since: Callable[[float], float] = lambda t_s: t_s,
) -> Iterator[Incident]:
    """What happened once or several times, as one."""
    times = sorted(times_s)
    if times:
        more = f" and {len(times) - 1} times more" if len(times) > 1 else ""
        name = f"{short(subject)} {verb} at {case.evidence.elapsed(times[0])}{more}"
        yield Incident(
            kind,
            subject,
            tuple(Stretch(since(t_s), t_s) for t_s in times),
            name,
            breaks=breaks,
            slack_s=slack_s(case.evidence),
        )


def _stalls(evidence: Evidence) -> Iterator[Incident]:
    shown, slack = ("it alone gave no metrics meanwhile",), slack_s(evidence)
    for subject, found in stalls(evidence).items():
        for stall in found:
            lasted = format_duration(stall.end_s - stall.start_s)
            at = evidence.elapsed(stall.start_s)
            name = f"{short(subject)} stood still at {at} for up to {lasted}"
            yield Incident(CauseKind.STALL, subject, (stall,), name, shown, slack_s=slack)


def _lateness(evidence: Evidence) -> Iterator[Incident]:
    shown = ("its answers came long after its own time, and those of others did not",)
    for subject, found in late_alone(evidence).items():
        for one in found:
            name = f"network of {short(subject)} late {between(evidence, one)}"
            slack = slack_s(evidence)
            yield Incident(CauseKind.NETWORK, subject, (one,), name, shown, slack_s=slack)


def _outage(found: Outage) -> Incident:
    return Incident(
        CauseKind.OUTAGE,
        found.subject,
        (found.stretch,),
        found.what,
        found.more,
        steps=found.steps,
        outcomes=frozenset({found.outcome}),
        spreads=found.is_whole,
        weight=found.n,
        slack_s=slack_s(found.evidence),
    )


def _times_of(evidence: Evidence, event: str, subject: str) -> list[float]:
    rows = evidence.events_named(event)
    return [float(row["t_s"]) for row in rows if row.get("source") == subject]


def between(evidence: Evidence, stretch: Stretch) -> str:
    """``between T+6h14m and T+6h19m``."""
    return f"between {evidence.elapsed(stretch.start_s)} and {evidence.elapsed(stretch.end_s)}"
