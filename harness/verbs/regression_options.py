"""What `compare` and `baseline` share: the folder of baselines, and the rules to judge by."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.compare_baselines import BaselineRules
from analysis.gate_data import RegressionSettings
from analysis.thresholds import Thresholds
from recording.errors import ConfigError

Baselines = Annotated[
    Path, typer.Option("--baselines", metavar="DIR", help="Folder of stored baselines.")
]
BASELINES = Path("baselines")


def regression_settings(limits: Thresholds) -> RegressionSettings:
    """[regression] in the judge's own units. Raises ConfigError where it cannot be judged by."""
    found = limits.regression
    if found is None:
        raise ConfigError(
            f"{limits.source}: [regression] is missing; needed: metrics, min_effect, tolerated, "
            "floor"
        )
    try:
        return RegressionSettings(
            metrics=found.metrics,
            min_effect=found.min_effect_percent / 100,
            tolerated=found.tolerated_percent / 100,
            floor_ms=found.floor_ms,
        )
    except ValueError as error:
        raise ConfigError(f"{limits.source}: [regression]: {error}") from None


def baseline_rules(limits: Thresholds) -> BaselineRules:
    """[regression] for stored baselines. Raises ConfigError."""
    settings = regression_settings(limits)
    assert limits.regression is not None  # else regression_settings has raised
    return BaselineRules(settings, limits.regression.baseline_spread_percent / 100)
