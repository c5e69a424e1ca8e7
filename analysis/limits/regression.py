"""``[regression]`` of ``thresholds.toml``: which difference between two revisions matters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from types import MappingProxyType
from typing import Any, Final

from analysis.limits.rules import parse_amount, unknown
from analysis.metrics.catalogue import METRICS
from analysis.words.units import LATENCY, PERCENT, Scales
from recording.errors import ConfigError
from recording.flow import STEPS

Problem = Callable[[str, str], None]
"""Takes (where, what is wrong); reading goes on, so that all problems are known at once."""

NEEDED: Final = ("metrics", "min_effect", "tolerated", "floor")
OPTIONAL: Final = ("baseline_spread", "capacity", "control", "costs")
MOST_FLOOR_MS: Final = 60_000.0
# The gate compares quantiles; it has no statistic for a mean or a maximum.
QUANTILES: Final = tuple(name for name in METRICS if name[0] == "p" and name[1].isdigit())
_GROWTH: Final[Scales] = MappingProxyType({"MB/h": 1.0, "GB/h": 1024.0})
# For each key of the file: the setting, its units, and how many of them the setting counts as 1.
COSTS: Final[Mapping[str, tuple[str, Scales, float]]] = MappingProxyType(
    {
        "error_rate": ("error_rate", PERCENT, 1),
        "slowest_half_percent": ("slowest", PERCENT, 100),
        "cpu_per_request": ("cpu", PERCENT, 100),
        "pool_high_water": ("pool", PERCENT, 100),
        "starved_slots": ("starved_slots", PERCENT, 1),
        "memory_slope": ("memory_mb_per_h", _GROWTH, 1),
    }
)


def tail_of(metric: str) -> float:
    """``"p99"`` → 0.01. Percentiles from p50 up to below p100, else ValueError."""
    if not re.fullmatch(r"p[5-9]\d(\.\d+)?", metric):
        raise ValueError(f"metric {metric!r}: need a percentile from p50 up, such as p95 or p99.9")
    return 1 - float(metric[1:]) / 100


@dataclass(frozen=True, slots=True)
class RegressionSettings:
    """Which change of latency matters, and how sure the gate must be. Ratios as fractions.

    A change below `min_effect` (0.05 is 5 %) or `floor_ms` is never a FAIL; a PASS needs the upper
    confidence bound of the change below `tolerated`. `alpha` is the chance of any FAIL at all when
    the arms are equal; `confidence` that of the shown (two-sided) intervals and of the (one-sided)
    bound a PASS needs. `seed` draws the orders that the p-values are counted over. Raises
    ValueError for numbers out of range.
    """

    metrics: tuple[str, ...] = ("p95", "p99")
    min_effect: float = 0.05
    tolerated: float = 0.10
    floor_ms: float = 5.0
    alpha: float = 0.005
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.metrics or len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics: at least one percentile, each once")
        for metric in self.metrics:
            tail_of(metric)
        if not 0 < self.min_effect <= self.tolerated:
            raise ValueError("need 0 < min_effect <= tolerated")
        if not (self.floor_ms >= 0 and 0 < self.alpha < 0.5 and 0.5 < self.confidence < 1):
            raise ValueError("need floor_ms >= 0, alpha in (0, 0.5), confidence in (0.5, 1)")

    def fail_from(self, base_ms: float) -> float:
        """The smallest change that may FAIL, as a fraction: the minimum effect or the floor."""
        return max(self.min_effect, self.floor_ms / base_ms)

    def limits(self, base_ms: float) -> tuple[float, float]:
        """That, and what a PASS must exclude (what is tolerated, or the floor), as log ratios."""
        most = max(self.tolerated, self.floor_ms / base_ms)
        return log(1 + self.fail_from(base_ms)), log(1 + most)


@dataclass(frozen=True, slots=True)
class CostSettings:
    """Which change of a cost matters; a smaller one is never a FAIL.

    `alpha` is the chance of any FAIL between equal arms, beside that of the latency rows.
    `error_rate` and `starved_slots` are percentage points, `slowest`, `cpu` and `pool` shares of
    base, `pool_connections` the least number of connections, `memory_mb_per_h` the growth beyond
    base's, in MB of 2**20 bytes. `seed` draws the orders that p-values are counted over. Raises
    ValueError for numbers out of range.
    """

    alpha: float = 0.002
    confidence: float = 0.95
    error_rate: float = 0.1
    slowest: float = 0.25
    cpu: float = 0.10
    pool: float = 0.20
    pool_connections: float = 5.0
    starved_slots: float = 10.0
    memory_mb_per_h: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (0 < self.alpha < 0.5 < self.confidence < 1):
            raise ValueError("need alpha in (0, 0.5) and confidence in (0.5, 1)")
        limits = (self.error_rate, self.slowest, self.cpu, self.pool, self.pool_connections)
        if min(*limits, self.starved_slots, self.memory_mb_per_h) <= 0:
            raise ValueError("every smallest change must be above 0")


@dataclass(frozen=True, slots=True)
class GateSettings:
    """All of ``[regression]``, with its documented defaults.

    `control` names steps that no change touches: they tell what the host did, and are not judged.
    `baseline_spread` limits, as a fraction, the coefficient of variation between stored runs,
    `capacity` by how much head's largest load may be proven smaller than base's.
    """

    latency: RegressionSettings = field(default_factory=RegressionSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    control: tuple[str, ...] = ()
    # Not in the repr, of which calibrations keep a fingerprint: no gate depends on it.
    baseline_spread: float = field(default=0.10, repr=False)
    # Nor does any on how much smaller, as a fraction, a capacity may be.
    capacity: float = field(default=0.05, repr=False)


def read_regression(
    body: Mapping[str, object], own: tuple[str, ...], problem: Problem
) -> GateSettings | None:
    """The section as read from the file; None where anything in it is wrong.

    Every problem is handed to `problem`; `own` are steps that only a shop knows.
    """
    problems: list[tuple[str, str]] = []
    try:
        found = _settings(body, own, lambda *each: problems.append(each))
    except ValueError as error:  # it fits the file's grammar, and no test
        problems = problems or [("[regression]", str(error))]
    for each in problems:
        problem(*each)
    return None if problems else found


def _settings(
    body: Mapping[str, object], own: tuple[str, ...], problem: Problem
) -> GateSettings | None:
    strange = [key for key in body if key not in (*NEEDED, *OPTIONAL)]
    missing = [key for key in NEEDED if key not in body]
    for key in strange:
        problem(f"regression.{key}", unknown("key", key, (*NEEDED, *OPTIONAL)))
    for key in missing:
        problem("regression", f"{key!r} is missing; needed: {', '.join(NEEDED)}")
    if strange or missing:
        return None

    def amount(key: str, scales: Scales) -> float:
        return _amount(f"regression.{key}", body.get(key, "10 %"), scales, problem)

    metrics = _names("metrics", body["metrics"], QUANTILES, "metric", problem)
    least, most = amount("min_effect", PERCENT), amount("tolerated", PERCENT)
    if 0 < most <= least:
        problem("regression.tolerated", f"{most:g} % must be above min_effect, {least:g} %")
    floor_ms, spread = amount("floor", LATENCY), amount("baseline_spread", PERCENT) / 100
    if floor_ms > MOST_FLOOR_MS:
        allowed = f"must be at most {MOST_FLOOR_MS / 1000:g} s"
        problem("regression.floor", f"{allowed}, not {body['floor']!r}: no head could ever FAIL")
    capacity = _share("capacity", body.get("capacity", "5 %"), problem)
    control = _names("control", body.get("control"), (*own, *STEPS), "step", problem)
    if {*control} >= {*STEPS}:
        problem("regression.control", "names every step: nothing is left to judge")
    costs = _costs(body.get("costs", {}), problem)
    latency = RegressionSettings(metrics, least / 100, most / 100, floor_ms)
    return GateSettings(latency, CostSettings(**costs), control, spread, capacity)


def _share(key: str, text: object, problem: Problem) -> float:
    """As a fraction, below 1."""
    percent = _amount(f"regression.{key}", text, PERCENT, problem)
    if not 0 < percent < 100:
        problem(f"regression.{key}", f"must be above 0 % and below 100 %, not {text!r}")
    return percent / 100


def _costs(body: object, problem: Problem) -> dict[str, Any]:
    if not isinstance(body, dict):
        problem("regression.costs", f"must be a section [regression.costs], not {body!r}")
        return {}
    limits: dict[str, Any] = {}
    for key, text in body.items():
        where = f"regression.costs.{key}"
        if key not in COSTS:
            problem(where, unknown("cost", key, COSTS))
            continue
        name, scales, per = COSTS[key]
        limits[name] = _amount(where, text, scales, problem) / per
        if limits[name] == 0:
            problem(where, f"must be above 0, not {text!r}: no measurement excludes every growth")
    return limits


def _names(
    key: str, listed: object, known: tuple[str, ...], what: str, problem: Problem
) -> tuple[str, ...]:
    """A list of known names, each kept once; none where there is no such key."""
    where = f"regression.{key}"
    if listed is None:
        return ()
    if not isinstance(listed, list) or not listed:
        problem(where, f'must be a list like ["{known[-1]}"], not {listed!r}')
        return ()
    for name in listed:
        if name not in known:
            problem(where, unknown(what, str(name), known))
    return tuple(dict.fromkeys(str(name) for name in listed))


def _amount(where: str, text: object, scales: Scales, problem: Problem) -> float:
    try:
        if not isinstance(text, str):
            raise ConfigError(f"{text!r} is not text: write it in quotes, with its unit")
        return parse_amount(text, scales)
    except ConfigError as error:
        problem(where, str(error))
        return 1.0
