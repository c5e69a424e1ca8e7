"""What there is to say of a result, for any medium: a verdict, facts, tables and lines.

A builder makes a `Document` of each kind of result; a renderer writes it for one medium. A page is
kept and read from the top: it has everything, and a unit beside every number. A screen is read
from its last line up, and is short. What only one of the two shows is marked so (``only``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Literal

from analysis.report.chart import Picture
from analysis.words.values import Measurement, Outcome

Audience = Literal["page", "screen"]
Tone = Outcome | Literal["note", "quiet", "strong"] | None
"""What a text is about, or how loud it is; a medium without colours ignores it."""


class Code(str):
    """A part of a line that is an identifier."""

    __slots__ = ()


Line = str | tuple[str, ...]
"""In parts, where some are `Code`; ``"".join`` makes text of either."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with a tone of its own; ``page`` is what a page says, which has room for more."""

    text: str
    tone: Tone
    page: str = ""


Cell = str | Measurement | Mark


@dataclass(frozen=True, slots=True)
class Column:
    """``short`` is its heading on a screen, which has the unit there instead of in the cells.

    ``verdict``: what became of each row; a screen has it first, and never folds it.
    """

    title: str
    short: str
    right: bool
    only: Audience | None
    verdict: bool = False


def texts(*titles: str, short: str | None = None, only: Audience | None = None) -> Iterator[Column]:
    """Columns of words."""
    return (Column(title, title if short is None else short, False, only) for title in titles)


def numbers(*titles: str, unit: str = "", only: Audience | None = None) -> Iterator[Column]:
    """Columns of numbers, of measurements in ``unit``."""
    return (Column(title, f"{title} {unit}".strip(), True, only) for title in titles)


def verdicts(title: str = "") -> Iterator[Column]:
    """The column of what became of each row, `Mark`s."""
    yield Column(title or "verdict", title or "verdict", False, None, verdict=True)


@dataclass(frozen=True, slots=True)
class Row:
    """A cell for each column, whoever sees it."""

    cells: tuple[Cell, ...]
    only: Audience | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """``title`` is its heading on a page; on a screen that of its first column has to do.

    ``passing`` names what a row is: a screen only counts those that PASS (``3 rules hold``), unless
    all are asked for. ``grouped``: there the first cell stands above the rows that have it.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    title: str = ""
    only: Audience | None = None
    passing: str = ""
    grouped: bool = False

    def seen_by(self, who: Audience) -> "Table":
        """The columns and rows that are for ``who``."""
        kept = [i for i, column in enumerate(self.columns) if column.only in (None, who)]
        rows = (each.cells for each in self.rows if each.only in (None, who))
        return replace(
            self,
            columns=tuple(self.columns[i] for i in kept),
            rows=tuple(Row(tuple(cells[i] for i in kept)) for cells in rows),
        )


@dataclass(frozen=True, slots=True)
class Lines:
    """Single lines under ``title`` on a page, each behind ``label`` on a screen.

    ``below`` has, for each of them, the lines that belong under it; empty where none has any.
    """

    lines: tuple[Line, ...]
    title: str = ""
    label: str = ""
    tone: Tone = None
    only: Audience | None = None
    below: tuple[tuple[Line, ...], ...] = ()

    def each(self) -> Iterator[tuple[Line, tuple[Line, ...]]]:
        """A line with those under it."""
        return zip_longest(self.lines, self.below, fillvalue=())


Block = Table | Lines


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit; ``beside`` is what to hold it against."""

    title: str
    value: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Glance:
    """What a reader should see first beside the verdict: a few numbers, and what they rest on.

    ``evidence`` says whether the run can be believed at all.
    """

    figures: tuple[Figure, ...]
    evidence: Mark


@dataclass(frozen=True, slots=True)
class Document:
    """All of it, in the order of a page. ``outcome`` is None for a list, which judges nothing.

    ``facts`` say what the verdict rests on and stand beside it; ``about`` is what nobody must miss
    of them where they stand at the end. ``closing`` is a screen's last line, below it. ``charts``
    show what the tables say too. ``appendix`` is for a medium on which length costs nothing.
    """

    blocks: tuple[Block, ...]
    outcome: Outcome | None = None
    headline: str = ""
    summary: str = ""
    facts: tuple[Block, ...] = ()
    closing: str = ""
    charts: tuple[Picture, ...] = ()
    glance: Glance | None = None
    appendix: tuple[Block, ...] = ()
    about: Line = ""

    def seen_by(self, who: Audience) -> "Document":
        """What is for ``who``, without what is empty."""
        parts = (self.blocks, self.facts, self.appendix)
        blocks, facts, appendix = (tuple(_seen(part, who)) for part in parts)
        return replace(self, blocks=blocks, facts=facts, appendix=appendix)


def _seen(blocks: Iterable[Block], who: Audience) -> Iterator[Block]:
    for block in blocks:
        if block.only in (None, who):
            part = block.seen_by(who) if isinstance(block, Table) else block
            if part.rows if isinstance(part, Table) else part.lines:
                yield part
