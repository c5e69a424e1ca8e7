"""Tables and lines as HTML; every text is escaped, and a moment of the run leads to its charts."""

import re
from collections.abc import Iterator
from html import escape

from analysis.report.document import Block, Cell, Code, Column, Line, Lines, Mark, Table, Tone
from analysis.words.values import Measurement
from recording.text import plain

_SPAN = r"(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d+)?s)?"
_MOMENT = rf"T\+{_SPAN}(?<!\+)(?: \({_SPAN}(?<!\()\))?"
"""Of a story, with the run's own time behind it."""
_MOMENTS = re.compile(rf"({_MOMENT})(?:(?: to | and |, then .*? from )({_MOMENT}))?")
FEW = 4
"""Columns that fit anywhere."""
ID = 24
"""Characters without a blank: the number of a request, which is not to be broken."""
_PART = re.compile(r"([\d.]+)([hms])")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def text(words: str) -> str:
    """A plain line, escaped."""
    return escape(plain(words))


def anchor(title: str) -> str:
    """The id of a section."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def section(block: Block, *, moments: bool = False) -> Iterator[str]:
    """A block under its title. ``moments``: there are charts over time to lead to."""
    name = anchor(block.title)
    yield f'<section id="{name}"{_tone(block)}>' if name else f"<section{_tone(block)}>"
    if block.title:
        yield f"<h2>{text(block.title)}</h2>"
    if isinstance(block, Table):
        yield from _table(block, moments)
    else:
        yield "<ul>"
        for line, below in block.each():
            under = "".join(f"<li>{in_line(one, moments=moments)}</li>" for one in below)
            nested = f"<ul>{under}</ul>" if under else ""
            yield f"<li>{in_line(line, moments=moments)}{nested}</li>"
        yield "</ul>"
    yield "</section>"


def _tone(block: Block) -> str:
    return tone(block.tone) if isinstance(block, Lines) else ""


def tone(of: Tone) -> str:
    """As an attribute, which the style sheet colours."""
    return f' data-tone="{of}"' if of else ""


def in_line(line: Line, *, moments: bool = False) -> str:
    """A line, its identifiers as code."""
    parts = _with_code(line) if isinstance(line, str) else line
    return "".join(
        f"<code>{text(part)}</code>" if isinstance(part, Code) else _linked(part, moments)
        for part in parts
    )


def _with_code(words: str) -> Iterator[str]:
    """Its parts, what stands between backticks as `Code`."""
    for place, part in enumerate(words.split("`")):
        if part:
            yield Code(part) if place % 2 and words.count("`") % 2 == 0 else part


def _linked(words: str, moments: bool) -> str:
    """With the blanks at its ends, which part it from a name beside it."""
    said = _MOMENTS.sub(_link, text(words)) if moments else text(words)
    return f"{' ' * words.startswith(' ')}{said}{' ' * words.endswith(' ')}"


def _link(found: re.Match[str]) -> str:
    begin, end = found[1], found[2] or found[1]
    return (
        f'<a class="moment" href="#charts" data-from="{_seconds(begin):g}" '
        f'data-to="{_seconds(end):g}">{found[0]}</a>'
    )


def _seconds(moment: str) -> float:
    """Of the run."""
    moment = moment.rpartition("(")[2]
    return sum(float(n) * _SECONDS[unit] for n, unit in _PART.findall(moment))


def _table(table: Table, moments: bool) -> Iterator[str]:
    """A long row that ends in a verdict is broken where the screen is narrow: by page.css."""
    name = text(table.title or table.columns[0].title)
    judged = len(table.columns) > FEW and table.columns[-1].verdict
    style = ' class="judged"' if judged else ""
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{name}">'
    yield f"<table{style}><thead><tr>"
    for column in table.columns:
        title = text(column.title) if column.title else '<span class="aside">result</span>'
        yield f'<th scope="col"{_side(column.right)}>{title}</th>'
    yield "</tr></thead><tbody>"
    for row in table.rows:
        cells = zip(table.columns, row.cells, strict=True)
        shown = (_cell(cell, _of(column, judged=judged), moments) for column, cell in cells)
        yield f"<tr>{''.join(shown)}</tr>"
    yield "</tbody></table></div>"


def _side(right: bool) -> str:
    return ' class="number"' if right else ""


def _of(column: Column, *, judged: bool) -> str:
    """What its cells have: their side, and what a number is called where no heading stands."""
    return _side(column.right) + (
        f' data-of="{text(column.title)}"' if judged and column.right else ""
    )


def _cell(cell: Cell, of: str, moments: bool) -> str:
    if isinstance(cell, Measurement):
        return f"<td{of}>{text(cell.shown)}</td>"
    if isinstance(cell, Mark):
        return f"<td{of}{tone(cell.tone)}>{_linked(cell.page or cell.text, moments)}</td>"
    one_word = ' class="id"' if not of and len(cell) >= ID and " " not in cell else of
    return f"<td{one_word}>{_linked(cell, moments)}</td>"
