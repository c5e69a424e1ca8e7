"""Foreign text: what a service, a repository, a file's name or a person's option says.

`plain` is its one way into a verdict, a report or onto a screen. It takes away what could act
there by itself: control and direction characters, line breaks, commands of a CI job's log. What a
medium has as syntax (Markdown, XML, CSV) is escaped where that medium is written.
"""

import re
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")
MAX_CHARS = 2000
"""Of one text in a report: no page of HTML, and room for a log's last lines."""
INSTEAD = "\N{REPLACEMENT CHARACTER}"
_COMMAND = re.compile(r"::(?=[A-Za-z][A-Za-z-]*(?:\s.*)?::)|##(?=\w*\[)")
"""`::error title=x::...` and `##[error]...`: GitHub's and Azure's runners obey a log's lines."""
_BREAK = re.compile(r" *[^\S ]\s*")
_SAFE_IN_CSV = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in "%,\"'") + " "
_FORMULA = ("=", "+", "-", "@")


def plain(text: str, limit: int = MAX_CHARS) -> str:
    """One line of printable characters, cut at ``limit``; each other character is shown as �."""
    line = _visible(text[: 2 * limit]).strip()
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def plain_lines(text: str) -> str:
    """As `plain`, but a screen's lines stay lines, at their full length."""
    return "\n".join(map(_visible, text.split("\n")))


def _visible(text: str) -> str:
    line = _BREAK.sub(" ", text)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else INSTEAD for c in line)
    return _COMMAND.sub(lambda found: " ".join(found.group()), line)


def plainly(value: T) -> T:
    """The same value (lists, tables, frozen values) with every text in it made plain."""
    made: Any = value
    if isinstance(value, float | int | None):
        return value
    if type(made) is str:
        made = plain(made)
    elif isinstance(value, list | tuple):
        made = type(value)(plainly(below) for below in value)
    elif isinstance(value, dict):
        made = {plainly(key): plainly(below) for key, below in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        now = [(name, getattr(value, name)) for name in _given(type(value))]
        changed = {name: to for name, below in now if (to := plainly(below)) is not below}
        made = replace(value, **changed) if changed else value
    return made if made != value else value


@lru_cache
def _given(kind: type) -> tuple[str, ...]:
    """The fields that a dataclass is made with: what looking them up again costs adds up."""
    return tuple(field.name for field in fields(kind) if field.init)


@lru_cache(10_000)  # a run has some hundred names, and writes each once a second
def csv_field(text: str) -> str:
    """As a field of our series: what would end a field or a line, or act, is percent-encoded."""
    encoded = quote(text, safe=_SAFE_IN_CSV, errors="replace")
    return f"%{ord(text[0]):02X}{encoded[1:]}" if text.startswith(_FORMULA) else encoded
