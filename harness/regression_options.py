"""What `compare` and `baseline` share: the folder of baselines, and the rules to judge by."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.limits.regression import GateSettings
from analysis.limits.thresholds import Thresholds
from recording.errors import ConfigError

Baselines = Annotated[
    Path, typer.Option("--baselines", metavar="DIR", help="Folder of stored baselines.")
]
BASELINES = Path("baselines")


def baseline_rules(limits: Thresholds) -> GateSettings:
    """[regression], which stored baselines are never judged without. Raises ConfigError."""
    if limits.regression is None:
        raise ConfigError(f"{limits.source}: [regression] is missing")
    return limits.regression
