"""What the verbs' screens share: colours, plain tables, titled lines, the verdict."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from analysis.values import Outcome

STYLE = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.INVALID: "magenta",
}


def widen(console: Console, columns: int) -> Console:
    """At least wide enough for the tables where nobody looks at a screen (CI logs)."""
    if not console.is_terminal:
        console.width = max(console.width, columns)
    return console


def table(*columns: str, left: int = 2) -> Table:
    """A plain table; all but the first ``left`` columns are numbers."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number < left else "right", no_wrap=True)
    return made


def print_lines(console: Console, title: str, lines: Iterable[str], style: str) -> None:
    """Each line behind its title."""
    for line in lines:
        console.print(f"[{style}]{title}[/]  ", end="")
        console.print(line, markup=False, soft_wrap=True)


def print_verdict_line(console: Console, verdict: Outcome, summary: str) -> None:
    """The verdict in its colour, and its one sentence."""
    console.print(f"[bold {STYLE[verdict]}]{verdict}[/]  ", end="")
    console.print(summary, markup=False, soft_wrap=True)
