"""Consoles and output on which text is only text."""

import os
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.text import Text

from recording.text import plain_lines, plainly

PLAIN_VARIABLE = "NO_COLOR"
"""Set to anything (https://no-color.org), as ``--plain`` does."""
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
        self.is_plain = bool(os.environ.get(PLAIN_VARIABLE)) or os.environ.get("TERM") == "dumb"
        if self.is_plain:
            how["color_system"] = None  # takes bold and dim away too
        super().__init__(**how, markup=False, emoji=False, highlight=False)

    @property
    def is_redrawn(self) -> bool:
        """Whether a picture on it can take the place of the one before."""
        return self.is_terminal and not self.is_plain

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
