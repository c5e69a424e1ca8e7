"""Runs a piece of a benchmark in a fresh Python process and gets its answer back as JSON.

Fresh, so that imports, caches and monkey patches of one part do not colour the next.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


class ChildFailedError(Exception):
    """The process ended without an answer; the text is the end of what it said."""


def ask(module: str, *arguments: str, timeout_s: float = 600.0) -> dict[str, Any]:
    """The JSON object that ``python -m module arguments`` prints as its last line.

    Raises ChildFailedError.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise ChildFailedError(f"{module}: exit code {done.returncode}: {done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
