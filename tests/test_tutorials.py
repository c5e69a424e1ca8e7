"""Every command of the tutorials runs, in their order, with the exit code they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "tutorials"
INVALID, INCONCLUSIVE = 4, 5
"""A machine that is busy with something else: said, and no fault of the page."""


def commands(page: str) -> list[tuple[str, int]]:
    """Each with its exit code. What takes minutes is asked what it would do."""
    found = []
    for line in re.findall(r"^\$ (.*)$", (FOLDER / page).read_text(), re.MULTILINE):
        command, _, remark = line.partition("    # ")
        code = int(remark.removeprefix("exit ")) if remark.startswith("exit") else 0
        found.append((f"{command} --dry-run" if remark == "long" else command, code))
    return found


@pytest.mark.long
@pytest.mark.live
@pytest.mark.parametrize("page", sorted(path.name for path in FOLDER.glob("*.md")))
def test_a_tutorial_works(page: str, tmp_path: Path) -> None:
    """In an empty folder, as a newcomer would."""
    shim = tmp_path / "bin" / "loadgate"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m harness.cli "$@"\n')
    shim.chmod(0o755)
    environ = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    assert len(commands(page)) >= 5
    for command, code in commands(page):
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environ, capture_output=True, text=True
        )
        allowed = {code, INVALID, INCONCLUSIVE} if command == "loadgate run smoke" else {code}
        assert done.returncode in allowed, (command, done.stdout, done.stderr)
