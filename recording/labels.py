"""Labels: what people know a run by, such as ``shop=1.4.2``. They decide nothing."""

import re
from collections.abc import Iterable, Mapping

from recording.errors import ConfigError
from recording.text import plain

MOST = 20
MAX_CHARS = 200
"""Of a value."""
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")


def parse_labels(given: Iterable[str]) -> dict[str, str]:
    """Each is ``key=value``. Raises ConfigError naming the option and what is allowed."""
    found: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not (equals and _KEY.fullmatch(key)):
            raise ConfigError(
                f"--label {plain(text)}: write key=value, for example shop=1.4.2; a key begins "
                "with a letter and has at most 63 letters, digits, '_', '.' and '-'"
            )
        if not 0 < len(value) <= MAX_CHARS or value != plain(value):
            raise ConfigError(
                f"--label {key}: its value must be 1 to {MAX_CHARS} printable characters"
            )
        if key in found:
            raise ConfigError(f"--label {key}: given twice, as {found[key]} and {value}")
        found[key] = value
    if len(found) > MOST:
        raise ConfigError(f"--label: {len(found)} labels, at most {MOST} are kept")
    return found


def as_text(labels: Mapping[str, str]) -> str:
    """``shop=1.4.2, team=checkout``."""
    return ", ".join(f"{key}={value}" for key, value in labels.items())
