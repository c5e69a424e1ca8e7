"""Cells in columns that fit a screen.

What gives way, in this order: headings, lines of words, a number's unit, words. A verdict only
where nothing else can.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

GAP = 2
"""Blanks between columns."""
_LEAST = 8
"""Characters of a column of words, as long as all others are as narrow as they can be."""
Cells = Sequence[Text]


@dataclass(frozen=True, slots=True)
class Kind:
    """Of a column: ``right`` is where its numbers stand, ``whole`` keeps words in one line."""

    right: bool = False
    whole: bool = False


def widths(kinds: Sequence[Kind], heads: Cells, rows: Sequence[Cells], room: int) -> list[int]:
    """Characters of each column, all of them within ``room`` if that is possible at all."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(heads)
    data = [max(map(_long, cells), default=0) for cells in columns]
    words = [max(map(_word, cells), default=0) for cells in columns]
    head = [_word(text) for text in heads]
    whole = list(map(max, data, head))
    units = list(map(max, words, head))
    made = list(map(max, data, map(_long, heads)))

    def floors(of_words: Sequence[int], of_numbers: Sequence[int]) -> list[int]:
        chosen = zip(kinds, of_words, of_numbers, whole, strict=True)
        return [w if kind.whole else n if kind.right else o for kind, o, n, w in chosen]

    short = [min(width, _LEAST) for width in units]
    steps = floors(whole, whole), floors(units, whole), floors(units, units), floors(short, units)
    for step in (*steps, [1] * len(made)):
        _narrow(made, step, room - GAP * (len(made) - 1))
    return made


def _narrow(made: list[int], floors: Sequence[int], room: int) -> None:
    """Take from the widest that is above its floor until all fit, or none is."""
    while sum(made) > room and (above := [i for i, w in enumerate(made) if w > floors[i]]):
        made[max(above, key=made.__getitem__)] -= 1


def lined_up(
    console: Console, kinds: Sequence[Kind], cells: Cells, wide: Sequence[int]
) -> Iterator[Text]:
    """A row as the lines it takes, without blanks at their ends."""
    folded = [
        text.wrap(console, width, overflow="fold") for text, width in zip(cells, wide, strict=True)
    ]
    for parts in zip_longest(*folded):
        line = Text()
        for part, width, kind in zip(parts, wide, kinds, strict=True):
            text = Text() if part is None else part
            blanks = width - cell_len(text.plain)
            line.append_text(Text(" " * blanks) + text if kind.right else text + Text(" " * blanks))
            line.append(" " * GAP)
        line.rstrip()
        yield line


def _long(text: Text) -> int:
    return cell_len(text.plain)


def _word(text: Text) -> int:
    """Of its longest word."""
    return max(map(cell_len, text.plain.split()), default=0)
