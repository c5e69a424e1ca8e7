"""``loadgate``: one command, a verb per file in harness/verbs, and the exit codes.

A verb is a module whose docstring is its help, with a function of the verb's name, or with
``actions``, a command line of its own. It is imported when it is called.
"""

import logging
import os
import sys
import traceback
from typing import Annotated

import typer

from harness.lazy_verbs import LazyVerbs, summary
from harness.screen.plain import Screen, forget_odd_width
from harness.system.parent import end_with_starter
from harness.system.signals import stop_like_ctrl_c
from harness.system.streams import make_unfailing
from harness.usage import usage_line
from recording.errors import LoadgateError
from recording.exitcodes import ExitCode
from recording.secrets import redact
from recording.version import version

VERBS = (
    "run", "resume", "gate", "init", "capacity", "import", "analyze", "report", "compare",
    "baseline", "calibrate",
    "runs", "mocks", "audit", "worker", "schema", "tune", "trend", "seed", "cleanup", "rules",
    "metrics",
)  # fmt: skip
app = typer.Typer(
    name="loadgate",
    cls=LazyVerbs,
    help="Load-test the checkout and judge the run: PASS, FAIL, INCONCLUSIVE or INVALID.",
    epilog="Exit codes: 0 PASS, 1 internal error, 2 usage or configuration error, 3 FAIL, "
    "4 INVALID (the run is no evidence), 5 INCONCLUSIVE, 130 stopped before anything began.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"loadgate {version()}")
        raise typer.Exit


@app.callback()
def _top(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


for name in VERBS:
    app.command(name, short_help=summary(name))(lambda: None)


def main() -> None:
    """Run the command line; every expected error becomes one line and its exit code."""
    make_unfailing()
    forget_odd_width()
    if os.environ.get("LOADGATE_DEBUG"):
        logging.basicConfig(level=logging.DEBUG)
    console = Screen(stderr=True, soft_wrap=True)
    stop_like_ctrl_c()
    end_with_starter()
    try:
        sys.exit(app(prog_name="loadgate", standalone_mode=False) or 0)
    except typer.TyperException as error:
        if line := usage_line(error):
            console.print(redact(line), style="red")
        sys.exit(int(ExitCode.USAGE_ERROR))
    except typer.Abort:
        sys.exit(int(ExitCode.INTERNAL_ERROR))
    except LoadgateError as error:
        console.print(redact(f"loadgate: {error}"), style="red")
        sys.exit(int(error.exit_code))
    except Exception:  # noqa: BLE001 - the last line of defence, and it is loud
        console.print(redact(traceback.format_exc()))
        console.print("loadgate: internal error (this is a bug)", style="red")
        sys.exit(int(ExitCode.INTERNAL_ERROR))


if __name__ == "__main__":
    main()
