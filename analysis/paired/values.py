"""What the gate answers: a verdict like any other run's, with rows that compare two arms."""

from dataclasses import asdict, dataclass
from typing import Any

from analysis.paired.correlation import NOT_MEASURED, Correlation
from analysis.paired.cost_rows import CostRow
from analysis.regression.data import GateResult, GateRow, GateVerdict
from analysis.words.values import Verdict


@dataclass(frozen=True, slots=True)
class Look:
    """What one declared look says. ``number`` counts from 1.

    ``against_pass`` says why head was not measured as base was; it can FAIL, but not PASS.
    """

    number: int
    result: GateResult
    costs: tuple[CostRow, ...] = ()
    against_pass: tuple[str, ...] = ()
    correlation: Correlation = NOT_MEASURED

    @property
    def rounds(self) -> int:
        """Rounds it was judged on."""
        return self.result.rounds

    @property
    def failed_costs(self) -> tuple[CostRow, ...]:
        """Cost rows that got worse. One that cannot tell spoils nothing."""
        return tuple(c for c in self.costs if c.judged and c.verdict is GateVerdict.FAIL)

    @property
    def verdict(self) -> GateVerdict:
        """Of latency and costs together."""
        if self.failed_costs:
            return GateVerdict.FAIL
        if self.against_pass and self.result.verdict is GateVerdict.PASS:
            return GateVerdict.INCONCLUSIVE
        return self.result.verdict


@dataclass(frozen=True, slots=True)
class ArmRow:
    """A row of the latency table: the comparison, and head's own percentile beside base's."""

    row: GateRow
    head_ms: float | None = None

    def table(self) -> dict[str, Any]:
        """As in verdict.json."""
        return asdict(self.row) | {"head_ms": self.head_ms}


@dataclass(frozen=True, slots=True)
class GateReport(Verdict):
    """The verdict on a paired run. Its rules are the rows; ``rows`` of a plain run stay empty."""

    gate_rows: tuple[ArmRow, ...] = ()
    costs: tuple[CostRow, ...] = ()

    def table(self) -> dict[str, Any]:
        """What verdict.json holds."""
        # Not super(): a dataclass with slots is made twice, and super() finds the first.
        table = Verdict.table(self)
        del table["rules"]
        rows = [row.table() for row in self.gate_rows]
        return table | {"rows": rows, "costs": [asdict(row) for row in self.costs]}
