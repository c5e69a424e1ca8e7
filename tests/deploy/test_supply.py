"""What is not ours: packages pinned by digest, actions by commit, and a bill of materials."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_build import ROOT

LOCKS = (ROOT / "requirements.lock", ROOT / "deploy" / "requirements.lock")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PIN = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(lock: Path) -> list[tuple[str, str]]:
    """(package, version), some of them twice: of another version for another Python."""
    return sorted(PIN.findall(lock.read_text()))


def names(requirements: list[str]) -> set[str]:
    """What packages these ask for, without versions, extras and markers."""
    found = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {match.group().lower() for match in found if match}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_pin_has_its_digests(lock: Path) -> None:
    """Or pip would refuse the file as a whole; and no host to take it from is written down."""
    text = lock.read_text()
    blocks = [block for block in re.split(r"\n(?=[a-z])", text) if PIN.match(block)]
    assert len(blocks) == len(pins(lock)) > 50
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text
    assert "--index" not in text


def test_the_image_has_what_runs_by_the_same_versions() -> None:
    """All that the project depends on, what builds its wheel, and nothing that only checks it."""
    everything, image = (set(pins(lock)) for lock in LOCKS)
    assert image <= everything
    packages = {name for name, _ in image}
    assert names(PROJECT["dependencies"]) | {"setuptools"} <= packages
    assert packages & {"mypy", "ruff", "playwright", "hypothesis", "cyclonedx-bom"} == set()


def test_the_bill_of_materials_names_all_of_it(tmp_path: Path) -> None:
    """CycloneDX of the image's packages, with versions and digests; what it is of is loadgate."""
    made = tmp_path / "loadgate.cdx.json"
    (recipe,) = re.findall(r"^dist:.*?\n\n", (ROOT / "Makefile").read_text(), re.DOTALL | re.M)
    (words,) = re.findall(r"cyclonedx-py (.*?) deploy/requirements.lock", recipe, re.DOTALL)
    given = [w for w in words.replace("dist/loadgate.cdx.json", str(made)).split() if w != "\\"]
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *given, "--no-validate"]
    subprocess.run([*command, str(LOCKS[1])], cwd=ROOT, check=True, capture_output=True)
    told = json.loads(made.read_text())
    assert told["bomFormat"] == "CycloneDX"
    assert told["metadata"]["component"]["name"] == PROJECT["name"]
    assert sorted((each["name"], each["version"]) for each in told["components"]) == pins(LOCKS[1])
    assert all(each["externalReferences"][0]["hashes"] for each in told["components"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_a_commit_with_its_version_beside_it(path: Path) -> None:
    """A tag can be moved to other code, a commit cannot."""
    used = re.findall(r"uses: *(.*)", path.read_text())
    assert used
    assert [
        use for use in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)
    ] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_only_what_it_says(path: Path) -> None:
    """By default nothing or reading; what writes is said by its job. Checkouts keep no token."""
    workflow: Any = yaml.safe_load(path.read_text())
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_no_release_goes_without_the_bill_of_materials() -> None:
    """Everything that `make dist` leaves is attached."""
    workflow: Any = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    (job,) = workflow["jobs"].values()
    ran = [step["run"] for step in job["steps"] if "run" in step]
    assert ran == ["make dist", 'gh release upload "$TAG" dist/*']
    assert job["permissions"] == {"contents": "write"}
