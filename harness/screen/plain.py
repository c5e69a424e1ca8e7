"""Consoles and output on which text is only text."""

import os
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.text import Text

from recording.text import plain_lines, plainly

_NARROWEST, _WIDEST = 20, 1000
"""Characters of a line."""


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
    """A table or list as JSON, its texts plain; bytes are JSON already."""
    made = plainly(value)
    if not isinstance(made, bytes):
        made = orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    typer.echo(made.decode(), nl=False)
