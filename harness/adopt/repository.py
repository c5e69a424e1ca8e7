"""The git repository that a shop is in: whose CI it has, what a gate would take for a change."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.system import git

VENV = ".venv/"
"""What an installation leaves behind; runs/ says by itself that it is none of git's."""


@dataclass(frozen=True, slots=True)
class Repository:
    """``top`` of it ("" where there is none), the ``folder`` of it that we are in, the url of its
    ``remote``, and whether it ignores an environment.
    """

    top: str = ""
    folder: str = ""
    remote: str = ""
    ignores_venv: bool = True

    @property
    def is_on_github(self) -> bool:
        """Or on nothing that is known."""
        return "gitlab" not in self.remote

    @property
    def is_on_gitlab(self) -> bool:
        """Or on nothing that is known."""
        return "github" not in self.remote

    def notes(self, install: str) -> Iterator[str]:
        """What is missing for a gate of what is installed so."""
        if not self.top:
            yield "a gate compares revisions, and no git repository is here: `git init`, and commit"
        elif VENV in install and not self.ignores_venv:
            yield f".gitignore: add {VENV}, or a gate takes what is in there for changes"


def repository_at(here: Path) -> Repository:
    """What git says of the folder."""
    top = git.repository_of(here)
    if not top:
        return Repository()
    inside = Path(os.path.relpath(here.resolve(), Path(top).resolve())).as_posix()
    ignores = git.ignores(f"{VENV}x", here)
    return Repository(top, "" if inside == "." else inside, git.remote_of(here), ignores)
