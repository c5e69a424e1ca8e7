"""What git knows of this project: revisions, the merge base, the files of another revision."""

import io
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from harness.paths import PROJECT
from recording.errors import ConfigError, StorageError

ANSWER_TIMEOUT_S = 60.0
MAIN_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class GitError(ConfigError):
    """A git command that failed; ``said`` are its own words, "" when it had none."""

    def __init__(self, text: str, said: str = "") -> None:
        super().__init__(text)
        self.said = said


def facts(project: Path = PROJECT) -> dict[str, Any]:
    """Revision and whether the tree was changed; empty outside a git checkout."""
    try:
        revision = _text("rev-parse", "HEAD", project=project)
        return {
            "revision": revision,
            "dirty": bool(_text("status", "--porcelain", project=project)),
        }
    except GitError:
        return {}


def resolve(ref: str) -> str:
    """The commit that a name stands for. Raises ConfigError."""
    try:
        return _text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    except GitError as error:
        if error.said:
            raise
        raise ConfigError(f"ref:{ref}: no such revision in {PROJECT}") from None


def merge_base() -> str:
    """The revision where HEAD left the main branch, or a pull request its target.

    Raises ConfigError where there is none.
    """
    resolve("HEAD")  # outside a repository, git says so here
    target = os.environ.get("GITHUB_BASE_REF")  # the target branch, in a pull request's job
    branches = (*([f"origin/{target}"] if target else []), *MAIN_BRANCHES)
    for branch in branches:
        try:
            return _text("merge-base", "HEAD", branch)
        except GitError:
            continue  # no such branch, or no common history: the next may have both
    shallow = _text("rev-parse", "--is-shallow-repository") == "true"
    cure = "fetch the whole history (actions/checkout: `fetch-depth: 0`) or " if shallow else ""
    raise ConfigError(
        f"{PROJECT}: no merge base of HEAD with any of {', '.join(branches)}; "
        f"{cure}name the base with --base, for example --base ref:HEAD~1"
    )


def export(revision: str, folder: Path) -> None:
    """The files of a revision, without touching the user's own checkout or its worktrees.

    Raises ConfigError, and StorageError when the folder cannot hold them.
    """
    archive = _run("archive", "--format=tar", revision)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            # Python before 3.11.4 has no filters; the archive is this project's own.
            files.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            files.extractall(folder)
    except OSError as error:
        raise StorageError(f"{folder}: files of {revision[:10]}: {error.strerror}") from error


def _text(*words: str, project: Path = PROJECT) -> str:
    return _run(*words, project=project).decode(errors="replace").strip()


def _run(*words: str, project: Path = PROJECT) -> bytes:
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=project,
            capture_output=True,
            timeout=ANSWER_TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror}", str(error)) from None
    except subprocess.TimeoutExpired:
        late = f"no answer within {ANSWER_TIMEOUT_S:.0f} s"
        raise GitError(f"git {words[0]} in {project}: {late}", late) from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise GitError(f"git {words[0]} in {project}: {said or 'failed'}", said)
    return done.stdout
