"""Durations as people write them: ``90s``, ``2h``, ``1h30m``, ``250ms``."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)")
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+")


def parse_duration_s(text: Any) -> float:
    """Seconds in ``text``; a bare number is seconds already.

    Raises ValueError (which pydantic turns into a located error) naming the allowed forms.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    cleaned = str(text).strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", cleaned):
        return float(cleaned)
    if not _WHOLE.fullmatch(cleaned):
        raise ValueError(f"{text!r} is not a duration; write 250ms, 90s, 2m, 1h30m or 2d")
    return sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(cleaned))


def format_duration(seconds: float) -> str:
    """The shortest honest form: ``250ms``, ``42s``, ``2m30s``, ``6h14m``."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "m"), (secs, "s")]
    shown = [f"{n}{u}" for n, u in parts if n]
    return "".join(shown[:2]) or "0s"


DurationS = Annotated[float, BeforeValidator(parse_duration_s)]
"""A pydantic field holding seconds that accepts ``"90s"``."""
