"""Terminals that go away."""

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def closed_terminal(words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> int:
    """The exit code of a command whose terminal is gone before it prints anything."""
    master, slave = pty.openpty()
    process = subprocess.Popen(words, cwd=cwd, env=env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    os.close(master)
    return process.wait(60)
