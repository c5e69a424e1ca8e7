"""The judge of a paired run: base and head in turn, and is head worse?

Pure: the same recording and thresholds give the same bytes of verdict.json. INVALID outranks
FAIL, because breaches of a run that is no evidence may be the bench's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from analysis.evidence.distance import distance_in_words
from analysis.evidence.orders import OrdersOf, Reconciliation, orders_of_arms
from analysis.evidence.processes import restarts_in_words, services_that_restarted
from analysis.evidence.requests import Sample
from analysis.evidence.run import Evidence
from analysis.evidence.stalls import stalls_in_words
from analysis.evidence.traffic import traffic_in_words
from analysis.limits.regression import GateSettings
from analysis.limits.thresholds import Thresholds
from analysis.paired.breaches import (
    breach_of_cost,
    breach_of_row,
    breaches_of_dead_slots,
    breaches_of_orders,
    breaches_of_restarts,
    faster,
    percent,
    slower_within_tolerance,
)
from analysis.paired.correlation import WHAT_SAME_DRAWS_MEAN, remarks, same_draws
from analysis.paired.cost_rows import CostRow
from analysis.paired.diagnosis import diagnose
from analysis.paired.look import Look, deciding_look
from analysis.paired.rounds import Rounds
from analysis.paired.validity import check_run
from analysis.regression.latency import LatencyRow
from analysis.words.units import and_more
from analysis.words.values import Breach, Measurement, Outcome, Verdict
from recording.events import LOOK_FAILED
from recording.profile import JOURNEY
from recording.slots import BASE, HEAD, Arm


@dataclass(frozen=True, slots=True)
class GateReport(Verdict):
    """The verdict on a paired run. Its rules are the rows; ``rows`` of a plain run stay empty."""

    VERB: ClassVar[str] = "gate"

    gate_rows: tuple[LatencyRow, ...] = ()
    costs: tuple[CostRow, ...] = ()

    def table(self) -> dict[str, Any]:
        """What verdict.json holds."""
        # Not super(): a dataclass with slots is made twice, and super() finds the first.
        table = Verdict.table(self)
        del table["rules"]
        rows = [row.table() | {"head_ms": row.head} for row in self.gate_rows]
        return table | {"rows": rows, "costs": [row.table() for row in self.costs]}


def judge_paired(evidence: Evidence, thresholds: Thresholds) -> GateReport:
    """The verdict on the recording of a paired run; a spoilt one is INVALID."""
    return _Case(evidence, thresholds.gate).report()


@dataclass(frozen=True)
class _Case:
    """One paired run before the judge: what is measured once and said in several places."""

    evidence: Evidence
    settings: GateSettings

    @cached_property
    def recorded(self) -> Rounds:
        """Completed rounds, judged or not."""
        return Rounds.recorded(self.evidence)

    @cached_property
    def look(self) -> Look:
        """The look that decides; before the first one, what can at least be checked."""
        return deciding_look(self.recorded, self.settings, self._reconciled)

    @property
    def rounds(self) -> Rounds:
        """Rounds that are judged."""
        return self.look.rounds

    @property
    def rows(self) -> tuple[LatencyRow, ...]:
        """Of the look that decides."""
        return self.look.result.rows

    @cached_property
    def samples(self) -> dict[Arm, dict[str, Sample]]:
        """What was counted of each arm."""
        return self.rounds.samples if self.rounds.count else {}

    def report(self) -> GateReport:
        checks = check_run(self.rounds)
        invalid = tuple(str(check) for check in checks if not check.ok)
        breached = Outcome.FAIL if self.breaches else self.look.verdict
        outcome = Outcome.INVALID if invalid else breached
        unsure = tuple(self._unsure()) if outcome is Outcome.INCONCLUSIVE else ()
        manifest = self.evidence.manifest
        said = self._summary(outcome, invalid, unsure)
        common = same_draws(manifest.paired)
        return GateReport(
            run_id=manifest.run_id,
            profile=manifest.profile.name,
            verdict=outcome,
            summary=f"{said} ({common}: {WHAT_SAME_DRAWS_MEAN})" if common else said,
            breaches=self.breaches,
            measurements=tuple(self._measurements()),
            checks=checks,
            invalid_reasons=invalid,
            inconclusive_reasons=unsure,
            findings=tuple(self._findings()),
            context=self._context(),
            gate_rows=self.rows,
            costs=self.look.costs,
        )

    def _summary(self, outcome: Outcome, invalid: Sequence[str], unsure: Sequence[str]) -> str:
        """One line: the verdict's strongest reason; how far it looked, for a PASS."""
        if outcome is Outcome.INVALID:
            return f"This run is not evidence: {invalid[0]}" + and_more(len(invalid), "reason")
        if outcome is Outcome.FAIL:
            first, *others = self.breaches
            if len(others) == 1:
                return f"{first}; also {others[0].subject} {others[0].metric} {others[0].shown}"
            return f"{first}" + and_more(len(self.breaches), "row")
        if outcome is Outcome.INCONCLUSIVE:
            return f"Cannot tell: {unsure[0]}" + and_more(len(unsure), "reason")
        highest = max((row.ci_high for row in self.rows), default=1.0)
        return (
            f"No row is slower by what matters after {self.rounds.count} of {self._planned} rounds:"
            f" all {len(self.rows)} decided, no 95 % interval reaches above {percent(highest)}"
        )

    @property
    def _planned(self) -> int:
        """Rounds of the last look; 0 where no gate was planned."""
        gate = self.evidence.manifest.profile.gate
        return gate.looks[-1] if gate else 0

    def _failing(self) -> list[LatencyRow]:
        return [row for row in self.rows if row.verdict is Outcome.FAIL]

    @cached_property
    def _reconciled(self) -> OrdersOf:
        return orders_of_arms(self.evidence)

    @property
    def orders(self) -> dict[Arm, Reconciliation]:
        """Each arm's orders, of both sides; absent where there is nothing to say of them."""
        found = self._reconciled.items()
        return {arm: o for arm, o in found if o and (o.confirmed or o.in_ledger or o.any_wrong)}

    @cached_property
    def breaches(self) -> tuple[Breach, ...]:
        """What head did worse than base."""
        return (
            *(breach_of_row(row, self.settings.latency) for row in self._failing()),
            *map(breach_of_cost, self.look.failed_costs),
            *(breaches_of_dead_slots(self.rounds) if self.look.number else ()),
            *breaches_of_orders(self._reconciled[BASE], self._reconciled[HEAD]),
            *breaches_of_restarts(self.evidence),
        )

    def _unsure(self) -> Iterator[str]:
        """Why it cannot tell; nothing where the look decided."""
        look, gate, done = self.look, self.evidence.manifest.profile.gate, self.recorded.count
        if done < self._planned or not gate:
            due = f"; the first verdict is due after {gate.looks[0]}" if gate else ""
            yield f"stopped after {done} of {self._planned} rounds{'' if look.number else due}"
        yield from look.against_pass
        unknown = [row for row in self.rows if row.verdict is Outcome.INCONCLUSIVE]
        yield from (f"{row.subject} {row.metric}: {row.because}" for row in unknown)

    def _findings(self) -> Iterator[str]:
        for row in self._to_explain():
            sentences = diagnose(self.rounds, row.subject, row.metric)
            yield from (f"{row.subject} {row.metric}: {sentence}" for sentence in sentences)
        yield from faster(self.rows, self.settings.latency)
        yield from slower_within_tolerance(self.rows)
        if self.breaches:
            yield from self.look.against_pass
        lacked = self.rounds.not_compared.items()
        yield from (f"{step}: not compared: {why}" for step, why in lacked)
        for arm, orders in self.orders.items():
            yield from (f"{arm}: {sentence}" for sentence in orders.in_words())
        for subject in services_that_restarted(self.evidence):
            yield f"{subject} {restarts_in_words(self.evidence, subject)}"
        yield from stalls_in_words(self.evidence)
        yield from distance_in_words(self.evidence)
        yield from traffic_in_words(self.evidence)
        yield from self.evidence.remarks()
        yield from remarks(self.look.correlation, self.evidence.manifest.paired)
        if paired := self.evidence.manifest.paired:
            for arm, facts in ((BASE, paired.base), (HEAD, paired.head)):
                yield from (f"{arm}: {note}" for note in facts.notes)
            if paired.base.is_same_code_as(paired.head):
                yield "base and head are the same revision, unchanged: this compares equal arms"
        for failed in self.evidence.events_named(LOOK_FAILED):
            yield f"an early look could not be judged: {failed.get('error')}"

    def _to_explain(self) -> list[LatencyRow]:
        """The clearest failing row of each endpoint; the journey only where no step fails."""
        clearest: dict[str, LatencyRow] = {}
        for row in sorted(self._failing(), key=lambda row: row.p_value or 0.0):
            clearest.setdefault(row.subject, row)
        if len(clearest) > 1:
            clearest.pop(JOURNEY, None)
        return list(clearest.values())

    def _measurements(self) -> Iterator[Measurement]:
        for arm, samples in self.samples.items():
            for sample in samples.values():
                for metric in dict.fromkeys(
                    ("p50", "p90", *self.settings.latency.metrics, "error_rate")
                ):
                    yield replace(sample.measure(metric), subject=f"{sample.subject}@{arm}")

    def _context(self) -> dict[str, Any]:
        """What was judged, in rounds and requests, and who was compared with whom."""
        manifest, rounds, result = self.evidence.manifest, self.rounds, self.look.result
        paired, correlation = manifest.paired, self.look.correlation
        start_s, end_s = rounds.span_s
        counted = {arm: found[JOURNEY].n for arm, found in self.samples.items()}
        lacked = rounds.not_compared
        return {
            "started_utc": manifest.started_utc,
            "ended": manifest.ended,
            "duration_s": self.evidence.end_s,
            "judged_s": end_s - start_s,
            "rounds": rounds.count,
            "rounds_planned": self._planned,
            "rounds_recorded": self.recorded.count,
            "look": self.look.number,
            "alpha_spent": result.alpha_spent,
            "requests_counted": sum(counted.values()),
            "counted": counted,
            "requests_excluded": sum(rounds.excluded.values()),
            "excluded": rounds.excluded,
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
            "more_rounds_needed": result.more_rounds_needed,
            "more_requests_needed": result.more_requests_needed,
            **({"not_compared": lacked} if lacked else {}),
            **({"labels": dict(manifest.labels)} if manifest.labels else {}),
        }
