"""Text in Markdown: what would be syntax there is escaped, so that text stays text."""

import re

_SYNTAX = re.compile(
    r"[\\`*\[\]|~]"
    r"|<(?=[A-Za-z/!?])"  # a tag, a comment, a link in brackets
    r"|&(?=#|\w+;)"  # an entity
    r"|(?<!\w)_|_(?!\w)"  # emphasis; inside of a word it is none
    r"|:(?=//|[\w+-]+:)"  # a url, an emoji
    r"|(?<=www)\."
)
_OPENING = re.compile(r"^(?:[#>=+-]|\d+(?=[.)]))")
_BACKTICKS = re.compile(r"`+")


def md(text: str) -> str:
    """A plain line as a paragraph, an item or a cell of a table."""
    escaped = _SYNTAX.sub(lambda found: "\\" + found.group(), text)
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
