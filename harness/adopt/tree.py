"""The files of a folder that people wrote: not what was installed, built or recorded in it."""

import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from recording.errors import ConfigError
from recording.given_files import read_given_text

MOST_FILES = 20_000
_NOT_THEIRS = {"node_modules", "site-packages", "venv", "env", "vendor", "build", "dist", "target",
               "__pycache__", "runs"}  # fmt: skip


@dataclass(frozen=True)
class Tree:
    """Everything below ``top``."""

    top: Path

    @cached_property
    def paths(self) -> tuple[PurePosixPath, ...]:
        """Relative to the top, those near it first; hidden folders are left out."""
        found = sorted(self._walked(), key=lambda path: (len(path.parts), str(path)))
        return tuple(found)

    def _walked(self) -> Iterator[PurePosixPath]:
        seen = 0
        for folder, folders, files in os.walk(self.top):
            folders[:] = sorted(f for f in folders if f not in _NOT_THEIRS and f[0] != ".")
            here = PurePosixPath(Path(folder).relative_to(self.top).as_posix())
            for name in files:
                yield here / name
            seen += len(files)
            if seen > MOST_FILES:
                return

    def named(self, *patterns: str) -> Iterator[PurePosixPath]:
        """Those that fit one of these, in the order of the patterns."""
        for pattern in patterns:
            yield from (path for path in self.paths if path.match(pattern))

    def has(self, name: str) -> bool:
        """Whether this lies at the top."""
        return (self.top / name).is_file()

    def text(self, path: PurePosixPath | str) -> str:
        """Its text; "" for one that is not there, or is none."""
        try:
            return read_given_text(self.top / path)
        except ConfigError:
            return ""

    def table(self, path: PurePosixPath | str) -> dict[str, Any]:
        """What a TOML, JSON or YAML file has; {} for one that is not there, or has no table."""
        return parsed(self.text(path), str(path))


def parsed(text: str, name: str) -> dict[str, Any]:
    """The table in a text, by its file's name; {} where it has none."""
    try:
        if name.endswith(".toml"):
            found: Any = tomllib.loads(text)
        elif name.endswith((".yaml", ".yml")):
            found = yaml.safe_load(text)
        else:
            found = json.loads(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def below(table: Any, *keys: str) -> Any:
    """What stands at keys of nested tables; None where anything on the way is none."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table
