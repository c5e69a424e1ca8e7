"""The judge of one run: for each rule and subject measure, decide, explain."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import chain
from math import nan

from analysis.evidence.begun import never_told, raised
from analysis.evidence.requests import Sample, judged_kind, samples
from analysis.evidence.run import Evidence
from analysis.evidence.traffic import traffic
from analysis.limits.rules import Rule
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.metrics.catalogue import METRICS
from analysis.single.by_name import never_asked
from analysis.single.causes import causes, told
from analysis.single.checks import checks
from analysis.single.delivery import EDGE_S, kept_from_users
from analysis.single.findings import findings
from analysis.single.guarded import stops
from analysis.words.causes import Cause
from analysis.words.folding import unfiled
from analysis.words.units import and_more
from analysis.words.values import (
    NO_DATA,
    Breach,
    Check,
    Measurement,
    Outcome,
    RuleRow,
    Verdict,
    is_about_shipping,
)
from recording.durations import format_duration
from recording.events import LEDGER_LEFT
from recording.hlog import LATENCY, of_requests
from recording.metric_names import ORDERS_DB
from recording.profile import JOURNEY, SUBJECTS

Checks = Callable[[Evidence, dict[str, Sample]], list[Check]]
_LESS = 0.02
"""So much less may be measured than planned; what leaks and fills needs its time to show."""
_SHOWN = ("p50", "p90", "p95", "p99", "mean", "max", "error_rate")


def judge_evidence(
    evidence: Evidence, thresholds: Thresholds, of_the_run: Checks = checks
) -> Verdict:
    """The verdict on a recording."""
    case = Case(evidence)
    run_checks = of_the_run(evidence, case.samples)
    rows = (*stops(evidence), *ruled(case, thresholds))
    found = causes(case, thresholds, [row for row in rows if row.outcome is Outcome.FAIL])
    rows = told(rows, found)
    breaches = tuple(_breach(row) for row in rows if row.outcome is Outcome.FAIL)
    invalid = tuple(str(check) for check in run_checks if not check.ok)
    unsure = tuple(_unsure(case, thresholds, rows))
    applying = tuple(row for row in rows if row.applies)
    if not invalid and not applying:
        invalid = ("no rule of thresholds.toml applies to this run",)
    outcome, summary = _decided(_headlines(found, breaches), invalid, unsure, applying)
    return Verdict(
        run_id=evidence.manifest.run_id,
        profile=evidence.manifest.profile.name,
        verdict=outcome,
        summary=summary,
        causes=found,
        breaches=breaches,
        rows=rows,
        measurements=_measurements(case, rows),
        checks=tuple(run_checks),
        invalid_reasons=invalid,
        inconclusive_reasons=unsure,
        findings=tuple(findings(case)),
        context=_context(evidence, case.samples),
    )


def ruled(case: Case, thresholds: Thresholds) -> tuple[RuleRow, ...]:
    """Every rule, for each subject that it looks at."""
    own = thresholds.named
    return tuple(
        row for subject, rule in thresholds for row in _rows(case, subject, rule, subject in own)
    )


def _rows(case: Case, subject: str, rule: Rule, own: bool) -> Iterator[RuleRow]:
    metric, judge = rule.metric, case.evidence.manifest.profile.judge
    if not metric.of(case.services, subject):
        named = own or (case.evidence.by_name and subject not in SUBJECTS)
        required = judge.requires(subject, metric.kind)
        note = never_asked(case.services) if named else f"this run had no {subject}"
        required &= named or f"{subject}.{metric.kind}" in judge.required
        yield _without(rule, subject, note, required=required)
        return
    if not metric.recorded(case):
        yield _without(rule, subject, metric.lacking, required=False)
        return
    required = judge.requires(subject, metric.kind)
    for measured in tuple(metric.measure(case, subject)) or (_nothing(rule, subject),):
        outcome, because = metric.decide(case, rule, subject, measured)
        if outcome is Outcome.FAIL:
            because = metric.explain(case, subject, measured)
        yield RuleRow(str(rule), subject, measured, outcome, because, required, metric.kind)


def _without(rule: Rule, subject: str, note: str, *, required: bool) -> RuleRow:
    """A rule about a service or step that the recording was made without.

    It is shown, and keeps no verdict open unless the profile requires just this one, or it is of a
    name that only a shop knows: then it may be misspelt.
    """
    measured = replace(_nothing(rule, subject), note=note)
    because = f"{NO_DATA}: {measured.note}"
    inconclusive, kind = Outcome.INCONCLUSIVE, rule.metric.kind
    return RuleRow(str(rule), subject, measured, inconclusive, because, required, kind, required)


def _nothing(rule: Rule, subject: str) -> Measurement:
    return Measurement(subject, rule.metric.name, nan, rule.metric.unit, 0)


def _breach(row: RuleRow) -> Breach:
    measured = row.measurement
    inside = "" if row.subject == measured.subject else f"/{measured.subject}"
    return Breach(
        rule=row.rule,
        subject=f"{row.subject}{inside}",
        metric=measured.metric,
        actual=measured.value,
        required=row.rule.removeprefix(measured.metric).strip(),
        unit=measured.unit,
        because=row.because,
        at_least=measured.at_least,
    )


def _open(rows: Sequence[RuleRow]) -> Iterator[str]:
    """Rules that had to be decided and were not, those of one subject for one reason together."""
    together: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        if row.outcome is Outcome.INCONCLUSIVE and row.required:
            together.setdefault((row.measurement.subject, row.because), {})[row.rule] = None
    for (subject, because), rules in together.items():
        yield f"{subject} {', '.join(rules)}: {because}"


def _unsure(case: Case, thresholds: Thresholds, rows: tuple[RuleRow, ...]) -> Iterator[str]:
    evidence = case.evidence
    yield from _open(rows)
    if rows and all(row.outcome is Outcome.INCONCLUSIVE for row in rows):
        yield "no rule could be decided"
    for name in evidence.manifest.profile.judge.required:
        subject, _, kind = name.rpartition(".")
        if subject and not any((row.subject, row.kind) == (subject, kind) for row in rows):
            yield f"{name} must be decided, and {thresholds.source} has no rule for it"
    if evidence.events_named(LEDGER_LEFT) and case.orders is None:
        yield "the shop's orders could not be copied into the run"
    yield from doubts(evidence)


def doubts(evidence: Evidence) -> Iterator[str]:
    """Why a recording, though evidence, may lack what would have broken a rule: whatever is asked
    of it, it is no PASS.
    """
    yield from filter(None, (kept_from_users(evidence), never_told(evidence), raised(evidence)))
    if evidence.manifest.ended == "interrupted" or _is_short(evidence):
        done, planned = evidence.measured_s, evidence.manifest.profile.measured_s
        yield (
            f"stopped early: {format_duration(round(done))} of {format_duration(planned)} measured"
        )


def _is_short(evidence: Evidence) -> bool:
    """Whether a run that was completed measured less than its plan has: a phase never began."""
    manifest = evidence.manifest
    if manifest.ended != "completed" or manifest.source != "loadgate" or manifest.search:
        return False
    return evidence.measured_s < (1 - _LESS) * manifest.profile.measured_s - EDGE_S


def _measurements(case: Case, rows: tuple[RuleRow, ...]) -> tuple[Measurement, ...]:
    latency = (s.measure(metric) for s in case.samples.values() for metric in _SHOWN)
    database = (
        m for metric in METRICS.values() if metric.kind == "database" and metric.recorded(case)
        for m in metric.measure(case, ORDERS_DB)
    )  # fmt: skip
    segments = (m for memory in case.memory.values() for m in memory.segments())
    ruled = (row.measurement for row in rows)
    first: dict[tuple[str, str], Measurement] = {}
    for measured in chain(latency, ruled, database, segments, _from_send(case.evidence)):
        first.setdefault((measured.subject, measured.metric), measured)
    return tuple(first.values())


def _from_send(evidence: Evidence) -> Iterator[Measurement]:
    """In the open model also what a closed one would have seen: latency from the send."""
    if judged_kind(evidence) == LATENCY:
        return
    for sample in samples(evidence, LATENCY).values():
        for metric in ("p50", "p95", "p99"):
            measured = sample.measure(metric)
            yield replace(measured, metric=f"{metric}_from_send")


def _headlines(found: tuple[Cause, ...], breaches: tuple[Breach, ...]) -> tuple[str, ...]:
    """What broke the rules, each cause once, and what stands alone."""
    alone = (str(replace(group[0], because="")) for group in unfiled(breaches, found))
    return (*(cause.name for cause in found), *alone)


def _first_of(broken: tuple[str, ...]) -> str:
    """What broke first, and what else did."""
    if len(broken) == 2:
        return f"{broken[0]}; also {broken[1]}"
    return broken[0] + and_more(len(broken), "problem")


def _decided(
    broken: tuple[str, ...],
    invalid: tuple[str, ...],
    unsure: tuple[str, ...],
    rows: tuple[RuleRow, ...],
) -> tuple[Outcome, str]:
    """The outcome, and why in one line."""
    if invalid:
        text = f"This run is not evidence: {invalid[0]}" + and_more(len(invalid), "reason")
        return Outcome.INVALID, text
    if broken:
        return Outcome.FAIL, _first_of(broken)
    if unsure:
        return Outcome.INCONCLUSIVE, f"Cannot tell: {unsure[0]}" + and_more(len(unsure), "reason")
    decided = f"All {sum(row.outcome is Outcome.PASS for row in rows)} decided rules hold"
    kinds = Counter(row.kind for row in rows if row.outcome is Outcome.INCONCLUSIVE)
    listed = ", ".join(f"{n} × {kind}" for kind, n in kinds.items())
    left = f"not decided, nor required: {listed}" if kinds else ""
    if not is_about_shipping(rows):
        return Outcome.PASS, f"It works. This is no verdict on shipping: {left}. {decided}"
    return Outcome.PASS, decided + (f"; {left}" if left else "")


def _story(evidence: Evidence) -> dict[str, object]:
    """How long each phase is in the run and in what it tells, s; nothing where it tells nothing."""
    if evidence.story is None:
        return {}
    phases = evidence.manifest.profile.load.phases
    told = [{"phase": p.name, "run_s": p.duration, "story_s": p.tells} for p in phases]
    return {"story": told}


def _connections(evidence: Evidence) -> dict[str, object]:
    """What the load counted of them; nothing where the recording does not say."""
    found = [{"of": subjects, **asdict(of)} for subjects, of in traffic(evidence).items()]
    return {"connections": found} if found else {}


def _context(evidence: Evidence, found: dict[str, Sample]) -> dict[str, object]:
    manifest = evidence.manifest
    total = sum(i.histogram.n for i in of_requests(evidence.log.intervals))
    return {
        "started_utc": manifest.started_utc,
        "seed": manifest.seed,
        "ended": manifest.ended,
        "git": manifest.git,
        "host": {k: manifest.host.get(k) for k in ("cpu", "cores", "memory_bytes", "system")},
        "overrides": manifest.overrides,
        "peak_users": manifest.profile.load.peak_users or None,
        "measured_s": evidence.measured_s,
        "requests_measured": found[JOURNEY].n,
        "requests_excluded": total - found[JOURNEY].n,
        "rate_per_s": found[JOURNEY].n / evidence.measured_s if evidence.measured_s else 0.0,
        "outcomes": {name: sample.outcomes for name, sample in found.items()},
        **_story(evidence),
        **_connections(evidence),
        **({"labels": dict(manifest.labels)} if manifest.labels else {}),
    }
