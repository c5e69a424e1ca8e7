"""The step that posts a pull request's comment, with a `gh` that answers from a file."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".github" / "comment.sh"
GH = """#!/bin/bash
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *--jq*) [ "$MARK" = "$KNOWN" ] && echo 17 ;; esac
exit 0
"""


@pytest.mark.parametrize(
    ("known", "call"),
    [
        ("<!-- loadgate gate x -->", "--method PATCH repos/o/n/issues/comments/17"),
        ("<!-- loadgate run x -->", "--method POST repos/o/n/issues/5/comments"),
    ],
)
def test_a_comment_is_posted_once_and_then_updated(known: str, call: str, tmp_path: Path) -> None:
    """By its hidden first line; a comment of another run is left alone."""
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    page = tmp_path / "comment.md"
    page.write_text("<!-- loadgate gate x -->\n# FAIL\n")
    environment = {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"),
        "KNOWN": known, "ISSUES": "repos/o/n/issues", "NUMBER": "5",
    }  # fmt: skip
    subprocess.run(["bash", str(SCRIPT), str(page)], env=environment, check=True, timeout=30)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[-1] == f"api --silent {call} --field body=@{page}"
    assert len(calls) == 2
