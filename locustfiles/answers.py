"""What a good answer to a step is: its values, not only its keys.

What it must hold is what the seed's Appendix B and the mocks answer; a key that a shop may leave
out is checked if it comes.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

_ABSENT = object()
_SHOWN_CHARS = 40
LONGEST_ID = 1000
"""Characters: what is longer names nothing, and fills the recording."""
_CONFESSIONS: Mapping[str, Callable[[object], bool]] = {
    "error": bool, "errors": bool, "success": lambda value: value is False,
}  # fmt: skip
"""By which a body says of itself that it is no good answer, whatever else it holds."""

Good = Callable[[object, object], bool]
"""Whether a value is good, given what the request sent under the same key."""


def text(value: object, _sent: object) -> bool:
    """Something that is not blank: an id."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST_ID


def echo(value: object, sent: object) -> bool:
    """What was asked for."""
    return value == sent


def some(value: object, _sent: object) -> bool:
    """A list of things, none of them empty."""
    return isinstance(value, list) and bool(value) and all(value)


def positive(value: object, _sent: object) -> bool:
    """A number of things that are there."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def says(word: str) -> Good:
    """This word."""
    return lambda value, _sent: value == word


class Field(NamedTuple):
    """A key of a good body and what its value must be."""

    key: str
    good: Good
    required: bool = True


def fault(fields: tuple[Field, ...], body: object, sent: Mapping[str, Any]) -> str:
    """What is wrong with a body, in a few words; "" for a good one."""
    if not isinstance(body, dict):
        return "not a JSON object"
    for key, good, required in fields:
        value = body.get(key, _ABSENT)
        if value is _ABSENT:
            if required:
                return f"no {key}"
        elif not good(value, sent.get(key)):
            if good is echo and text(value, None):
                return f"{key} is not what was asked for"  # ids differ from answer to answer
            return f"{key} is {_shown(value)}"
    said = (key for key, says_so in _CONFESSIONS.items() if says_so(body.get(key)))
    return next((f"{key} is {_shown(body[key])}" for key in said), "")


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value[:_SHOWN_CHARS]}"'
    if isinstance(value, list | dict) and value:
        return "a list" if isinstance(value, list) else "an object"
    return orjson.dumps(value).decode()[:_SHOWN_CHARS]
