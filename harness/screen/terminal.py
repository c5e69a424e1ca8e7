"""A `Document` on a screen: tables, then lines, and the verdict last, where the eye ends."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan
from typing import Any

from rich.text import Text

from analysis.report.chart import Chart
from analysis.report.document import (
    Block,
    Cell,
    Code,
    Document,
    Line,
    Lines,
    Mark,
    Row,
    Table,
    Tone,
)
from analysis.words.units import counted
from analysis.words.values import Measurement, Outcome
from harness.screen.chart import plot
from harness.screen.columns import GAP, Kind, lined_up, widths
from harness.screen.plain import Screen, print_json, styled
from recording.text import plain_lines

_COMMAND = "`[^`]*`"
_BLANK = "\ue000"
"""Stands for a blank at which no line may break."""
_ANY = 10**6
"""Characters of a line that nobody looks at on a screen: it has one line in a file."""
_PICTURE, _PICTURE_ROWS, _PICTURES = 80, 8, 2
"""Columns and rows of one, and how many a screen shows; a page has all."""
_STYLE: Mapping[Tone, str] = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.INVALID: "magenta",
    Outcome.NOT_MEASURED: "cyan",
    "note": "cyan",
    "quiet": "dim",
    "strong": "bold",
    None: "",
}


def answer(document: Document, value: Any, *, as_json: bool, everything: bool = False) -> None:
    """What a verb found: on a screen, or its value as JSON."""
    if as_json:
        print_json(value)
    else:
        show(Screen(), document, everything=everything)


def show(console: Screen, document: Document, *, everything: bool = False) -> None:
    """Print it. Rows that PASS are counted unless ``everything`` is asked for.

    Lines are as wide as the screen; what goes elsewhere (a pipe, a log of CI) is as long as it is.
    """
    for block in sorted(document.blocks, key=lambda block: isinstance(block, Lines)):
        _print(console, block, everything)
    plots = [chart for chart in document.charts if isinstance(chart, Chart)]
    for chart in plots[:_PICTURES]:
        _plot(console, chart)
    if outcome := document.outcome:
        console.print()
        for facts in document.facts:
            _print(console, facts, everything)
        word = styled(outcome, f"bold {_STYLE[outcome]}")
        _say(console, word, _held_together(document.summary))
    if document.closing:
        console.print(document.closing, style=_STYLE["quiet"], soft_wrap=True)


def _plot(console: Screen, chart: Chart) -> None:
    ascii_only = os.environ.get("TERM") == "dumb" or console.options.ascii_only
    for line in plot(chart, min(console.width, _PICTURE), _PICTURE_ROWS, plain=ascii_only):
        console.print(line, soft_wrap=True)


def _print(console: Screen, block: Block, everything: bool) -> None:
    if block.only == "page":
        return
    if isinstance(block, Table):
        _print_table(console, block, everything)
        return
    style = _STYLE[block.tone]  # of the label, or of all where there is none
    for line, below in block.each():
        text = _held_together(line, "" if block.label else style)
        _say(console, styled(block.label, style), text)
        for one in below:
            _say(console, Text(" " * len(block.label)), _held_together(f"- {''.join(one)}"))


def _held_together(line: Line, style: str = "") -> Text:
    """With no blank inside of a command or a name: a line break there would spoil it."""
    parts = (line,) if isinstance(line, str) else line
    text = styled("".join(parts), style)
    names = [re.escape(part) for part in parts if isinstance(part, Code)]
    held = re.compile("|".join((_COMMAND, *names)))
    text.plain = held.sub(lambda found: found.group().replace(" ", _BLANK), text.plain)
    return text


def _say(console: Screen, label: Text, text: Text) -> None:
    """A label, and what it is about beside it, as wide as its longest command at least.

    A command at the end that does not fit there has a line of its own.
    """
    cells = [label, text] if label.plain else [text]
    before = [len(part) + GAP for part in cells[:-1]]
    room = _room(console) - sum(before)
    words = text.plain.split()
    if len(words) > 1 and len(words[-1]) > room:
        at = -len(words[-1])
        _say(console, label, text[:at])
        _say(console, Text(), text[at:])
        return
    if any(len(word) > room for word in words):
        room = _ANY  # the screen breaks it, and whoever copies it gets one line
    kinds = [Kind()] * len(cells)
    for line in lined_up(console, kinds, cells, [*(width - GAP for width in before), max(1, room)]):
        line.plain = line.plain.replace(_BLANK, " ")
        _put(console, line)


def _put(console: Screen, line: Text) -> None:
    """A folded line may begin with what a runner of CI would obey, where the whole did not."""
    if (safe := plain_lines(line.plain)) != line.plain:
        line = Text(safe)
    console.print(line, soft_wrap=True)


def _room(console: Screen) -> int:
    return console.width if console.is_terminal else _ANY


def _print_table(console: Screen, block: Table, everything: bool) -> None:
    """Its verdicts first; passing rows counted, and a group's name above its rows."""
    table = _verdict_first(block.seen_by("screen"))
    counts = block.passing and not everything
    shown = [row for row in table.rows if not (counts and _passes(row))]
    if shown:
        for line in _lines(console, table, [list(map(_cell, row.cells)) for row in shown]):
            _put(console, line)
    if counts and (count := sum(map(_passes, block.rows))):
        hold = "holds" if count == 1 else "hold"
        console.print(styled(f"{counted(count, block.passing)} {hold}", "dim"), soft_wrap=True)


def _lines(console: Screen, table: Table, rows: Sequence[Sequence[Text]]) -> Iterator[Text]:
    at = [column.verdict for column in table.columns].index(False)  # of a group's name
    names = [row[at].plain for row in rows]
    if table.grouped:
        table = replace(table, columns=_without(table.columns, at))
        rows = [_without(row, at) for row in rows]
    kinds = [Kind(column.right, column.verdict) for column in table.columns]
    heads = [styled(column.short, "bold") for column in table.columns]
    wide = widths(kinds, heads, rows, _room(console))
    yield from lined_up(console, kinds, heads, wide)
    before = ""
    for name, row in zip(names, rows, strict=True):
        if table.grouped and name != before:
            yield styled(name, "bold")
            before = name
        yield from lined_up(console, kinds, row, wide)


def _without(cells: Sequence[Any], at: int) -> tuple[Any, ...]:
    return (*cells[:at], *cells[at + 1 :])


def _verdict_first(table: Table) -> Table:
    order = sorted(range(len(table.columns)), key=lambda i: not table.columns[i].verdict)
    rows = tuple(replace(row, cells=tuple(row.cells[i] for i in order)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[i] for i in order), rows=rows)


def _passes(row: Row) -> bool:
    return any(isinstance(cell, Mark) and cell.tone is Outcome.PASS for cell in row.cells)


def _cell(cell: Cell) -> Text:
    if isinstance(cell, Measurement):
        return styled(_figure(cell), "")
    return styled(cell.text, _STYLE[cell.tone]) if isinstance(cell, Mark) else styled(cell, "")


def _figure(m: Measurement) -> str:
    """To three digits; ``·`` where there is none."""
    if isnan(m.value):
        return "·"
    text = f"{m.value:.3g}" if m.value < 100 else f"{m.value:.0f}"
    return f"at least {text}" if m.at_least else text
