"""What pydantic refuses, in our words: what may be written, and never how it was checked."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

_KINDS = {
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "int_parsing_size": "write a whole number of fewer digits",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a finite number",
    "string_type": "write text in quotes",
    "string_unicode": "write text in UTF-8",
    "path_type": "write a path in quotes",
    "list_type": "write a list",
    "tuple_type": "write a list",
    "dict_type": "write a table",
    "mapping_type": "write a table",
    "model_type": "write a table",
    "model_attributes_type": "write a table",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be greater than or equal to {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be less than or equal to {le}",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "literal_error": "write {expected}",
    "enum": "write {expected}",
}
"""By pydantic's kind of error, with what it says of it."""
_PATTERNS = {
    "^[A-Za-z0-9]": "write a letter or digit first, and then letters, digits, blanks, _ . or -",
    "^https?:": "write http://HOST:PORT",
}
"""By how a field's pattern begins."""


def in_words(problem: Mapping[str, Any]) -> str:
    """One of a ValidationError's ``errors()``: what may stand there, with the nearest word."""
    kind, about = problem["type"], problem.get("ctx", {})
    if kind == "string_pattern_mismatch":
        known = (said for start, said in _PATTERNS.items() if about["pattern"].startswith(start))
        return next(known, f"must match {about['pattern']}")
    if kind in _KINDS:
        return _KINDS[kind].format(**_plainly(about)) + _nearest(problem)
    return str(problem["msg"]).removeprefix("Value error, ")


def _plainly(about: Mapping[str, Any]) -> dict[str, Any]:
    """Limits as a person writes them."""
    return {k: f"{v:.16g}" if isinstance(v, float) else v for k, v in about.items()}


def _nearest(problem: Mapping[str, Any]) -> str:
    words = re.findall(r"'([^']*)'", str(problem.get("ctx", {}).get("expected", "")))
    close = get_close_matches(str(problem["input"]), words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close and len(words) > 1 else ""
