"""Arguments and options that several verbs share, and what is made of them."""

import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from analysis.limits.thresholds import Thresholds as Limits
from analysis.limits.thresholds import load_thresholds
from harness.system.paths import find_thresholds, profile_names
from recording.durations import MAX_DURATION_S, parse_duration_s
from recording.exitcodes import ExitCode
from recording.rundir import list_runs


def profiles_beginning(begun: str) -> list[str]:
    return [name for name in profile_names() if name.startswith(begun)]


def _run_dirs(begun: str) -> list[str]:
    """Below the folder that is being written, and runs/ if none is."""
    folder = Path(f"{begun}x").parent if "/" in begun else RUNS
    found = (str(run.root) for run in list_runs(folder))
    return [path for path in found if path.startswith(begun)]


RUNS = Path("runs")
run_argument = partial(typer.Argument, metavar="RUN", autocompletion=_run_dirs)
Run = Annotated[Path, run_argument(help="Run directory.")]
profile_argument = partial(typer.Argument, metavar="PROFILE", autocompletion=profiles_beginning)
ProfileName = Annotated[str, profile_argument(help="Name or TOML file.")]
GateProfile = Annotated[
    str,
    typer.Option(
        "--profile", metavar="NAME", help="Name or TOML file.", autocompletion=profiles_beginning
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what would happen, and what is refused; start nothing."),
]
Thresholds = Annotated[
    Path | None,
    typer.Option("--thresholds", metavar="FILE", help="Limits to judge by [thresholds.toml]."),
]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where run directories live.")]
Baselines = Annotated[
    Path, typer.Option("--baselines", metavar="DIR", help="Folder of stored baselines.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a profile key; repeatable."),
]
Locustfile = Annotated[
    str | None,
    typer.Option("--locustfile", metavar="FILE", help="Users of a locustfile of your own."),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=2**63 - 1,
        metavar="N",
        help="Repeats the random draws of an earlier one [drawn anew, and recorded].",
    ),
]
SameDraws = Annotated[
    bool,
    typer.Option(
        "--same-draws",
        help="Both arms draw the same latencies: sharper for a change of code, no evidence "
        "about services.",
    ),
]
All = Annotated[bool, typer.Option("--all", help="Show what PASSes too, row by row.")]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="KEY=VALUE", help="What the run is known by: shop=1.4.2; repeatable."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


class OnInconclusive(StrEnum):
    """What a run that cannot tell means to CI."""

    PASS = "pass"
    FAIL = "fail"


Inconclusive = Annotated[
    OnInconclusive | None,
    typer.Option(
        "--inconclusive", help="For CI: exit 0 or 3 instead of 5 when the run cannot tell."
    ),
]
TokenText = Annotated[
    str | None,
    typer.Option(
        "--token", metavar="TEXT", help="What master and workers share (or LOADGATE_TOKEN)."
    ),
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="The same, from a file.")
]
MOST_PORT = 65_534
"""Of Locust's: the plan is on the one above it."""


def duration_s(text: str) -> float:
    """Of an option, with its unit. Raises BadParameter that says how it is written."""
    try:
        return parse_duration_s(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is {error}") from None


def _bounded(seconds: float) -> float:
    """Neither nan nor inf, which would wait for ever."""
    if not 0 < seconds <= MAX_DURATION_S:
        raise typer.BadParameter(f"{seconds:g} is no number of seconds above 0")
    return seconds


WaitS = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        callback=_bounded,
        help="How long master and workers wait for each other.",
    ),
]
CALIBRATIONS = RUNS / "calibration"
BASELINES = Path("baselines")


def told(overrides: list[str] | None, locustfile: str | None) -> list[str]:
    """Every key of a profile that was set, by an option of its own too."""
    own = [] if locustfile is None else [f"scenario.locustfile={json.dumps(locustfile)}"]
    return [*(overrides or []), *own]


def read_limits(given: Path | None = None) -> Limits:
    """Of ``--thresholds``, else of the file that is found. Raises ConfigError."""
    return load_thresholds(find_thresholds(given))


def exit_with(code: ExitCode, inconclusive: OnInconclusive | None) -> NoReturn:
    """End with a verdict's exit code, INCONCLUSIVE mapped as asked. Raises typer.Exit."""
    if inconclusive and code is ExitCode.INCONCLUSIVE:
        code = ExitCode[inconclusive.name]
    raise typer.Exit(int(code))
