"""What the gate is told to look for: ``[regression]`` of thresholds.toml as its tests take it."""

from dataclasses import dataclass, field

from analysis.limits.regression import CostLimits, Regression
from analysis.limits.thresholds import Thresholds
from analysis.paired.costs import CostSettings
from analysis.regression.data import RegressionSettings
from recording.errors import ConfigError


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Which change of latency and of costs matters; `control` steps are measured, not judged."""

    latency: RegressionSettings = field(default_factory=RegressionSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    control: tuple[str, ...] = ()


def gate_settings(thresholds: Thresholds) -> GateSettings:
    """``[regression]``; its documented defaults where the file has none.

    Raises ConfigError for numbers that fit the file's grammar and no test.
    """
    given = thresholds.regression
    if given is None:
        return GateSettings()
    try:
        return GateSettings(_latency(given), _costs(given.costs), given.control)
    except ValueError as error:
        raise ConfigError(f"{thresholds.source}: [regression]: {error}") from None


def _latency(given: Regression) -> RegressionSettings:
    return RegressionSettings(
        metrics=given.metrics,
        min_effect=given.min_effect_percent / 100,
        tolerated=given.tolerated_percent / 100,
        floor_ms=given.floor_ms,
    )


def _costs(given: CostLimits) -> CostSettings:
    return CostSettings(
        error_rate=given.error_rate_points,
        cpu=given.cpu_percent / 100,
        pool=given.pool_percent / 100,
        starved_slots=given.starved_points,
        memory_mb_per_h=given.memory_mb_per_h,
    )
