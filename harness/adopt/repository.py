"""The git repository that a shop is in: whose CI it has, what a gate would take for a change."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.system import git

_LEFT_BEHIND = ("runs/", ".venv/")
"""What loadgate and an installation leave at its top."""


@dataclass(frozen=True, slots=True)
class Repository:
    """``top`` of it ("" where there is none), the ``folder`` of it that we are in, the url of its
    ``remote``, and what it would not ignore of what a run leaves behind.
    """

    top: str = ""
    folder: str = ""
    remote: str = ""
    unignored: tuple[str, ...] = ()

    @property
    def is_on_github(self) -> bool:
        """Or on nothing that is known."""
        return "gitlab" not in self.remote

    @property
    def is_on_gitlab(self) -> bool:
        """Or on nothing that is known."""
        return "github" not in self.remote

    def notes(self) -> Iterator[str]:
        """What is missing for a gate."""
        if not self.top:
            yield "a gate compares revisions, and no git repository is here: `git init`, and commit"
        elif self.unignored:
            said = " and ".join(self.unignored)
            yield f".gitignore: add {said}, or a gate takes what is in there for changes"


def repository_at(here: Path) -> Repository:
    """What git says of the folder."""
    top = git.repository_of(here)
    if not top:
        return Repository()
    inside = Path(os.path.relpath(here.resolve(), Path(top).resolve())).as_posix()
    left = git.not_ignored((f"{each}x" for each in _LEFT_BEHIND), here)
    unignored = tuple(path.removesuffix("x") for path in left)
    return Repository(top, "" if inside == "." else inside, git.remote_of(here), unignored)
