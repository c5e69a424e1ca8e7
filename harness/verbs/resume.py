"""Let a paused run go on: RUN, or the newest that is running.

Examples:

- `loadgate resume`
- `loadgate resume runs/20260301-101500-release-1f2e`
"""

import time
from pathlib import Path
from typing import Annotated

from analysis.report.document import Document, Lines
from harness import options
from harness.screen.terminal import answer
from harness.system.held import is_held
from recording.errors import ConfigError
from recording.files import why
from recording.jsonl import read_json_lines
from recording.rundir import RunDir, list_runs, open_run_dir
from recording.timetable import pauses_of

TAKEN_WITHIN_S = 10.0
LOOKS_EVERY_S = 0.1


def resume(
    run: Annotated[
        Path | None, options.run_argument(help="Run directory [the newest running].")
    ] = None,
    runs: options.Runs = options.RUNS,
    as_json: options.Json = False,
) -> None:
    """Ask, and wait until the run has heard."""
    found = open_run_dir(run) if run else _newest(runs)
    if not is_held(found.root):
        raise ConfigError(f"{found.root} is not running")
    pauses = pauses_of(read_json_lines(found.events)[0])
    if not pauses or pauses[-1][1] is not None:
        raise ConfigError(f"{found.root} is not paused")
    _ask(found)
    said = (f"{found.root} goes on",)
    answer(Document((Lines(said),)), {"resumed": str(found.root)}, as_json=as_json)


def _newest(runs: Path) -> RunDir:
    """Raises ConfigError where none is running."""
    for found in list_runs(runs):
        if is_held(found.root):
            return found
    raise ConfigError(f"no run of {runs}/ is running")


def _ask(run: RunDir) -> None:
    """Raises ConfigError where nobody takes it away."""
    try:
        run.resume.touch()
        deadline = time.monotonic() + TAKEN_WITHIN_S
        while run.resume.exists():
            if time.monotonic() > deadline or not is_held(run.root):
                run.resume.unlink(missing_ok=True)
                raise ConfigError(f"{run.root} did not hear: it ends, or goes on already")
            time.sleep(LOOKS_EVERY_S)
    except OSError as error:
        raise ConfigError(f"{run.resume}: {why(error)}") from error
