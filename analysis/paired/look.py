"""The looks of a gate, replayed in their declared order; the first that decides counts."""

from collections.abc import Iterator

from analysis.evidence.run import Evidence
from analysis.paired.against_pass import against_pass
from analysis.paired.correlation import arms_correlation
from analysis.paired.costs import cost_rows
from analysis.paired.counting import arm_samples, completed_rounds, gate_data
from analysis.paired.settings import GateSettings
from analysis.paired.values import Look
from analysis.regression.data import GateVerdict
from analysis.regression.judge import judge
from analysis.statistics.looks import LookPlan
from recording.slots import ARMS, Slots


def plan_of(evidence: Evidence, slots: Slots) -> LookPlan | None:
    """The declared looks; None where the recorded order cannot carry them.

    Each stretch between looks must load head first in half of its rounds.
    """
    gate = evidence.manifest.profile.gate
    if gate is None or len(slots.head_first) != gate.looks[-1]:
        return None
    plan, start = LookPlan(gate.looks), 0
    for stretch in plan.stretches():
        if 2 * sum(slots.head_first[start : start + stretch]) != stretch:
            return None
        start += stretch
    return plan


def deciding_look(
    evidence: Evidence, settings: GateSettings, upto_rounds: int | None = None
) -> Look | None:
    """The first look that decides, else the last that was reached; None when none was.

    `upto_rounds` leaves out later looks.
    """
    last = None
    for last in _looks(evidence, settings, upto_rounds):
        if last.verdict is not GateVerdict.INCONCLUSIVE:
            break
    return last


def _looks(evidence: Evidence, settings: GateSettings, upto_rounds: int | None) -> Iterator[Look]:
    slots = evidence.slots
    plan = plan_of(evidence, slots) if slots else None
    if slots is None or plan is None:
        return
    done = completed_rounds(evidence, slots)
    done = done if upto_rounds is None else min(done, upto_rounds)
    for number, rounds in enumerate(plan.rounds, start=1):
        data = gate_data(evidence, slots, rounds, settings.control) if rounds <= done else None
        if data is not None:
            samples = {arm: arm_samples(evidence, slots, rounds, arm) for arm in ARMS}
            points = settings.costs.error_rate
            yield Look(
                number,
                judge(data, settings.latency, plan),
                cost_rows(evidence, slots, rounds, plan, settings.costs),
                tuple(against_pass(evidence, slots, rounds, samples, settings.control, points)),
                arms_correlation(data),
            )
