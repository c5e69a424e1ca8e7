"""One rule of ``thresholds.toml``: its grammar, its catalogue of metrics, its meaning.

A rule is a claim that must hold::

    metric op number [unit]        p99 < 1000 ms

The text is parsed and checked against the catalogue before any load starts, so a misspelt
metric or a unit that does not fit is an error with a list of what exists, never a rule that
silently holds.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from analysis.metrics.catalogue import METRICS
from analysis.metrics.metric import Metric
from recording.errors import ConfigError, did_you_mean
from recording.histogram import HIGHEST_US

OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
    }
)
_RULE: Final = re.compile(
    r"\s*(?P<metric>[^\s<>=!~]+)\s*(?P<op>[<>=!~]+)\s*(?P<number>[^\sA-Za-z%/µ]\S*?|nan|[+-]?inf)"
    r"\s*(?P<unit>[A-Za-z%µ][A-Za-z%µ/]*?)??\s*",
)
# Written out because float() also reads '1_000', 'infinity' and non-ASCII digits.
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit on a metric.

    ``text`` is what the user wrote, with its spaces made regular. ``limit`` is in the metric's
    base unit: ``p99 < 1 s`` has limit 1000.0.
    """

    text: str
    metric: Metric
    op: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether `value`, in the base unit, keeps the rule. NaN never does."""
        return OPERATORS[self.op](value, self.limit)

    def __str__(self) -> str:
        return self.text


def parse_rule(text: str) -> Rule:
    """Read one rule. Raises ConfigError: in one line what is wrong and what is allowed."""
    found = _RULE.fullmatch(text)
    if found is None:
        expected = "metric op number [unit], for example 'p99 < 1000 ms'"
        raise ConfigError(f"cannot read rule {text!r}: expected {expected}")
    metric = METRICS.get(found["metric"])
    if metric is None:
        raise ConfigError(f"{unknown('metric', found['metric'], METRICS)} (in rule {text!r})")
    try:
        return _build(metric, found)
    except ConfigError as problem:
        raise ConfigError(f"{problem} (in rule {text!r})") from None


def parse_amount(text: str, scales: Mapping[str, float]) -> float:
    """Read a number with one of the units of `scales`, as in ``"5 %"``; return it scaled.

    Raises ConfigError: no number, not finite, negative, over 100 %, or another unit.
    """
    found = re.fullmatch(r"\s*(\S*?)\s*([A-Za-z/%]*)\s*", text)
    if found is None:
        raise ConfigError(f"{text!r} is not a number with a unit ({_listed(scales)})")
    return _scaled(found[1], found[2], scales)


def unknown(what: str, given: str, known: Iterable[str]) -> str:
    """One line for an unknown name, with the nearest known one first."""
    return f"unknown {what} {given!r}{did_you_mean(given, known)}"


def _build(metric: Metric, found: re.Match[str]) -> Rule:
    op, number, unit = found["op"], found["number"], found["unit"] or ""
    if op not in OPERATORS:
        raise ConfigError(f"unknown operator {op!r}; known: {', '.join(OPERATORS)}")
    limit = _scaled(number, unit, metric.scales)
    if not metric.unit and not limit.is_integer():
        raise ConfigError(f"{metric.name} is a count: {number!r} is not a whole number")
    _refuse_pointless(metric, op, limit)
    text = f"{metric.name} {op} {number}" + (f" {unit}" if unit else "")
    return Rule(text, metric, op, limit)


def _scaled(number: str, unit: str, scales: Mapping[str, float]) -> float:
    if number.lstrip("+-").lower() in {"nan", "inf", "infinity"}:
        raise ConfigError(f"the limit must be finite, not {number!r}")
    if not _NUMBER.fullmatch(number):
        raise ConfigError(f"{number!r} is not a number: write digits like 1000 or 0.1")
    if unit not in scales:
        if not unit:
            raise ConfigError(f"{number!r} needs a unit: {_listed(scales)}")
        raise ConfigError(f"unit {unit!r} does not fit; allowed: {_listed(scales)}")
    value = float(number) * scales[unit]
    if not math.isfinite(value):
        raise ConfigError(f"the limit must be finite, {number!r} is not")
    if math.copysign(1.0, value) < 0:
        raise ConfigError(f"the limit must not be negative, {number!r} is")
    if unit == "%" and value > 100.0:
        raise ConfigError(f"a percentage lies between 0 and 100, {number!r} does not")
    return value


def _refuse_pointless(metric: Metric, op: str, limit: float) -> None:
    """A rule that holds for every value, or for none, is a mistake in the file."""
    if metric.kind == "latency" and limit > HIGHEST_US / 1000:
        could = "pass" if op in (">", ">=", "==") else "fail"
        raise ConfigError(f"latencies are recorded up to an hour, so the rule could never {could}")
    if metric.signed:
        return
    if (op == ">=" and limit == 0.0) or (op == "<=" and metric.unit == "%" and limit == 100.0):
        raise ConfigError("every value holds, so the rule could never fail")
    if (op == "<" and limit == 0.0) or (op == ">" and metric.unit == "%" and limit == 100.0):
        raise ConfigError("no value holds, so the rule could never pass")


def _listed(scales: Mapping[str, float]) -> str:
    return ", ".join(unit or "none, it is a count" for unit in scales)
