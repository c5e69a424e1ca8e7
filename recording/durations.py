"""Durations as people write them: ``90s``, ``2h``, ``1h30m``, ``250ms``."""

import re
from typing import Annotated, Any, Final

from pydantic import (
    BeforeValidator,
    PlainSerializer,
    SerializationInfo,
    ValidationInfo,
    WithJsonSchema,
)

BY_HAND: Final = "written by hand"
"""Validation context of files and options: there a number without a unit is refused. Recordings
and plans, which a program wrote, hold seconds."""
FOR_PEOPLE: Final = "for people"
"""Serialization context in which durations are words; in a recording they are seconds."""
MAX_DURATION_S: Final = 10 * 365 * 86_400.0
"""Ten years: nothing here takes longer, and a clock can still be added to it."""
FORMS: Final = "write 250ms, 90s, 2m, 1h30m or 2d"
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
WRITTEN: Final = r"^(\s*\d+(\.\d+)?\s*(ms|min|s|m|h|d))+\s*$"
"""The same as a pattern of JSON Schema, for editors."""
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*(ms|min|s|m|h|d)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+", re.ASCII)


def parse_duration_s(text: Any) -> float:
    """Seconds in ``text``, to the nanosecond; a number is seconds already.

    Raises ValueError (which pydantic turns into a located error) naming the allowed forms.
    """
    cleaned = str(text).strip()
    if isinstance(text, int | float) and not isinstance(text, bool):
        seconds = text
    elif _WHOLE.fullmatch(cleaned):
        parts = _PART.findall(cleaned)
        seconds = round(sum(float(number) * _UNIT_S[unit] for number, unit in parts), 9)
    else:
        raise ValueError(f"not a duration; {FORMS}")
    if not 0 <= seconds <= MAX_DURATION_S:
        raise ValueError(f"not a duration between 0s and ten years; {FORMS}")
    return float(seconds)


def _field(value: Any, info: ValidationInfo) -> float:
    if info.context == BY_HAND and not isinstance(value, str):
        raise ValueError(f"a duration needs its unit: {FORMS}")
    return parse_duration_s(value)


def format_duration(seconds: float) -> str:
    """The shortest honest form: ``250ms``, ``42s``, ``2m30s``, ``6h14m``."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    hours, rest = divmod(round(seconds), 3600)
    parts = [(hours, "h"), (rest // 60, "m"), (rest % 60, "s")]
    shown = [f"{n}{u}" for n, u in parts if n]
    return "".join(shown[:2]) or "0s"


def _told(seconds: float, info: SerializationInfo) -> float | str:
    """Exactly, where the short form is not."""
    if info.context != FOR_PEOPLE:
        return seconds
    short = format_duration(seconds)
    return short if parse_duration_s(short) == seconds else f"{seconds:.12g}s"


DurationS = Annotated[
    float,
    BeforeValidator(_field),
    PlainSerializer(_told),
    WithJsonSchema({"type": "string", "pattern": WRITTEN, "examples": ["250ms", "90s", "1h30m"]}),
]
"""A pydantic field holding seconds that accepts ``"90s"``."""
