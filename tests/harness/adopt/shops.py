"""The example shop as a repository of its own, and the environment in which loadgate is called."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from tests.harness.conftest import ROOT, git

SHOP = ROOT / "examples" / "shop"


def example_in(folder: Path) -> Path:
    """A copy of it, on its main branch."""
    ignored = shutil.ignore_patterns("__pycache__", ".venv", ".pytest_cache", "*.db*")
    shop = shutil.copytree(SHOP, folder / "shop", ignore=ignored)
    git(shop, "init", "--quiet", "--initial-branch", "main")
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", "a shop")
    return shop


def with_environment(shop: Path) -> Path:
    """The same, whose developer has set up ``.venv`` already: with the packages of this one."""
    _program(shop / ".venv" / "bin" / "python", "")
    _program(shop / ".venv" / "bin" / "pip", "-m pip")
    return shop


def _program(path: Path, words: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
    path.chmod(0o755)


def environment(folder: Path) -> dict[str, str]:
    """In which ``loadgate`` is this tree's, git knows who commits, and what pip is to install is
    there already: no test asks a package index."""
    command = folder / "bin" / "loadgate"
    _program(command, str(ROOT / "loadgate_command.py"))
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
           for key, value in (("NAME", "test"), ("EMAIL", "test@example.invalid"))}  # fmt: skip
    return os.environ | who | {
        "PATH": f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_INDEX": "1",
        "LOADGATE": str(ROOT),
        "COLUMNS": "200",
    }  # fmt: skip
