"""Is the largest load of head smaller than that of base?

The ratio's interval is made of those of both (MOVER: Zou and Donner, Statistics in Medicine 27,
2008), in the logarithm, in which they were fitted.
"""

from dataclasses import asdict, dataclass
from math import exp, hypot, inf, isfinite, log
from typing import Any, Self

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
    outcome = outcome_of(ours, theirs, smaller)
    return CapacityGate(outcome, _said(ratio, ours, theirs), ratio, base, head)


def outcome_of(base: Answer, head: Answer, smaller: float) -> Outcome:
    """Of two answers: FAIL, PASS, or neither is known."""
    ratio, least = ratio_of(base, head), 1 - smaller
    if any(one.limit and one.limit.rough for one in (base, head)):
        return Outcome.INCONCLUSIVE  # it may be far too small, which proves nothing of either
    if ratio.high < least:
        return Outcome.FAIL
    holds = ratio.low > least and not _held_alone(base, head)
    return Outcome.PASS if holds else Outcome.INCONCLUSIVE


def _held_alone(base: Answer, head: Answer) -> bool:
    """Whether a run at base's load held, and none at head's: what takes longer than a slot."""
    return base.held > 0 and not head.held > 0


def ratio_of(base: Answer, head: Answer) -> Ratio:
    """An open end of either is one of the ratio: what base carries beyond it is not known.

    Borders of slots are compared, which are found alike; where a confirmation happened to be
    tried is no part of them. What a pool carries for good is, where it is less.
    """
    ours, theirs = Compared.of(base), Compared.of(head)
    middle = log(theirs.load / ours.load)
    below = hypot(theirs.down, ours.up)
    above = hypot(theirs.up, ours.down)
    return Ratio(exp(middle), exp(middle - below), exp(min(700.0, middle + above)))


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared of an answer: a load with its interval."""

    load: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Answer) -> Self:
        """What slots say, unless a pool carries less for good."""
        of_slots = None if found.limit else found.border
        return cls(*(of_slots or (found.load, found.low, found.high)))

    @property
    def down(self) -> float:
        """How far the interval reaches below, in the logarithm; ``up`` above."""
        return log(self.load / self.low) if self.low > 0 else inf

    @property
    def up(self) -> float:
        """See ``down``; inf where the interval is open."""
        return log(self.high / self.load) if isfinite(self.high) else inf


def _said(ratio: Ratio, base: Answer, head: Answer) -> str:
    ours, theirs = Compared.of(base), Compared.of(head)
    low = as_change(ratio.low) if isfinite(ours.up) and isfinite(theirs.down) else "open"
    high = as_change(ratio.high) if isfinite(theirs.up) and isfinite(ours.down) else "open"
    said = f"head's largest load is {theirs.load:.3g}, base's {ours.load:.3g}: "
    gave = f"; head: then {head.gave}" if head.gave else ""
    alone = (
        "; a run of a minute held at base's and none at head's" if _held_alone(base, head) else ""
    )
    return said + f"{as_change(ratio.ratio)} [{low}, {high}]{gave}{alone}"
