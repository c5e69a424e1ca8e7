"""What `compare` and `baseline` share: the folder of baselines, and the rules to judge by."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.compare.against_baselines import BaselineRules
from analysis.limits.thresholds import Thresholds
from analysis.paired.settings import gate_settings
from recording.errors import ConfigError

Baselines = Annotated[
    Path, typer.Option("--baselines", metavar="DIR", help="Folder of stored baselines.")
]
BASELINES = Path("baselines")


def baseline_rules(limits: Thresholds) -> BaselineRules:
    """[regression] for stored baselines. Raises ConfigError."""
    if limits.regression is None:
        raise ConfigError(f"{limits.source}: [regression] is missing")
    spread = limits.regression.baseline_spread_percent / 100
    return BaselineRules(gate_settings(limits).latency, spread)
