"""Is the largest load of head smaller than that of base?

The ratio's interval is made of those of both (MOVER: Zou and Donner, Statistics in Medicine 27,
2008), in the logarithm, in which they were fitted.
"""

from dataclasses import asdict, dataclass
from math import exp, hypot, inf, isfinite, log
from typing import Any

import orjson

from analysis.capacity.answer import Answer
from analysis.capacity.judge import CapacityReport
from analysis.words.units import as_change
from analysis.words.values import NextStep, Outcome


@dataclass(frozen=True, slots=True)
class Ratio:
    """Head's largest load over base's, with its 95 % interval; inf where it has no end."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CapacityGate:
    """The answer of a gate on capacity; ``ratio`` is None where either has none."""

    verdict: Outcome
    summary: str
    ratio: Ratio | None
    base: CapacityReport
    head: CapacityReport
    next_steps: tuple[NextStep, ...] = ()

    def to_json(self) -> bytes:
        """What is stored beside head's verdict."""
        table: dict[str, Any] = {
            "verdict": self.verdict.value,
            "exit_code": int(self.verdict.exit_code),
            "summary": self.summary,
            "next_steps": [asdict(step) for step in self.next_steps],
            "ratio": asdict(self.ratio) if self.ratio else None,
            "base": self.base.run_id,
            "head": self.head.run_id,
        }
        return orjson.dumps(table, option=orjson.OPT_INDENT_2) + b"\n"


def compared(base: CapacityReport, head: CapacityReport, smaller: float) -> CapacityGate:
    """FAIL where head's is proven smaller by more than this share (0.05: 5 %)."""
    ours, theirs = base.found, head.found
    arms = (("base", base), ("head", head))
    invalid = [f"{arm}: {one.summary}" for arm, one in arms if one.verdict is Outcome.INVALID]
    if invalid or ours is None or theirs is None:
        return CapacityGate(Outcome.INVALID, "; ".join(invalid), None, base, head)
    ratio = ratio_of(ours, theirs)
    least = 1 - smaller
    outcome = Outcome.INCONCLUSIVE
    if any(one.limit and one.limit.rough for one in (ours, theirs)):
        pass  # an extrapolation that may be far too small proves nothing of either
    elif ratio.high < least:
        outcome = Outcome.FAIL
    elif ratio.low > least:
        outcome = Outcome.PASS
    return CapacityGate(outcome, _said(ratio, ours, theirs), ratio, base, head)


def ratio_of(base: Answer, head: Answer) -> Ratio:
    """An open end of either is one of the ratio: what base carries beyond it is not known."""
    middle = log(head.load / base.load)
    below = hypot(_down(head), _up(base))
    above = hypot(_up(head), _down(base))
    return Ratio(exp(middle), exp(middle - below), exp(min(700.0, middle + above)))


def _down(found: Answer) -> float:
    return log(found.load / found.low) if found.low > 0 else inf


def _up(found: Answer) -> float:
    return log(found.high / found.load) if isfinite(found.high) else inf


def _said(ratio: Ratio, base: Answer, head: Answer) -> str:
    ends = f"{as_change(ratio.low)}, {as_change(ratio.high)}" if isfinite(_up(head)) else "open"
    said = f"head's largest load is {head.load:.3g}, base's {base.load:.3g}: "
    gave = f"; head: then {head.gave}" if head.gave else ""
    return said + f"{as_change(ratio.ratio)} [{ends}]{gave}"
