"""A `Document` as a page of Markdown; what would be syntax there is escaped, text stays text."""

import re
from collections.abc import Iterator

from analysis.report.document import Cell, Code, Document, Line, Mark, Table
from analysis.words.values import Measurement

_SYNTAX = re.compile(
    r"[\\`*\[\]|~]"
    r"|<(?=[A-Za-z/!?])"  # a tag, a comment, a link in brackets
    r"|&(?=#|\w+;)"  # an entity
    r"|(?<!\w)_|_(?!\w)"  # emphasis; inside of a word it is none
    r"|:(?=//|[\w+-]+:)"  # a url, an emoji
    r"|(?<=www)\."
)
_MENTION = re.compile(r"(?<!\w)@(?=\w)")
"""Calls a person or a team in a comment, escaped or not; as code it does not."""
_OPENING = re.compile(r"^(?:[#>=+-]|\d+(?=[.)](?:\s|$)))")
_BACKTICKS = re.compile(r"`+")


def md(text: str) -> str:
    """A plain line as a paragraph, an item or a cell of a table."""
    escaped = _MENTION.sub("`@`", _SYNTAX.sub(lambda found: "\\" + found.group(), text))
    opening = _OPENING.match(escaped)
    if opening is None:
        return escaped
    word = opening.group()
    return f"{word}\\{escaped[len(word) :]}" if word.isdigit() else f"\\{escaped}"


def code(text: str) -> str:
    """A plain line as code, whatever backticks stand in it; not for a cell of a table."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence, pad = "`" * (longest + 1), " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def markdown(document: Document) -> str:
    """The whole page: the verdict first, then why, then every number."""
    return "\n".join(_page(document.seen_by("page"))) + "\n"


def _page(page: Document) -> Iterator[str]:
    for opening in (f"# {page.headline}" if page.headline else "", md(page.summary)):
        if opening:
            yield from (opening, "")
    for block in (*page.facts, *page.blocks):
        if block.title:
            yield from (f"## {block.title}", "")
        if isinstance(block, Table):
            yield from _table(block)
        else:
            for line, below in block.each():
                yield f"- {_line(line)}"
                yield from (f"  - {_line(one)}" for one in below)
        yield ""


def _line(line: Line) -> str:
    parts = (line,) if isinstance(line, str) else line
    return "".join(code(part) if isinstance(part, Code) else md(part) for part in parts)


def _table(table: Table) -> Iterator[str]:
    yield "".join(f"| {md(c.title)} " if c.title else "| " for c in table.columns) + "|"
    yield "".join("|--:" if c.right else "|---" for c in table.columns) + "|"
    for row in table.rows:
        yield "| " + " | ".join(md(_cell(cell)) for cell in row.cells) + " |"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Measurement):
        return cell.shown
    return (cell.page or cell.text) if isinstance(cell, Mark) else cell
