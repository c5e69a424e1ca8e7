"""What somebody wrote, a file and the options that change it, and where each key of it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recording.secrets import redact
from recording.text import plain
from recording.toml_lines import Key, Path, line_of, lines

MAX_SHOWN_CHARS = 80


@dataclass(frozen=True, slots=True)
class Written:
    """``name`` and ``text`` of a file, neither where there is none; ``table`` is what it all makes.

    ``options`` have the path that each option set, and the option as it was written.
    """

    name: str
    table: Mapping[str, Any]
    text: str = ""
    options: tuple[tuple[Path, str], ...] = ()

    def with_options(self, table: Mapping[str, Any], *more: tuple[Path, str]) -> "Written":
        """The same after some more options, which made it ``table``."""
        return replace(self, table=table, options=(*self.options, *more))

    def where(self, path: Sequence[Key]) -> str:
        """``smoke.toml:12``, or ``smoke.toml: --set load.processes=0`` for what that has set."""
        if option := self._option(path):
            return f"{self.name}: {option}" if self.name else option
        line = line_of(self.text, path) if self.text else None
        return f"{self.name}:{line}" if line else self.name

    def key(self, path: Sequence[Key]) -> str:
        """``load.phases.sustained.users``: an entry is called by its name where it has one."""
        at: Any = self.table
        words = []
        for part in path:
            at = _below(at, part)
            named = at.get("name") if isinstance(part, int) and isinstance(at, Mapping) else None
            words.append(named if isinstance(named, str) and named else str(part))
        return plain(".".join(words))

    def is_option(self, path: Sequence[Key]) -> bool:
        """Whether an option set this very key, and so names it."""
        return any(at == tuple(path) for at, _ in self.options)

    def also(self, path: Sequence[Key]) -> str:
        """Options that set something within a table that is wrong as a whole, for behind it."""
        within = self._within(path) if self._in_text(path) else []
        return f" (with {', '.join(map(_short, within))})" if within else ""

    def _option(self, path: Sequence[Key]) -> str:
        """The last that set the key, or all of a table it stands in, or that made the table."""
        hits = [text for at, text in self.options if tuple(path[: len(at)]) == at]
        if not hits and not self._in_text(path):
            hits = self._within(path)
        return _short(hits[-1]) if hits else ""

    def _within(self, path: Sequence[Key]) -> list[str]:
        depth = len(path)
        return [text for at, text in self.options if len(at) > depth and at[:depth] == (*path,)]

    def _in_text(self, path: Sequence[Key]) -> bool:
        return bool(self.text) and (not path or (*path,) in lines(self.text))


def as_written(where: Written | str, table: Mapping[str, Any]) -> Written:
    """Of a name alone, a table without lines."""
    return where if isinstance(where, Written) else Written(where, table)


def _below(at: Any, part: Key) -> Any:
    if isinstance(at, Mapping):
        return at.get(part)
    if isinstance(at, Sequence) and isinstance(part, int) and part < len(at):
        return at[part]
    return None


def _short(text: str) -> str:
    return plain(redact(text), MAX_SHOWN_CHARS)
