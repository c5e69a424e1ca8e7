"""The looks of a gate, replayed in their declared order; the first that decides counts."""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.evidence.orders import OrdersOf, orders_of_arms
from analysis.evidence.run import load_evidence
from analysis.limits.regression import GateSettings
from analysis.limits.thresholds import Thresholds
from analysis.paired.against_pass import against_pass
from analysis.paired.correlation import NOT_MEASURED, Correlation, arms_correlation
from analysis.paired.cost_rows import CostRow
from analysis.paired.costs import cost_rows
from analysis.paired.rounds import Rounds
from analysis.regression.judge import NOT_JUDGED, GateResult, judge
from analysis.words.values import Outcome
from recording.errors import ConfigError
from recording.rundir import RunDir


@dataclass(frozen=True, slots=True)
class Look:
    """What one declared look says. ``number`` counts from 1; None where none was reached.

    ``against_pass`` says why head was not measured as base was; it can FAIL, but not PASS.
    """

    number: int | None
    rounds: Rounds
    result: GateResult = NOT_JUDGED
    costs: tuple[CostRow, ...] = ()
    against_pass: tuple[str, ...] = ()
    correlation: Correlation = NOT_MEASURED

    @property
    def failed_costs(self) -> tuple[CostRow, ...]:
        """Cost rows that got worse. One that cannot tell spoils nothing."""
        return tuple(c for c in self.costs if c.verdict is Outcome.FAIL)

    @property
    def verdict(self) -> Outcome:
        """Of latency and costs together."""
        if self.failed_costs:
            return Outcome.FAIL
        if self.against_pass and self.result.verdict is Outcome.PASS:
            return Outcome.INCONCLUSIVE
        return self.result.verdict


def deciding_look(recorded: Rounds, settings: GateSettings, orders: OrdersOf) -> Look:
    """The first look at these rounds that decides, else the last one that was reached.

    Without any it is all of these rounds, judged by nothing.
    """
    last = Look(None, recorded)
    for last in _looks(recorded, settings, orders):
        if last.verdict is not Outcome.INCONCLUSIVE:
            break
    return last


def _looks(recorded: Rounds, settings: GateSettings, orders: OrdersOf) -> Iterator[Look]:
    if (plan := recorded.plan) is None:
        return
    control = recorded.evidence.services.all_named(settings.control)
    for number, count in enumerate(plan.rounds, start=1):
        rounds = recorded.first(count)
        data = rounds.data(control) if count <= recorded.count else None
        if data is not None:
            yield Look(
                number,
                rounds,
                judge(data, settings.latency, plan),
                cost_rows(rounds, plan, settings.costs, control),
                tuple(against_pass(rounds, control, settings, orders)),
                arms_correlation(data),
            )


def decided_early(thresholds: Thresholds, run: RunDir, upto: int) -> str:
    """What the looks up to so many rounds decide, such as ``FAIL after 24 rounds``, or "".

    It only ends a run that is still going: the verdict is that on the whole recording, where no
    request of these rounds is still in flight.
    """
    try:
        evidence = load_evidence(run)
    except ConfigError:  # no manifest, or a spoilt one; the judge will say so
        return ""
    recorded = Rounds.recorded(evidence)
    rounds = recorded.first(min(upto, recorded.count))
    look = deciding_look(rounds, thresholds.gate, orders_of_arms(evidence))
    decided = look.verdict is not Outcome.INCONCLUSIVE
    return f"{look.verdict} after {look.rounds.count} rounds" if decided else ""
