"""docs/deploy.md as it would be followed: its steps, its commands, its files."""

from __future__ import annotations

import re
import subprocess

import pytest
from deploy_build import BASE, K8S, KUSTOMIZATION, OVERLAY, ROOT, SHOP

PAGE = (ROOT / "docs" / "deploy.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def test_it_has_every_step_of_the_runbook() -> None:
    """RB-QA-005 has twelve; a step is a paragraph's bold number or a comment in a block."""
    found = re.findall(r"^(?:\*\*|# )(\d+)(?=[, ])", PAGE, re.MULTILINE)
    assert sorted(map(int, found)) == list(range(1, 13))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_its_commands_are_shell(block: str) -> None:
    """As bash reads it, without running any of it."""
    done = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_it_applies_is_there() -> None:
    """Every kustomization that it names, in each of the folders that K may be."""
    named = {ROOT / path for path in re.findall(r"-k (deploy/\S+?)(?=[`\s])", PAGE)}
    below = set(re.findall(r"-k \$K/([\w-]+)", PAGE))
    for folder in (BASE, OVERLAY, SHOP):
        assert f"deploy/k8s/{folder.relative_to(K8S)}" in PAGE
        mocks = set() if folder == SHOP else {"staging-perf"}
        assert {path.name for path in folder.iterdir()} == below - {"staging-perf"} | mocks
    assert named
    assert all((folder / KUSTOMIZATION).exists() for folder in named)
