"""What the verbs' screens share: colours, plain tables, titled lines, the verdict."""

import os
from collections.abc import Iterable
from math import isnan
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.words.values import Outcome
from recording.text import plain_lines, plainly

_NARROWEST, _WIDEST = 20, 1000
"""Characters of a line."""
STYLE = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.INVALID: "magenta",
}


def forget_odd_width() -> None:
    """COLUMNS in which nothing can be shown, or that would fill the memory, is nobody's screen."""
    said = os.environ.get("COLUMNS", "")
    if said not in map(str, range(_NARROWEST, _WIDEST + 1)):
        os.environ.pop("COLUMNS", None)


class Screen(Console):
    """A console on which text is only text: no markup, no emoji codes, no control characters."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **how: Any) -> Text:
        """Whatever is printed as a string, or stands in a cell as one, goes through here."""
        return super().render_str(plain_lines(text), **how)


def styled(text: str, style: str) -> Text:
    """The same for a text with a style of its own."""
    return Text(plain_lines(text), style)


def print_json(value: Any) -> None:
    """A table or list as JSON, its texts plain."""
    typer.echo(orjson.dumps(plainly(value), option=orjson.OPT_INDENT_2).decode())


def widen(console: Screen, columns: int) -> Screen:
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


def figure(value: float | None) -> str:
    """A number of a column, to three digits; ``·`` where there is none."""
    if value is None or isnan(value):
        return "·"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def print_lines(console: Screen, title: str, lines: Iterable[str], style: str) -> None:
    """Each line behind its title."""
    for line in lines:
        console.print(styled(title, style), line, sep="  ", soft_wrap=True)


def print_verdict_line(console: Screen, verdict: Outcome, summary: str) -> None:
    """The verdict in its colour, and its one sentence."""
    console.print(styled(verdict, f"bold {STYLE[verdict]}"), summary, sep="  ", soft_wrap=True)
