"""What the gate answers: a verdict like any other run's, with rows that compare two arms."""

from dataclasses import dataclass
from typing import Any

from analysis.paired.correlation import NOT_MEASURED, Correlation
from analysis.paired.cost_rows import CostRow
from analysis.paired.rounds import Rounds
from analysis.regression.judge import NOT_JUDGED, GateResult
from analysis.regression.latency import LatencyRow
from analysis.words.values import Outcome, Verdict


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


@dataclass(frozen=True, slots=True)
class GateReport(Verdict):
    """The verdict on a paired run. Its rules are the rows; ``rows`` of a plain run stay empty."""

    gate_rows: tuple[LatencyRow, ...] = ()
    costs: tuple[CostRow, ...] = ()

    def table(self) -> dict[str, Any]:
        """What verdict.json holds."""
        # Not super(): a dataclass with slots is made twice, and super() finds the first.
        table = Verdict.table(self)
        del table["rules"]
        rows = [row.table() | {"head_ms": row.head} for row in self.gate_rows]
        return table | {"rows": rows, "costs": [row.table() for row in self.costs]}
