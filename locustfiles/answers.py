"""What is wrong with an answer: its values are looked at, not only its keys."""

from collections.abc import Mapping
from typing import Any

import orjson

from loadgate_scenario import Check, maybe, same, text

_ABSENT = object()
_SHOWN_CHARS = 40
_CONFESSIONS = ("error", "errors", "success")
"""By which a body says of itself that it is no good answer, unless the step looks at that key."""


def fault(good: Mapping[str, Check] | Check | None, body: object, sent: Mapping[str, Any]) -> str:
    """What is wrong with a body, in a few words; "" for a good one."""
    if good is None:
        return ""
    if callable(good):
        return "" if good(body, sent) else f"it is {_shown(body)}"
    if not isinstance(body, dict):
        return "not a JSON object"
    for key, check in good.items():
        value = body.get(key, _ABSENT)
        if value is _ABSENT:
            if not isinstance(check, maybe):
                return f"no {key}"
        elif not check(value, sent.get(key)):
            if check is same and text(value):
                return f"{key} is not what was asked for"  # ids differ from answer to answer
            return f"{key} is {_shown(value)}"
    if body.get("error") or body.get("errors") or body.get("success") is False:
        said = (key for key in _CONFESSIONS if key not in good)
        return next((f"{key} is {_shown(body[key])}" for key in said if _confesses(body, key)), "")
    return ""


def _confesses(body: Mapping[str, Any], key: str) -> bool:
    value = body.get(key)
    return value is False if key == "success" else bool(value)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value[:_SHOWN_CHARS]}"'
    if isinstance(value, list | dict) and value:
        return "a list" if isinstance(value, list) else "an object"
    return orjson.dumps(value).decode()[:_SHOWN_CHARS]
