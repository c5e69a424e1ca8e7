"""Judge results that another tool made, by the same thresholds, as a run like any other.

FILE is k6's CSV or JSON lines, a JMeter JTL (CSV), Vegeta's CSV or JSON lines, Locust's _stats.csv
or _stats_history.csv (with the other beside it), wrk2's output, or a log of HdrHistogram,
compressed by gzip or not; which, its beginning says. A step is the name of a request: --step gives
it another, so that rules of thresholds.toml on that step or its service apply. What a file cannot
tell is "no data". See docs/import.md.

Examples:

- `loadgate import results.csv`
- `loadgate import k6.json.gz --step 'GET /products/*=detail'`
- `loadgate import shop_stats.csv`  (Locust's)
- `loadgate import results.jtl --from 60s --to 10m --thresholds stricter.toml`
- `loadgate import vegeta.csv --label shop=1.4.2 --json`
"""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from harness import options
from harness.foreign.hdr_log import UNITS
from harness.foreign.reading import FORMATS, read_foreign
from harness.foreign.source import Heard
from harness.foreign.steps import parse_steps
from harness.foreign.written import Window, write_run
from harness.screen.judged import finish
from harness.screen.plain import Screen
from harness.screen.saying import saying
from harness.system.streams import warn
from recording.errors import ConfigError
from recording.given_files import check_folder
from recording.labels import parse_labels
from recording.text import plain

STOPPED = 130


File = Annotated[Path, typer.Argument(metavar="FILE", help="Results of another tool.")]
Renamed = Annotated[
    list[str] | None,
    typer.Option(
        "--step", metavar="OLD=NEW", help="Call requests NEW; OLD may be a pattern; repeatable."
    ),
]
_time = partial(typer.Option, metavar="TIME", parser=options.duration_s)
From = Annotated[
    float | None, _time("--from", help="Measure from this long after the first request [0s].")
]
To = Annotated[
    float | None, _time("--to", help="And up to this long after it [the end of the file].")
]
FormatKey = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"{', '.join(each.key for each in FORMATS)} [as the file begins].",
    ),
]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        metavar="UNIT",
        help=f"Of a histogram log's values: {', '.join(UNITS)} [by its Interval_Max].",
    ),
]


def import_(
    file: File,
    steps: Renamed = None,
    from_s: From = None,
    to_s: To = None,
    form: FormatKey = None,
    unit: Unit = None,
    labels: options.Labels = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    inconclusive: options.Inconclusive = None,
    everything: options.All = False,
    as_json: options.Json = False,
) -> None:
    """Read, write a run directory, judge."""
    limits, named = options.read_limits(thresholds), parse_labels(labels or ())
    renamed, window = parse_steps(steps or ()), _window(from_s, to_s)
    if unit not in (None, *UNITS):
        raise ConfigError(f"--unit {unit}: write one of {', '.join(UNITS)}")
    check_folder(runs, "--runs")
    try:
        with _reading(file) as told:
            found = read_foreign(file, renamed, form, unit, told)
        with saying("writing …"):
            command = plain(shlex.join(sys.argv[1:]))
            run = write_run(runs, replace(found, labels=named, command=command), window)
    except KeyboardInterrupt:
        warn("stopped: nothing was imported")
        raise typer.Exit(STOPPED) from None
    finish(run, limits, as_json=as_json, everything=everything, inconclusive=inconclusive)


def _window(from_s: float | None, to_s: float | None) -> Window:
    """Raises ConfigError for an end before its beginning."""
    window = Window(from_s or 0.0, to_s)
    if to_s is not None and to_s <= window.from_s:
        raise ConfigError("--to must be later than --from")
    return window


@contextmanager
def _reading(file: Path) -> Iterator[Heard]:
    """How far it is, on a terminal; elsewhere a line where it takes longer than a moment."""
    console = Screen(stderr=True)
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    total = file.stat().st_size if file.is_file() else None
    with Progress(*columns, console=console, transient=True, disable=not console.is_redrawn) as bar:
        task = bar.add_task("", total=total)
        with saying(f"reading {file} …") if bar.disable else nullcontext():
            yield lambda data: bar.advance(task, len(data))
