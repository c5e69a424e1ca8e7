"""A verdict as CI systems know one: test cases, and what to alert people of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from analysis.capacity.compare import CapacityGate
from analysis.capacity.judge import CapacityReport
from analysis.compare.side_by_side import Comparison
from analysis.paired.judge import GateReport
from analysis.regression.rows import Row
from analysis.report.broken import symptoms
from analysis.tuning.judge import TuneReport
from analysis.words.folding import unfiled
from analysis.words.values import Breach, Check, Outcome, RuleRow, Verdict

NOT_EVIDENCE = "the run is not evidence"
SEARCHES = {CapacityReport: "the required load fits", TuneReport: "what is in force is enough"}
"""What each kind of search answers. Its rows are those of a confirmation, one level of many."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that was judged; INVALID is an error of the run, INCONCLUSIVE not decided.

    ``message`` is a line, ``text`` everything there is to say.
    """

    name: str
    outcome: Outcome
    message: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """What people must see without opening anything."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer of the verb ``loadgate <verb>``; ``seconds`` is how long the load was judged."""

    verb: str
    outcome: Outcome
    summary: str
    evidence: tuple[Case, ...] = ()
    rules: tuple[Case, ...] = ()
    alerts: tuple[Alert, ...] = ()
    seconds: float = 0.0
    started_utc: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def of_verdict(verdict: Verdict) -> Judged:
    """Checks are the cases of its evidence, rows and breaches without a row those of its rules."""
    context = verdict.context
    lengths = (context.get(key) for key in ("duration_s", "measured_s", "searched_s"))
    next_steps = "\n".join(f"next: {step}" for step in verdict.next_steps)
    return Judged(
        verb=verdict.VERB,
        outcome=verdict.verdict,
        summary=verdict.summary,
        evidence=tuple(_evidence(verdict, next_steps)),
        rules=tuple(_rules(verdict, next_steps)),
        alerts=tuple(_alerts(verdict)),
        seconds=next(filter(None, lengths), 0.0),
        started_utc=context.get("started_utc", ""),
        properties={
            "run_id": verdict.run_id,
            "profile": verdict.profile,
            "verdict": verdict.verdict.value,
            **({"seed": str(seed)} if (seed := context.get("seed")) is not None else {}),
            **{f"label.{key}": value for key, value in context.get("labels", {}).items()},
        },
    )


def _evidence(verdict: Verdict, next_steps: str) -> Iterator[Case]:
    """A verdict without a failing check that is no evidence all the same is a case of its own."""
    if verdict.verdict is Outcome.INVALID and all(check.ok for check in verdict.checks):
        reasons = "\n".join(verdict.invalid_reasons)
        yield Case("verdict", Outcome.INVALID, verdict.summary, _lines(reasons, next_steps))
    spoils = Outcome.INVALID if verdict.verdict is Outcome.INVALID else Outcome.INCONCLUSIVE
    yield from (_check(check, spoils, next_steps) for check in verdict.checks)


def _check(check: Check, spoils: Outcome, next_steps: str) -> Case:
    """``spoils`` is what it is if not ok: of a search it may be that of one level."""
    outcome = Outcome.PASS if check.ok else spoils
    return Case(check.name, outcome, str(check), _lines(str(check), next_steps))


def _rules(verdict: Verdict, next_steps: str) -> Iterator[Case]:
    """Nothing follows from the rules of a run that is no evidence: none looks passed."""
    for case in _judged(verdict):
        if verdict.verdict is Outcome.INVALID:
            said = f"{NOT_EVIDENCE}; {case.message}"
            yield Case(case.name, Outcome.INCONCLUSIVE, said, said)
        else:
            yield Case(case.name, case.outcome, case.message, _lines(case.text, next_steps))
    open_ = (Outcome.INCONCLUSIVE, Outcome.NOT_MEASURED)
    if verdict.verdict in open_ and type(verdict) not in SEARCHES:
        reasons = "\n".join(verdict.inconclusive_reasons)
        yield Case("verdict", verdict.verdict, verdict.summary, _lines(reasons, next_steps))


def _judged(verdict: Verdict) -> Iterator[Case]:
    """A search is one question; else every rule, and what broke without being a row."""
    if question := SEARCHES.get(type(verdict)):
        reasons = (*verdict.inconclusive_reasons, *map(str, verdict.breaches), *verdict.findings)
        text = _lines(verdict.summary, *reasons)
        yield Case(question, verdict.verdict, verdict.summary, text)
        return
    rows = [*map(_rule, verdict.rows), *map(_row, _paired(verdict))]
    yield from rows
    failing = sum(case.outcome is Outcome.FAIL for case in rows)
    yield from map(_breach, verdict.breaches[failing:])


def _paired(verdict: Verdict) -> tuple[Row, ...]:
    return (*verdict.gate_rows, *verdict.costs) if isinstance(verdict, GateReport) else ()


def _rule(row: RuleRow) -> Case:
    inside = "" if row.subject == row.measurement.subject else f"/{row.measurement.subject}"
    because = f": {row.because}" if row.because else ""
    open_ = "" if row.required or row.outcome is not Outcome.INCONCLUSIVE else ", not required"
    said = f"{row.measurement.shown}, required {row.rule}{open_}{because}"
    return Case(f"{row.subject}{inside} {row.rule}", row.outcome, said, said)


def _row(row: Row) -> Case:
    return Case(f"{row.subject} {row.metric}", row.verdict, row.because, row.because)


def _breach(breach: Breach) -> Case:
    return Case(f"{breach.subject} {breach.rule}", Outcome.FAIL, str(breach), str(breach))


def _alerts(verdict: Verdict) -> Iterator[Alert]:
    """One for each cause of a FAIL, one for INVALID and INCONCLUSIVE."""
    if verdict.verdict in (Outcome.PASS, Outcome.NOT_MEASURED):
        return
    following = "".join(f"; next: {step}" for step in verdict.next_steps[-1:])
    failed = verdict.verdict is Outcome.FAIL
    if not (failed and verdict.breaches):
        title = f"{verdict.VERB} {verdict.verdict}"
        yield Alert(title, verdict.summary + following)
    else:
        for cause in verdict.causes:
            yield Alert(cause.name, "; ".join((*cause.evidence, *cause.symptoms)))
        for group in unfiled(verdict.breaches, verdict.causes):
            first, *more = group
            title = f"{first.subject}: {first.metric} {first.shown}"
            said = f"required {first.required}: {first.because}"
            yield Alert(title, said + (f"; also {symptoms(more)}" if more else ""))


def of_comparison(found: Comparison) -> Judged:
    """Its rows are the cases; runs made apart have no checks of their own."""
    rows = tuple(map(_row, found.rows))
    reasons = "\n".join(found.reasons)
    failing = (case for case in rows if case.outcome is Outcome.FAIL)
    alerts = [Alert(f"{case.name} of {found.run}", case.message) for case in failing]
    open_ = found.verdict in (Outcome.INVALID, Outcome.INCONCLUSIVE)
    if open_:
        alerts = [Alert(f"compare {found.verdict}", found.summary)]
    case = Case("verdict", found.verdict, found.summary, reasons)
    return Judged(
        verb="compare",
        outcome=found.verdict,
        summary=found.summary,
        rules=(*rows, *([case] if open_ else [])),
        alerts=tuple(alerts),
        properties={"run_id": found.run, "verdict": found.verdict.value},
    )


def of_capacity_gate(found: CapacityGate) -> Judged:
    """One question to two searches, each of which has cases of its own."""
    steps = tuple(f"next: {step}" for step in found.next_steps)
    case = Case("head carries as much as base", found.verdict, found.summary,
                _lines(found.summary, *steps))  # fmt: skip
    alert = Alert(f"gate --capacity {found.verdict}", "; ".join((found.summary, *steps)))
    return Judged(
        verb="gate --capacity",
        outcome=found.verdict,
        summary=found.summary,
        rules=(case,),
        alerts=() if found.verdict is Outcome.PASS else (alert,),
        properties={"base": found.base.run_id, "head": found.head.run_id},
    )


def _lines(*texts: str) -> str:
    return "\n".join(filter(None, texts))


def counts(cases: Iterable[Case]) -> Mapping[Outcome, int]:
    """How many there are of each outcome."""
    found = [case.outcome for case in cases]
    return {outcome: found.count(outcome) for outcome in Outcome}
