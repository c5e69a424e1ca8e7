"""The judge of a paired run: base and head in turn, and is head worse?

Pure: the same recording and thresholds give the same bytes of verdict.json. INVALID outranks
FAIL, because breaches of a run that is no evidence may be the bench's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analysis.evidence.orders import Reconciliation, reconcile
from analysis.evidence.processes import restarts_in_words, services_that_restarted
from analysis.evidence.requests import Sample
from analysis.evidence.run import Evidence
from analysis.evidence.stalls import stalls_in_words
from analysis.limits.thresholds import Thresholds
from analysis.paired.correlation import (
    NOT_MEASURED,
    WHAT_SAME_DRAWS_MEAN,
    Correlation,
    remarks,
    same_draws,
)
from analysis.paired.cost_rows import CostRow
from analysis.paired.counting import (
    JOURNEY,
    arm_samples,
    completed_rounds,
    excluded,
    judged_span_s,
)
from analysis.paired.dead_slots import breaches_of_dead_slots
from analysis.paired.diagnosis import diagnose
from analysis.paired.look import deciding_look
from analysis.paired.restarts import breaches_of_restarts
from analysis.paired.settings import GateSettings, gate_settings
from analysis.paired.validity import check_run
from analysis.paired.values import ArmRow, GateReport, Look
from analysis.paired.words import (
    breach_of_cost,
    breach_of_row,
    breaches_of_orders,
    faster,
    slower_within_tolerance,
    summary_of,
)
from analysis.regression.data import GateRow, GateVerdict
from analysis.words.values import Breach, Measurement, Outcome
from recording.slots import ARMS, BASE, HEAD, Arm, Slots


def judge_paired(evidence: Evidence, thresholds: Thresholds) -> GateReport:
    """The verdict on the recording of a paired run; a spoilt one is INVALID.

    Raises ConfigError when the thresholds' ``[regression]`` fits no test.
    """
    return _Case(evidence, gate_settings(thresholds)).report()


@dataclass(frozen=True)
class _Case:
    """One paired run before the judge: what is measured once and said in several places."""

    evidence: Evidence
    settings: GateSettings

    @cached_property
    def look(self) -> Look | None:
        """The look that decides."""
        return deciding_look(self.evidence, self.settings)

    @property
    def slots(self) -> Slots | None:
        return self.evidence.slots

    @cached_property
    def recorded(self) -> int:
        """Completed rounds, judged or not."""
        return completed_rounds(self.evidence, self.slots) if self.slots else 0

    @property
    def rounds(self) -> int:
        """Rounds that are judged; before the first look, those that can at least be checked."""
        return self.look.rounds if self.look else self.recorded

    @cached_property
    def samples(self) -> dict[Arm, dict[str, Sample]]:
        """What was counted of each arm."""
        if self.slots is None or not self.rounds:
            return {}
        return {arm: arm_samples(self.evidence, self.slots, self.rounds, arm) for arm in ARMS}

    def report(self) -> GateReport:
        checks = check_run(self.evidence, self.rounds)
        invalid = tuple(str(check) for check in checks if not check.ok)
        outcome = self._outcome(bool(invalid), bool(self.breaches))
        unsure = tuple(self._unsure()) if outcome is Outcome.INCONCLUSIVE else ()
        rows = self.look.result.rows if self.look else ()
        manifest = self.evidence.manifest
        return GateReport(
            run_id=manifest.run_id,
            profile=manifest.profile.name,
            verdict=outcome,
            summary=self._named(
                summary_of(outcome, rows, self.breaches, invalid, unsure, self._looked)
            ),
            breaches=self.breaches,
            measurements=tuple(self._measurements()),
            checks=checks,
            invalid_reasons=invalid,
            inconclusive_reasons=unsure,
            findings=tuple(self._findings()),
            context=self._context(),
            gate_rows=tuple(ArmRow(row, self._head_ms(row)) for row in rows),
            costs=self.look.costs if self.look else (),
        )

    @property
    def _planned(self) -> int:
        """Rounds of the last look; 0 where no gate was planned."""
        gate = self.evidence.manifest.profile.gate
        return gate.looks[-1] if gate else 0

    @property
    def _looked(self) -> str:
        """How far the verdict goes; later rounds may have been recorded, and were not judged."""
        return f"after {self.rounds} of {self._planned} rounds"

    def _named(self, summary: str) -> str:
        """The summary, and that both arms drew the same where they did."""
        common = same_draws(self.evidence.manifest.paired)
        return f"{summary} ({common}: {WHAT_SAME_DRAWS_MEAN})" if common else summary

    def _outcome(self, invalid: bool, breached: bool) -> Outcome:
        if invalid:
            return Outcome.INVALID
        if breached:
            return Outcome.FAIL
        return Outcome[self.look.verdict] if self.look else Outcome.INCONCLUSIVE

    def _failing(self) -> Iterator[GateRow]:
        rows = self.look.result.rows if self.look else ()
        yield from (row for row in rows if row.verdict is GateVerdict.FAIL)

    def _correlation(self) -> Correlation:
        return self.look.correlation if self.look else NOT_MEASURED

    def _failed_costs(self) -> tuple[CostRow, ...]:
        return self.look.failed_costs if self.look else ()

    @cached_property
    def orders(self) -> dict[Arm, Reconciliation]:
        """Each arm's orders, of both sides; absent where its services keep no ledger of ours."""
        found = {arm: reconcile(self.evidence, arm) for arm in ARMS}
        return {arm: o for arm, o in found.items() if o and (o.confirmed or o.in_ledger)}

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """What head did worse than base."""
        return tuple(self._breaches())

    def _breaches(self) -> Iterator[Breach]:
        yield from (breach_of_row(row, self.settings.latency) for row in self._failing())
        yield from map(breach_of_cost, self._failed_costs())
        if self.look and self.slots:
            yield from breaches_of_dead_slots(self.evidence, self.slots, self.rounds)
        yield from breaches_of_orders(self.orders.get(BASE), self.orders.get(HEAD))
        yield from breaches_of_restarts(self.evidence)

    def _unsure(self) -> Iterator[str]:
        """Why it cannot tell; nothing where the look decided."""
        look, manifest = self.look, self.evidence.manifest
        gate = manifest.profile.gate
        if self.recorded < self._planned or not gate:
            first = "" if look or not gate else f"; the first verdict is due after {gate.looks[0]}"
            yield f"stopped after {self.recorded} of {self._planned} rounds{first}"
        if look:
            yield from look.against_pass
            rows = look.result.rows
            unknown = [row for row in rows if row.verdict is GateVerdict.INCONCLUSIVE]
            yield from (f"{row.endpoint} {row.metric}: {row.because}" for row in unknown)

    def _findings(self) -> Iterator[str]:
        for row in self._to_explain():
            assert self.slots is not None  # a row comes from a look, and a look from slots
            sentences = diagnose(self.evidence, self.slots, self.rounds, row.endpoint, row.metric)
            yield from (f"{row.endpoint} {row.metric}: {sentence}" for sentence in sentences)
        if self.look:
            yield from faster(self.look.result.rows, self.settings.latency)
            yield from slower_within_tolerance(self.look.result)
            if self.breaches:
                yield from self.look.against_pass
        yield from (f"{arm}: {orders}" for arm, orders in self.orders.items())
        for subject in services_that_restarted(self.evidence):
            yield f"{subject} {restarts_in_words(self.evidence, subject)}"
        yield from stalls_in_words(self.evidence)
        yield from self.evidence.remarks()
        yield from self._notes()

    def _notes(self) -> Iterator[str]:
        """What must be known of the arms, and looks that could not be judged while it ran."""
        yield from remarks(self._correlation(), self.evidence.manifest.paired)
        if paired := self.evidence.manifest.paired:
            for arm, facts in ((BASE, paired.base), (HEAD, paired.head)):
                yield from (f"{arm}: {note}" for note in facts.notes)
            if paired.base.is_same_code_as(paired.head):
                yield "base and head are the same revision, unchanged: this compares equal arms"
        for row in self.evidence.events_named("look_failed"):
            yield f"an early look could not be judged: {row.get('error')}"

    def _to_explain(self) -> list[GateRow]:
        """The clearest failing row of each endpoint; the journey only where no step fails."""
        clearest: dict[str, GateRow] = {}
        for row in sorted(self._failing(), key=lambda row: row.p_value or 0.0):
            clearest.setdefault(row.endpoint, row)
        if len(clearest) > 1:
            clearest.pop(JOURNEY, None)
        return list(clearest.values())

    def _head_ms(self, row: GateRow) -> float | None:
        if row.base_ms is None:
            return None  # not measured, and half a comparison says nothing
        sample = self.samples.get("head", {}).get(row.endpoint)
        return sample.measure(row.metric).value if sample and sample.n else None

    def _measurements(self) -> Iterator[Measurement]:
        for arm, samples in self.samples.items():
            for sample in samples.values():
                for metric in dict.fromkeys(("p50", *self.settings.latency.metrics, "error_rate")):
                    m = sample.measure(metric)
                    yield Measurement(
                        f"{m.subject}@{arm}", metric, m.value, m.unit, m.n, m.ci_low, m.ci_high
                    )

    def _context(self) -> dict[str, Any]:
        manifest, result = self.evidence.manifest, self.look.result if self.look else None
        paired = manifest.paired
        correlation = self._correlation()
        span_s = judged_span_s(self.slots, self.rounds) if self.slots else (0.0, 0.0)
        left_out = excluded(self.evidence, self.slots, self.rounds) if self.slots else {}
        counted = {arm: found[JOURNEY].n for arm, found in self.samples.items()}
        return {
            "started_utc": manifest.started_utc,
            "ended": manifest.ended,
            "duration_s": self.evidence.end_s,
            "judged_s": span_s[1] - span_s[0],
            "rounds": self.rounds,
            "rounds_planned": self._planned,
            "rounds_recorded": self.recorded,
            "look": self.look.number if self.look else None,
            "alpha_spent": result.alpha_spent if result else None,
            "requests_counted": sum(counted.values()),
            "counted": counted,
            "requests_excluded": sum(left_out.values()),
            "excluded": left_out,
            "base": paired.base.model_dump(mode="json") if paired else {},
            "head": paired.head.model_dump(mode="json") if paired else {},
            "seed": paired.seed if paired else None,
            "same_draws": paired.common_draws if paired else (),
            "arms_correlation": correlation.same_step,
            "arms_correlation_other_steps": correlation.other_steps,
            "control": self.settings.control,
            "git": manifest.git,
            "host": {k: manifest.host.get(k) for k in ("cpu", "cores", "memory_bytes", "system")},
            "overrides": manifest.overrides,
            "more_rounds_needed": result.more_rounds_needed if result else None,
            "more_requests_needed": result.more_requests_needed if result else None,
        }
