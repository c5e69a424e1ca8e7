"""The judge: a recording and the limits in, a verdict out. Pure: same bytes, same verdict."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from analysis.evidence.begun import never_told
from analysis.evidence.coverage import memory_unsaid
from analysis.evidence.net import last_net
from analysis.evidence.orders import reconcile
from analysis.evidence.processes import restart_measurement
from analysis.evidence.requests import Sample, judged_kind, samples
from analysis.evidence.resources import pool_measurement, pools_of, server_errors
from analysis.evidence.run import Evidence, load_evidence
from analysis.evidence.stalls import stalls_in_words
from analysis.limits.rules import Rule
from analysis.limits.thresholds import Thresholds
from analysis.metrics.memory import memory_measurement, memory_of
from analysis.paired.judge import judge_paired
from analysis.single import causes
from analysis.single.checks import checks, unsampled, unwell
from analysis.single.decide import decide
from analysis.single.delivery import kept_from_users
from analysis.words.units import and_more
from analysis.words.values import (
    Breach,
    Check,
    Measurement,
    Outcome,
    RuleRow,
    Verdict,
    is_about_shipping,
)
from recording.durations import format_duration
from recording.errors import ManifestError, SpoiltError
from recording.flow import SERVICE_STEPS
from recording.hlog import LATENCY, of_requests
from recording.rundir import RunDir

SAMPLED_KINDS = ("pool", "memory", "process")
"""What rules of these kinds look at comes from a service's own metrics."""
_SHOWN = ("p50", "p95", "p99", "mean", "max", "error_rate")


def judge(run: RunDir, thresholds: Thresholds) -> Verdict:
    """The verdict on a run directory, paired or not; a spoilt one is INVALID, no exception.

    Raises ConfigError when the thresholds' ``[regression]`` fits no test.
    """
    try:
        with last_net(run):
            evidence = load_evidence(run)
            if evidence.manifest.paired is not None:
                return judge_paired(evidence, thresholds)
            return judge_evidence(evidence, thresholds)
    except ManifestError as error:
        said = str(error).removeprefix(f"{run.manifest}: ")
        return _no_evidence(run, f"manifest.json is unreadable: {said}")
    except SpoiltError as error:
        return _no_evidence(run, str(error))


def _no_evidence(run: RunDir, reason: str) -> Verdict:
    return Verdict(run.root.name, "?", Outcome.INVALID, reason, invalid_reasons=(reason,))


def judge_evidence(evidence: Evidence, thresholds: Thresholds) -> Verdict:
    """The verdict on a recording."""
    return _Case(evidence, thresholds).verdict()


class _Case:
    """One recording before the judge: what is measured once and used by several rules."""

    def __init__(self, evidence: Evidence, thresholds: Thresholds) -> None:
        self.evidence = evidence
        self.thresholds = thresholds
        self.samples = samples(evidence, judged_kind(evidence))
        self.pools = {subject: pools_of(evidence, subject) for subject in SERVICE_STEPS}
        self.memory = {subject: memory_of(evidence, subject) for subject in SERVICE_STEPS}
        self.orders = reconcile(evidence)
        self.unsampled = unsampled(evidence, unwell(self.samples))

    def verdict(self) -> Verdict:
        run_checks = checks(self.evidence, self.samples)
        rows = tuple(self._rows())
        breaches = tuple(self._breach(row) for row in rows if row.outcome is Outcome.FAIL)
        invalid = tuple(str(check) for check in run_checks if not check.ok)
        unsure = tuple(self._unsure(rows))
        outcome = _overall(bool(invalid), bool(breaches), bool(unsure), bool(rows))
        if outcome is Outcome.INVALID and not invalid:
            invalid = ("no rule of thresholds.toml applies to this run",)
        return Verdict(
            run_id=self.evidence.manifest.run_id,
            profile=self.evidence.manifest.profile.name,
            verdict=outcome,
            summary=_summary(outcome, breaches, invalid, unsure, rows),
            breaches=breaches,
            rows=rows,
            measurements=tuple(self._measurements(rows)),
            checks=tuple(run_checks),
            invalid_reasons=invalid,
            inconclusive_reasons=unsure,
            findings=tuple(self._findings(run_checks)),
            context=_context(self.evidence, self.samples),
        )

    def _rows(self) -> Iterator[RuleRow]:
        for subject, rule in self.thresholds:
            for measured in self._measure(subject, rule):
                yield self._apply(rule, subject, measured)

    def _measure(self, subject: str, rule: Rule) -> Iterator[Measurement]:
        """What a rule looks at; a latency or error rule of a service looks at each of its steps."""
        if rule.kind == "pool":
            yield pool_measurement(self.pools[subject], subject, rule.metric, self.evidence)
        elif rule.kind == "memory":
            yield memory_measurement(self.memory[subject], self.evidence, subject, rule.metric)
        elif rule.kind == "process":
            yield restart_measurement(self.evidence, subject)
        elif rule.kind == "orders":
            yield self._order_measurement(rule.metric)
        elif subject in SERVICE_STEPS:
            yield from self._service_measurements(subject, rule)
        else:
            yield self._of_step(subject, rule.metric)

    def _order_measurement(self, metric: str) -> Measurement:
        if self.orders is None:
            note = "no ledger of the shop's orders"
            return Measurement("orders", metric, float("nan"), "", 0, phase="run", note=note)
        return next(m for m in self.orders.measurements() if m.metric == metric)

    def _service_measurements(self, subject: str, rule: Rule) -> Iterator[Measurement]:
        steps = SERVICE_STEPS[subject]
        if not steps and rule.kind == "errors":
            yield server_errors(self.evidence, subject, rule.metric)
        elif not steps:
            note = "users never call it"
            yield Measurement(subject, rule.metric, float("nan"), rule.unit, 0, note=note)
        for step in steps:
            yield self._of_step(step, rule.metric)

    def _of_step(self, step: str, metric: str) -> Measurement:
        sample = self.samples.get(step)
        if sample is None:
            return Measurement(step, metric, float("nan"), "", 0)
        return sample.measure(metric)

    def _apply(self, rule: Rule, subject: str, measured: Measurement) -> RuleRow:
        required = self.evidence.manifest.profile.judge.requires(subject, rule.kind)
        outcome, because = self._outcome(rule, subject, measured)
        if outcome is Outcome.FAIL:
            because = causes.because(self, rule, subject, measured)
        return RuleRow(str(rule), subject, measured, outcome, because, required, rule.kind)

    def _outcome(self, rule: Rule, subject: str, measured: Measurement) -> tuple[Outcome, str]:
        if rule.kind == "memory" and rule.metric in ("slope", "time_to_limit"):
            outcome, because = self.memory[subject].outcome(rule)
        else:
            behind = self.samples.get(measured.subject)
            outcome, because = decide(rule, measured, self.evidence.measured_s, behind)
        if outcome is Outcome.PASS and (gap := self._gap(rule, subject)):
            return Outcome.INCONCLUSIVE, f"no data: {gap}"
        return outcome, because

    def _gap(self, rule: Rule, subject: str) -> str:
        """What a service left out of what the rule looks at; "" where it said enough."""
        if rule.kind in SAMPLED_KINDS and subject in self.unsampled:
            return self.unsampled[subject]
        return memory_unsaid(self.evidence, subject, rule.metric) if rule.kind == "memory" else ""

    def _breach(self, row: RuleRow) -> Breach:
        measured = row.measurement
        where = (
            row.subject if row.subject == measured.subject else f"{row.subject}/{measured.subject}"
        )
        return Breach(
            rule=row.rule,
            subject=where,
            metric=measured.metric,
            actual=measured.value,
            required=row.rule.removeprefix(measured.metric).strip(),
            unit=measured.unit,
            severity="breach",
            because=row.because,
            at_least=measured.at_least,
        )

    def _unsure(self, rows: tuple[RuleRow, ...]) -> Iterator[str]:
        for row in rows:
            if row.outcome is Outcome.INCONCLUSIVE and row.required:
                yield f"{row.measurement.subject} {row.rule}: {row.because}"
        if rows and all(row.outcome is Outcome.INCONCLUSIVE for row in rows):
            yield "no rule could be decided"
        for name in self.evidence.manifest.profile.judge.required:
            subject, _, kind = name.rpartition(".")
            if subject and not any((row.subject, row.kind) == (subject, kind) for row in rows):
                yield f"{name} must be decided, and {self.thresholds.source} has no rule for it"
        if held := kept_from_users(self.evidence):
            yield held
        if untold := never_told(self.evidence):
            yield untold
        manifest = self.evidence.manifest
        if manifest.ended == "interrupted":
            done, planned = self.evidence.measured_s, manifest.profile.measured_s
            yield (
                f"stopped early: {format_duration(round(done))} of "
                f"{format_duration(planned)} measured"
            )

    def _measurements(self, rows: tuple[RuleRow, ...]) -> Iterator[Measurement]:
        latency = (s.measure(metric) for s in self.samples.values() for metric in _SHOWN)
        seen: set[tuple[str, str]] = set()
        sent = self._from_send()
        segments = (m for memory in self.memory.values() for m in memory.segments())
        for measured in chain(latency, (row.measurement for row in rows), segments, sent):
            key = (measured.subject, measured.metric)
            if key not in seen:
                seen.add(key)
                yield measured

    def _from_send(self) -> Iterator[Measurement]:
        """In the open model also what a closed one would have seen: latency from the send."""
        if judged_kind(self.evidence) == LATENCY:
            return
        for sample in samples(self.evidence, LATENCY).values():
            for metric in ("p50", "p95", "p99"):
                measured = sample.measure(metric)
                yield replace(measured, metric=f"{metric}_from_send")

    def _findings(self, run_checks: list[Check]) -> Iterator[str]:
        yield from causes.findings(self)
        for subject, few in self.unsampled.items():
            yield f"{subject} did not give its metrics while its requests failed: {few}"
        yield from stalls_in_words(self.evidence)
        yield from self.evidence.remarks()


def _overall(invalid: bool, breached: bool, unsure: bool, judged: bool) -> Outcome:
    if invalid or not judged:
        return Outcome.INVALID
    if breached:
        return Outcome.FAIL
    return Outcome.INCONCLUSIVE if unsure else Outcome.PASS


def _summary(
    outcome: Outcome,
    breaches: tuple[Breach, ...],
    invalid: tuple[str, ...],
    unsure: tuple[str, ...],
    rows: tuple[RuleRow, ...],
) -> str:
    if outcome is Outcome.INVALID:
        return f"This run is not evidence: {invalid[0]}" + and_more(len(invalid))
    if outcome is Outcome.FAIL:
        worst = breaches[0]
        return (
            f"{worst.subject}: {worst.metric} is {worst.shown}, "
            f"required {worst.required}" + and_more(len(breaches))
        )
    if outcome is Outcome.INCONCLUSIVE:
        return f"Cannot tell: {unsure[0]}" + and_more(len(unsure))
    decided = f"All {sum(row.outcome is Outcome.PASS for row in rows)} decided rules hold"
    undecided = [row for row in rows if row.outcome is Outcome.INCONCLUSIVE]
    left = f"not decided, nor required: {_listed(undecided)}" if undecided else ""
    if not is_about_shipping(rows):
        return f"It works. This is no verdict on shipping: {left}. {decided}"
    return decided + (f"; {left}" if left else "")


def _listed(rows: list[RuleRow]) -> str:
    """``3 × errors, 2 × memory``."""
    kinds = Counter(row.kind for row in rows)
    return ", ".join(f"{n} × {kind}" for kind, n in kinds.items())


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
        "peak_users": manifest.profile.load.peak_users,
        "measured_s": evidence.measured_s,
        "requests_measured": found["journey"].n,
        "requests_excluded": total - found["journey"].n,
        "rate_per_s": found["journey"].n / evidence.measured_s if evidence.measured_s else 0.0,
        "outcomes": {name: sample.outcomes for name, sample in found.items()},
    }
