"""What requests of a foreign file are called in a recording: steps."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from recording.errors import ConfigError
from recording.flow import FLOW
from recording.hlog import GENERATOR
from recording.profile import SUBJECTS
from recording.text import plain

MOST_STEPS = 1000
MOST_CHARS = 120
"""Of a name; a longer one is cut, and told apart by its digest."""
_TAKEN = frozenset({GENERATOR, "", *SUBJECTS} - {*FLOW.steps})
"""Names that mean something else in a recording."""


@dataclass(frozen=True)
class Steps:
    """Names as they were asked to be; ``renamed`` has what is replaced, a name or a pattern."""

    renamed: Mapping[str, str] = field(default_factory=dict)

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """The step of each name."""
        return {name: self._of(name) for name in names}

    def _of(self, name: str) -> str:
        if name in self.renamed:
            return self.renamed[name]
        by_pattern = (to for old, to in self.renamed.items() if fnmatchcase(name, old))
        return next(by_pattern, "") or _sound(name)

    def unused(self, names: Iterable[str]) -> list[str]:
        """What no name of these fits."""
        seen = list(names)
        return [
            old for old in self.renamed if not any(n == old or fnmatchcase(n, old) for n in seen)
        ]


def parse_steps(given: Iterable[str]) -> Steps:
    """Each is ``old=new``. Raises ConfigError naming the option and what is allowed."""
    renamed: dict[str, str] = {}
    for text in given:
        old, equals, new = text.rpartition("=")
        if not (equals and old and new.strip()):
            raise ConfigError(
                f"--step {plain(text)}: write old=new, for example --step 'GET /products/*=detail'"
            )
        if new in _TAKEN or new != _sound(new):
            raise ConfigError(
                f"--step {plain(text)}: no step can be called that: up to {MOST_CHARS} printable "
                f"characters, and none of {', '.join(sorted(_TAKEN - {''}))}"
            )
        if renamed.setdefault(old, new) != new:
            raise ConfigError(f"--step {plain(old)}: given twice, as {renamed[old]} and {new}")
    return Steps(renamed)


def _sound(name: str) -> str:
    """A name that can be printed and means nothing else; what had to change has its digest."""
    if not name:
        return "(no name)"
    sound = plain(name, MOST_CHARS)
    if sound == name and name not in _TAKEN:
        return name
    digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:8]
    return f"{sound} ({digest})"
