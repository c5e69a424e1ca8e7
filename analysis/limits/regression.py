"""``[regression]`` of ``thresholds.toml``: which difference between two revisions matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from analysis.limits.rules import parse_amount, unknown
from analysis.metrics.catalogue import METRICS
from recording.errors import ConfigError
from recording.flow import STEPS

Problem = Callable[[str, str], None]
"""Takes (where, what is wrong); reading goes on, so that all problems are known at once."""
Scales = Mapping[str, float]

_NEEDED: Final = ("metrics", "min_effect", "tolerated", "floor")
_OPTIONAL: Final = ("baseline_spread", "control", "costs")
# The gate compares quantiles; it has no statistic for a mean or a maximum.
_QUANTILES: Final = tuple(name for name in METRICS if name[0] == "p" and name[1].isdigit())
_PERCENT: Final[Scales] = MappingProxyType({"%": 1.0})
_MS: Final[Scales] = MappingProxyType({"us": 1e-3, "ms": 1.0, "s": 1e3})
_GROWTH: Final[Scales] = MappingProxyType({"MB/h": 1.0, "GB/h": 1024.0})
_COSTS: Final[Mapping[str, tuple[str, Scales]]] = MappingProxyType(
    {
        "error_rate": ("error_rate_points", _PERCENT),
        "cpu_per_request": ("cpu_percent", _PERCENT),
        "pool_high_water": ("pool_percent", _PERCENT),
        "starved_slots": ("starved_points", _PERCENT),
        "memory_slope": ("memory_mb_per_h", _GROWTH),
    }
)


@dataclass(frozen=True, slots=True)
class CostLimits:
    """The smallest growth of each cost that may be a FAIL: points, % of base, MB (2**20) per h."""

    error_rate_points: float = 0.1
    cpu_percent: float = 10.0
    pool_percent: float = 20.0
    starved_points: float = 10.0
    memory_mb_per_h: float = 10.0


@dataclass(frozen=True, slots=True)
class Regression:
    """Which difference between two revisions matters.

    A change below `min_effect_percent` or `floor_ms` is never a FAIL; a PASS needs the upper
    confidence bound of the change below `tolerated_percent`. `control` names steps that no
    change touches: they tell what the host did, and are not judged.
    """

    metrics: tuple[str, ...]
    min_effect_percent: float
    tolerated_percent: float
    floor_ms: float
    baseline_spread_percent: float = 10.0
    control: tuple[str, ...] = ()
    costs: CostLimits = CostLimits()


def read_regression(body: Mapping[str, object], problem: Problem) -> Regression | None:
    """The section as read from the file; None when keys are unknown or missing.

    Every problem is handed to `problem`; what is returned then is no more than a stand-in.
    """
    complete = True
    for key in sorted({*body} - {*_NEEDED, *_OPTIONAL}, key=list(body).index):
        problem(f"regression.{key}", unknown("key", key, (*_NEEDED, *_OPTIONAL)))
        complete = False
    for key in _NEEDED:
        if key not in body:
            problem("regression", f"{key!r} is missing; needed: {', '.join(_NEEDED)}")
            complete = False
    return _read(body, problem) if complete else None


def _read(body: Mapping[str, object], problem: Problem) -> Regression:
    def amount(key: str, text: object, scales: Scales) -> float:
        return _amount(f"regression.{key}", text, scales, problem)

    found = Regression(
        _names("metrics", body["metrics"], _QUANTILES, "metric", problem),
        amount("min_effect", body["min_effect"], _PERCENT),
        amount("tolerated", body["tolerated"], _PERCENT),
        amount("floor", body["floor"], _MS),
        amount("baseline_spread", body.get("baseline_spread", "10 %"), _PERCENT),
        _control(body, problem),
        _costs(body.get("costs", {}), problem),
    )
    if 0 < found.tolerated_percent <= found.min_effect_percent:
        problem(
            "regression.tolerated",
            f"{found.tolerated_percent:g} % must be "
            f"above min_effect, {found.min_effect_percent:g} %",
        )
    return found


def _control(body: Mapping[str, object], problem: Problem) -> tuple[str, ...]:
    if "control" not in body:
        return ()
    named = _names("control", body["control"], STEPS, "step", problem)
    if {*named} >= {*STEPS}:
        problem("regression.control", "names every step: nothing is left to judge")
    return named


def _costs(body: object, problem: Problem) -> CostLimits:
    if not isinstance(body, dict):
        problem("regression.costs", f"must be a section [regression.costs], not {body!r}")
        return CostLimits()
    limits: dict[str, float] = {}
    for key, text in body.items():
        where = f"regression.costs.{key}"
        if key not in _COSTS:
            problem(where, unknown("cost", key, _COSTS))
            continue
        name, scales = _COSTS[key]
        limits[name] = _amount(where, text, scales, problem)
        if limits[name] == 0:
            problem(where, f"must be above 0, not {text!r}: no measurement excludes every growth")
    return CostLimits(**limits)


def _names(
    key: str, listed: object, known: tuple[str, ...], what: str, problem: Problem
) -> tuple[str, ...]:
    """A list of known names, each kept once."""
    where = f"regression.{key}"
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
