"""Options that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

Thresholds = Annotated[
    Path | None,
    typer.Option("--thresholds", metavar="FILE", help="Limits to judge by [thresholds.toml]."),
]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where run directories live.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Inconclusive = Annotated[
    str | None,
    typer.Option(
        "--inconclusive",
        metavar="pass|fail",
        help="For CI: exit 0 or 3 instead of 5 when the run cannot tell.",
    ),
]
RUNS = Path("runs")
