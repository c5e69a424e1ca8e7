"""A `Document` on a screen: tables, then lines, and the verdict last, where the eye ends."""

import os
from collections.abc import Mapping
from math import isnan
from typing import Any

from rich.console import JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

from analysis.report.chart import Chart
from analysis.report.document import Block, Cell, Document, Lines, Mark, Table, Tone
from analysis.words.values import Measurement, Outcome
from harness.screen.chart import plot
from harness.screen.plain import Screen, print_json, styled

_WIDE = 150
"""Columns that the widest table takes."""
_PICTURE, _PICTURE_ROWS, _PICTURES = 80, 8, 2
"""Columns and rows of one, and how many a screen shows; a page has all."""
_STYLE: Mapping[Tone, str] = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.INVALID: "magenta",
    "note": "cyan",
    "quiet": "dim",
    "strong": "bold",
    None: "",
}


def answer(document: Document, value: Any, *, as_json: bool) -> None:
    """What a verb found: on a screen, or its value as JSON."""
    if as_json:
        print_json(value)
    else:
        show(Screen(), document)


def show(console: Screen, document: Document) -> None:
    """Print it; at least as wide as its tables where nobody looks at a screen (CI logs)."""
    if not console.is_terminal:
        console.width = max(console.width, _WIDE)
    screen = document.seen_by("screen")
    for block in sorted(screen.blocks, key=lambda block: isinstance(block, Lines)):
        _print(console, block)
    for chart in screen.charts[:_PICTURES]:
        _plot(console, chart)
    if outcome := screen.outcome:
        console.print()
        for facts in screen.facts:
            _print(console, facts)
        word = styled(outcome, f"bold {_STYLE[outcome]}")
        console.print(word, screen.summary, sep="  ", soft_wrap=True)
    if screen.closing:
        console.print(screen.closing, style=_STYLE["quiet"], soft_wrap=True)


def _plot(console: Screen, chart: Chart) -> None:
    ascii_only = os.environ.get("TERM") == "dumb" or console.options.ascii_only
    for line in plot(chart, min(console.width, _PICTURE), _PICTURE_ROWS, plain=ascii_only):
        console.print(line, soft_wrap=True)


def _print(console: Screen, block: Block) -> None:
    if isinstance(block, Table):
        console.print(_table(block, console.width))
        return
    style = _STYLE[block.tone]  # of the label, or of all where there is none
    for line in map("".join, block.lines):
        said = (styled(block.label, style), line) if block.label else (styled(line, style),)
        console.print(*said, sep="  ", soft_wrap=True)


def _table(block: Table, width: int) -> RichTable:
    """On a narrow screen every column wraps, so that none is lost; else words stay in one piece."""
    made = RichTable(box=None, pad_edge=False)
    for column in block.columns:
        whole = width >= _WIDE and not (column.right or column is block.columns[-1])
        side: JustifyMethod = "right" if column.right else "left"
        made.add_column(column.short, justify=side, no_wrap=whole, overflow="fold")
    for row in block.rows:
        made.add_row(*map(_cell, row.cells))
    return made


def _cell(cell: Cell) -> str | Text:
    if isinstance(cell, Measurement):
        return _figure(cell)
    return styled(cell.text, _STYLE[cell.tone]) if isinstance(cell, Mark) else cell


def _figure(m: Measurement) -> str:
    """To three digits; ``·`` where there is none."""
    if isnan(m.value):
        return "·"
    text = f"{m.value:.3g}" if m.value < 100 else f"{m.value:.0f}"
    return f"at least {text}" if m.at_least else text
