"""What the gate judges and explains beside latency; the one place where it is joined.

Until costs and diagnosis are merged both are empty: the gate then judges latency alone.
"""

from analysis.evidence import Evidence
from analysis.gate_values import CostRow
from analysis.looks import LookPlan
from recording.slots import Slots


def cost_rows(evidence: Evidence, slots: Slots, rounds: int, plan: LookPlan) -> tuple[CostRow, ...]:
    """Errors, pool high-water, memory slope and CPU per request of the first `rounds` rounds."""
    return ()


def diagnose(
    evidence: Evidence, slots: Slots, rounds: int, endpoint: str, metric: str
) -> tuple[str, ...]:
    """Sentences on what moved in a failing endpoint, since when, and where the time went."""
    return ()
