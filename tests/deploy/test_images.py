"""The images: stages, what is copied, and that the manifests ask for what is built."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from deploy_build import BUILDS, ROOT, build, containers

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORED = ROOT / "deploy" / "Dockerfile.dockerignore"
IMAGES = {"loadgate": "loadgate", "loadgate-mocks": "mocks"}
"""Image name → the Dockerfile's target."""


def instructions() -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) for every line, continuation lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Each stage with its instructions, those of the stage it is built from first."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for word, rest in instructions():
        if word == "FROM":
            origin, _, name = rest.partition(" AS ")
            found[name] = list(found.get(origin, []))
        else:
            found[name].append((word, rest))
    return found


def copied() -> list[str]:
    """What comes from the build context."""
    sources = [rest.split()[:-1] for word, rest in instructions() if word == "COPY"]
    return [name for names in sources for name in names if not any("--from" in n for n in names)]


def last(stage: str, word: str) -> str:
    """The value in force of an instruction."""
    return [rest for given, rest in stages()[stage] if given == word][-1]


def test_every_image_is_built_here() -> None:
    """The manifests name the Dockerfile's targets, at this project's version, and no registry."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    images = {container["image"] for folder in BUILDS for container in containers(build(folder))}
    assert images == {f"{name}:{version}" for name in IMAGES}
    assert set(IMAGES.values()) <= set(stages())


@pytest.mark.parametrize(("image", "target"), IMAGES.items())
def test_the_dockerfile_says_how_to_build_each(image: str, target: str) -> None:
    """The command at its top names target and tag that the manifests use."""
    pattern = rf"--target {target}\s+-t {image}:\d+\.\d+\.\d+ \."
    assert re.search(pattern, DOCKERFILE.read_text())


def test_each_target_starts_what_the_manifests_give_arguments_to() -> None:
    """mocks: serve.py; loadgate: the project's entry point."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert last("mocks", "ENTRYPOINT") == '["python", "-m", "mock_services.serve"]'
    assert last("loadgate", "ENTRYPOINT") == '["loadgate"]'
    assert "loadgate" in scripts


def test_the_verbs_are_run_and_worker() -> None:
    """Containers of the loadgate image that keep its entry point call these two verbs."""
    found = {
        container["args"][0]
        for folder in BUILDS
        for container in containers(build(folder))
        if container["image"].startswith("loadgate:") and "command" not in container
    }
    assert found == {"run", "worker"}


@pytest.mark.parametrize("target", IMAGES.values())
def test_no_target_runs_as_root(target: str) -> None:
    """By number, which is what the pods run as."""
    user, _, group = last(target, "USER").partition(":")
    assert int(user) == int(group) == 10001


def test_no_floating_tags() -> None:
    """Neither the Dockerfile nor a manifest takes whatever is newest, by `latest` or no tag."""
    taken = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    taken = [name for name in taken if name not in stages()]
    taken += [c["image"] for folder in BUILDS for c in containers(build(folder))]
    assert all(re.fullmatch(r"[a-z-]+:(?!latest)[\w.-]+", image) for image in taken), taken


def test_every_package_is_copied() -> None:
    """All of pyproject's packages, the lock, and what makes a wheel of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    top = {
        pattern.rstrip("*")
        for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]
    }
    assert set(copied()) == top | {
        "README.md",
        "LICENSE",
        "loadgate_command.py",
        "loadgate_scenario.py",
        "profiles",
        "pyproject.toml",
        "deploy/requirements.lock",
        "setup.py",
        "thresholds.toml",
    }
    assert all((ROOT / name).exists() for name in copied())


def test_the_builder_is_sent_what_is_copied_and_nothing_else() -> None:
    """Everything is ignored but the sources of COPY."""
    lines = [line for line in IGNORED.read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line[0] == "!"} == set(copied())


LINTER = shutil.which("hadolint") or str(Path(sys.executable).with_name("hadolint"))


@pytest.mark.skipif(not Path(LINTER).exists(), reason="needs hadolint, which has no wheel for here")
def test_the_dockerfile_is_clean() -> None:
    """By hadolint's rules, the shell's among them."""
    done = subprocess.run([LINTER, str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _daemon() -> bool:
    asked = ["docker", "info", "--format", "{{.ServerVersion}}"]
    return (
        shutil.which("docker") is not None
        and not subprocess.run(asked, capture_output=True, check=False, timeout=10).returncode
    )


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(not _daemon(), reason="needs a Docker daemon")
@pytest.mark.parametrize(
    ("target", "words", "says"),
    [("loadgate", ["run", "smoke", "--dry-run"], "smoke"), ("mocks", ["--help"], "SERVICE")],
)
def test_an_image_is_built_and_runs(target: str, words: list[str], says: str) -> None:
    """As its user, with a root that cannot be written to, and nothing of this tree beside it."""
    build_it = ["docker", "build", "--quiet", "--file", str(DOCKERFILE), "--target", target]
    built = subprocess.run([*build_it, str(ROOT)], capture_output=True, text=True, check=True)
    start = ["docker", "run", "--rm", "--read-only", "--network", "none", built.stdout.strip()]
    done = subprocess.run([*start, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout


def test_nothing_names_a_registry() -> None:
    """No host name in an image anywhere below deploy/."""
    text = "\n".join(p.read_text() for p in (ROOT / "deploy").rglob("*") if Path(p).is_file())
    assert re.findall(r"(?:image:|FROM|-t)\s+\S+[./]\S*/\S+", text) == []
