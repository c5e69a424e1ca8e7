"""What a search found, in sentences."""

from collections.abc import Iterator, Sequence
from math import isfinite

from analysis.capacity.answer import Answer
from analysis.capacity.asked import BORDER, CONFIRMATION, DOUBLING, Asked, of_stage
from analysis.capacity.trials import confirmed, refuted, undecided
from analysis.evidence.run import Evidence
from analysis.levels.replicas import changed
from analysis.levels.seen import Seen
from analysis.memory.judge import MemoryClass
from analysis.words.units import counted
from analysis.words.values import Outcome
from recording.durations import format_duration
from recording.events import SCALED


def found_in_words(found: Answer, asked: Asked) -> str:
    """``58.3 arrivals/s [56, 60.5] = 412 req/s [398, 425]: then inventory-lock pool 200/200``."""
    parts = [_load(found, 1.0, asked.unit)]
    if asked.unit != "users" and found.per_journey:
        parts.append(_load(found, found.per_journey, "req/s"))
    said = " = ".join(parts)
    if found.at_least:
        return f"at least {said}"
    if found.limit:
        return f"{said}, extrapolated: {found.limit.because}"
    return f"{said}: then {found.gave}" if found.gave else said


def _load(found: Answer, factor: float, unit: str) -> str:
    load, low, high = (factor * x for x in (found.load, found.low, found.high))
    if found.at_least:
        return f"{_figure(low)} {unit}"
    if found.limit and found.limit.at_most:
        return f"at most {_figure(high)} {unit}"
    if found.nothing_held:
        return f"less than {_figure(high)} {unit}"
    return f"{_figure(load)} {unit} [{_figure(low)}, {_figure(high)}]"


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def open_in_words(found: Answer, asked: Asked, seen: Sequence[Seen]) -> Iterator[str]:
    """Why a load below the answer need not be safe."""
    if found.limit and found.limit.at_most:
        yield "nothing that is held so long came back yet: how little is safe is not known"
    if found.nothing_held:
        yield "every level that was tried broke a rule: no load is known that holds"
    elif found.low <= 0 and not found.limit:
        yield "every confirmation broke a rule: no load is known that holds for long"
    for one in of_stage(seen, CONFIRMATION)[-1:]:
        for row in one.rows:
            if row.kind == "memory" and row.outcome is Outcome.FAIL:
                yield f"{row.subject}: {row.rule} does not hold for long: {row.because}"


def remarks(evidence: Evidence, found: Answer | None, seen: Sequence[Seen]) -> Iterator[str]:
    """What is worth knowing and decides nothing."""
    yield from evidence.remarks()
    for one in of_stage(seen, CONFIRMATION):
        yield _confirmation(one)
        yield from _memory(one)
    if found and found.limit:
        yield f"extrapolated: {found.limit.because}"
    if found and found.at_least:
        yield from _ceiling(seen)
    if scaled := evidence.events_named(SCALED):
        times = counted(len(scaled), "time")
        yield f"the services scaled {times}: levels before and after differ in replicas"
    yield from changed(seen)


def _confirmation(one: Seen) -> str:
    said = f"confirmation of {format_duration(round(one.level.counted_s))} at {one.level.load:.4g}"
    if one.spoilt:
        return f"{said}: no evidence, {one.spoilt[0]}"
    if confirmed(one):
        return f"{said}: every rule held"
    rows = one.broken or undecided(one)
    what = f"{rows[0].measurement.subject} {rows[0].rule} was {rows[0].measurement.shown}"
    return f"{said}: {what}, so it went on below" if refuted(one) else f"{said}: {what}"


def _memory(one: Seen) -> Iterator[str]:
    """Memory that still grew in a confirmation, with the time to its limit."""
    for subject, memory in one.case.memory.items():
        slope = memory.verdict.slope_mb_per_h
        if memory.verdict.class_ is MemoryClass.STABLE or not memory.verdict.ci_low > 0:
            continue
        hours = memory.hours_to_limit(slope)
        when = f", at its limit after {hours:.2g} h" if isfinite(hours) else ""
        yield (
            f"{subject}: memory still grew by {slope:.3g} MB/h at {one.level.load:.4g}{when}; "
            "a search is too short to judge it: use a soak"
        )


def _ceiling(seen: Sequence[Seen]) -> Iterator[str]:
    spoilt = [s for s in of_stage(seen, DOUBLING, BORDER, CONFIRMATION) if s.spoilt]
    if spoilt:
        least = min(spoilt, key=lambda one: one.level.load)
        yield f"at {least.level.load:.4g} the harness gave first: {least.spoilt[0]}"
    else:
        yield "nothing broke at the largest load that was tried"
