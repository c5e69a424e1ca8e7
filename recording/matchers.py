"""Label matchers as PromQL writes them: ``job="checkout",pod=~"checkout-.+"``.

One text says which series are meant, on a Prometheus server and on a page that we read ourselves.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MATCHER = re.compile(
    r"\s*(?P<label>[A-Za-z_]\w*)\s*(?P<op>=~|!~|!=|=)\s*"
    r"(?P<text>\"(?:[^\"\\\n]|\\.)*\")\s*",
    re.ASCII,
)
_ESCAPED = re.compile(r"\\(.)")
_NEWLINE = {"n": "\n"}
FORM = 'write label="value", with =, !=, =~ or !~, and a comma between two'


@dataclass(frozen=True, slots=True)
class Matcher:
    """One of them; a label that a series has not is ``""``, as in PromQL."""

    label: str
    op: str
    value: str

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether a series with these labels is meant."""
        given = labels.get(self.label, "")
        alike = re.fullmatch(self.value, given) if "~" in self.op else given == self.value
        return bool(alike) is not self.op.startswith("!")

    def __str__(self) -> str:
        quoted = self.value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        return f'{self.label}{self.op}"{quoted}"'


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """All of a text; () of an empty one. Raises ValueError that says what may be written."""
    found: list[Matcher] = []
    at = 0
    while at < len(text):
        part = _MATCHER.match(text, at)
        if part is None or text[part.end() : part.end() + 1] not in ("", ","):
            raise ValueError(f"no label matchers: {FORM}")
        found.append(_matcher(part["label"], part["op"], part["text"]))
        at = part.end() + 1
    return tuple(found)


def _matcher(label: str, op: str, quoted: str) -> Matcher:
    value = _ESCAPED.sub(lambda each: _NEWLINE.get(each[1], each[1]), quoted[1:-1])
    try:
        re.compile(value if "~" in op else "")
    except re.error as error:
        raise ValueError(f"{label}{op}{quoted}: no regular expression: {error}") from None
    return Matcher(label, op, value)


def checked_matchers(text: str) -> str:
    """The same text, for a field of a table. Raises ValueError."""
    parse_matchers(text)
    return text
