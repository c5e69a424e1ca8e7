"""Secrets: live payment keys are refused, everything else that gives access is never written.

``redact`` is the one way of a text into a file or onto the screen; ``live_keys`` says where in a
table of settings a live key stands, never the key.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LIVE_KEY = re.compile(r"(?:sk|rk)_live_", re.IGNORECASE)
"""Stripe's secret and restricted keys of live mode (docs.stripe.com/keys)."""
_IN_BASE64 = re.compile(r"(?:c2t|cmt)fbGl2ZV[89+/_-]")
"""The same at the start of a base64 text: HTTP Basic has the key for its user."""
_TIMES_ENCODED = 3
HIDDEN = "[redacted]"
SHORTEST_TOKEN = 16
"""Characters; a shorter one can be guessed."""

_PATTERNS = (
    # Stripe's keys and webhook secrets, live ones included
    (
        re.compile(
            r"\b(?:[srp]k(?:_|%5f)(?:test|live)|whsec)(?:_|%5f)[\w%-]+",
            re.IGNORECASE,
        ),
        HIDDEN,
    ),
    # user and password of a url
    (re.compile(r"(?<=://)[^\s/@'\"?#]+@"), f"{HIDDEN}@"),
    # an Authorization header or value, with or without its scheme
    (
        re.compile(
            r"(?i)(\b(?:proxy-)?authorization\b['\"]?\s*[:=]\s*)"
            r"(?:['\"](?:\\.|[^'\"\\])*['\"]|[^\r\n,;'\"}]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?!\[)[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # --token VALUE, x_token=VALUE, "api_key": "VALUE", X-Api-Key: VALUE
    (
        re.compile(
            r"(?i)(--token(?:\s+|=)"
            r"|\b[\w-]*(?:[_-]token|password|passwd|secret|api[_-]?key)['\"]?\s*[:=]\s*['\"]?"
            r"|\btoken(?:=|['\"]\s*[:=]\s*)['\"]?)"
            r"(?!\[redacted)[^\s'\",;&}]{4,}"
        ),
        rf"\1{HIDDEN}",
    ),
)
_SECRET_ENTRY = re.compile(
    r"(?i)(?:token|password|passwd|secret|authorization|(?:api|access|payment|private)[_-]?key)$"
)
_WORTH_A_LOOK = re.compile(
    r"(?i)k(?:_|%5f)(?:test|live)|whsec|://|authorization|bearer|basic|token|passw|secret|api[_-]?key"
)
_known: list[str] = []
"""The longest first: one may be the beginning of another."""


def keep_secret(token: str, shortest: int = SHORTEST_TOKEN) -> str:
    """From now on ``redact`` hides this text wherever it stands; returns it.

    One of less than so many characters is left alone: it may stand in any text.
    """
    if len(token) >= shortest and token not in _known:
        _known.append(token)
        _known.sort(key=len, reverse=True)
    return token


def redact(text: str) -> str:
    """The text without keys, passwords and tokens."""
    for token in _known:
        text = text.replace(token, HIDDEN)
    if _WORTH_A_LOOK.search(text):
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
    return text


def redact_file(path: Path) -> None:
    """Hide them in a text that another program has written, in place. Raises OSError."""
    text = path.read_bytes().decode(errors="surrogateescape")
    clean = redact(text)
    if clean != text:
        path.write_bytes(clean.encode(errors="surrogateescape"))


def redacted(value: Any) -> Any:
    """The same value with every text in it redacted, and every entry that is named as a secret."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _entry(str(key), below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(below) for below in value]
    return value


def _entry(key: str, value: Any) -> Any:
    if isinstance(value, str) and value and _SECRET_ENTRY.search(key):
        return HIDDEN
    return redacted(value)


def has_live_key(text: str) -> bool:
    """Whether a live payment key stands in the text: as it is, url-encoded or in base64."""
    for _ in range(_TIMES_ENCODED):
        if LIVE_KEY.search(text) or _IN_BASE64.search(text):
            return True
        text = unquote(text)
    return False


def live_keys(value: Any, place: str = "") -> Iterator[str]:
    """Where in nested tables and lists a live key stands, names of entries included."""
    if isinstance(value, str):
        if has_live_key(value):
            yield place
    elif isinstance(value, Mapping):
        for key, below in value.items():
            if has_live_key(str(key)):
                yield f"a key of {place}" if place else "a key"
            else:
                yield from live_keys(below, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, below in enumerate(value):
            yield from live_keys(below, f"{place}[{number}]")
