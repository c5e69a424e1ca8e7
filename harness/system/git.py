"""What git knows of a project: revisions, the merge base, what changed, files of a revision."""

import io
import os
import posixpath
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from harness.system.paths import PROJECT
from recording.errors import ConfigError, StorageError

ANSWER_TIMEOUT_S = 60.0
ALL_FILES = ("--untracked-files=normal", "--ignore-submodules=none")
"""Of a working tree, whatever its owner's git is configured to leave out."""
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
        dirty = bool(_text("status", "--porcelain", *ALL_FILES, project=project))
        return {"revision": revision, "dirty": dirty}
    except GitError:
        return {}


def tree_of(revision: str, project: Path = PROJECT) -> str:
    """What git calls the files of a revision: commits with the same ones have the same."""
    return _text("rev-parse", f"{revision}^{{tree}}", project=project)


def changed(
    base: str, head: str, ignored: Sequence[str] = (), project: Path = PROJECT
) -> tuple[str, ...]:
    """Paths that differ between two revisions, but for those of the pathspecs ``ignored``.

    One that is "" is the working tree, with what git does not track yet. Raises ConfigError.
    """
    but = (".", *(f":(exclude){pattern}" for pattern in ignored))
    ends = [revision for revision in (base, head) if revision]
    diff = ("diff", "--name-only", "--no-renames", "--no-relative", ALL_FILES[1], "-z")
    said = [_text(*diff, *ends, "--", *but, project=project)]
    if len(ends) < 2:
        new = ("ls-files", "--others", "--exclude-standard", "-z", "--", *but)
        said.append(_text(*new, project=project))
    return tuple(sorted({path for text in said for path in text.split("\0") if path}))


def nothing(project: Path = PROJECT) -> str:
    """What git calls a tree without any file."""
    return _text("hash-object", "-t", "tree", os.devnull, project=project)


def repository_of(folder: Path) -> str:
    """The top of the checkout that a folder is in; "" where it is in none."""
    try:
        return _text("rev-parse", "--show-toplevel", project=folder)
    except GitError:
        return ""


def remote_of(project: Path) -> str:
    """The url of its remote called origin; "" where it has none."""
    try:
        return _text("remote", "get-url", "origin", project=project)
    except GitError:
        return ""


def ignores(path: str, project: Path) -> bool:
    """Whether a path, there or not, would be none of git's."""
    try:
        _run("check-ignore", "--quiet", path, project=project)
    except GitError:
        return False
    return True


def resolve(ref: str, project: Path = PROJECT) -> str:
    """The commit that a name stands for. Raises ConfigError."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    try:
        return _text(*words, project=project)
    except GitError as error:
        if error.said:
            raise
        raise ConfigError(f"ref:{ref}: no such revision in {project}") from None


def merge_base(project: Path = PROJECT) -> str:
    """The revision where HEAD left the main branch, or a pull request its target.

    Raises ConfigError where there is none.
    """
    resolve("HEAD", project)  # outside a repository, git says so here
    target = os.environ.get("GITHUB_BASE_REF")  # the target branch, in a pull request's job
    branches = (*([f"origin/{target}"] if target else []), *MAIN_BRANCHES)
    for branch in branches:
        try:
            return _text("merge-base", "HEAD", branch, project=project)
        except GitError:
            continue  # no such branch, or no common history: the next may have both
    shallow = _text("rev-parse", "--is-shallow-repository", project=project) == "true"
    cure = "fetch the whole history (actions/checkout: `fetch-depth: 0`) or " if shallow else ""
    raise ConfigError(
        f"{project}: no merge base of HEAD with any of {', '.join(branches)}; "
        f"{cure}name the base with --base, for example --base ref:HEAD~1"
    )


def commits_between(
    base: str, head: str, most: int = 10, project: Path = PROJECT
) -> tuple[list[str], int]:
    """Commits of head that are not in base, newest first, as revision and subject; how many more.

    Nothing where git does not know the two.
    """
    try:
        words = ("-c", "log.showSignature=false", "log", "--format=%h %s", f"--max-count={most}")
        listed = _text(*words, f"{base}..{head}", "--", project=project).splitlines()
        count = int(_text("rev-list", "--count", f"{base}..{head}", "--", project=project))
    except (GitError, ValueError):
        return [], 0
    return listed, count - len(listed)


def submodules(revision: str, project: Path) -> tuple[str, ...]:
    """The paths of those that a revision has, which no checkout of it brings along."""
    rows = _text("ls-tree", "-r", "-z", revision, project=project).split("\0")
    return tuple(row.partition("\t")[2] for row in rows if row.startswith("160000 "))


def check_out(revision: str, folder: Path, project: Path) -> None:
    """A repository of its own in an empty folder, with the revision checked out.

    Its objects are those of the project, whose checkout, worktrees and configuration are left
    alone; no hook runs. Raises ConfigError.
    """
    objects = _text("rev-parse", "--path-format=absolute", "--git-path", "objects", project=project)
    shallow = _text("rev-parse", "--path-format=absolute", "--git-path", "shallow", project=project)
    _run("init", "--quiet", "--template=", project=folder)
    _run("remote", "add", "origin", str(project), project=folder)  # where LFS looks for its files
    (folder / ".git" / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (folder / ".git" / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    if Path(shallow).exists():
        shutil.copy(shallow, folder / ".git" / "shallow")
    no_hooks = ("-c", f"core.hooksPath={os.devnull}", "-c", "advice.detachedHead=false")
    _run(*no_hooks, "checkout", "--quiet", "--detach", revision, project=folder)


def export(revision: str, folder: Path, project: Path = PROJECT) -> None:
    """The files of a revision, without touching the user's own checkout or its worktrees.

    Raises ConfigError where one of them leads out of the tree, is no file, folder or link, or is
    not among them, and StorageError when the folder cannot hold them.
    """
    archive = _run("archive", "--format=tar", revision, project=project)
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            members = files.getmembers()
            _refuse_gaps(revision, members, project)
            # Python before 3.11.4 has no filters; what they would refuse is refused below too.
            files.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
            _refuse((m for m in members if not _plain(m)), revision)
            files.extractall(folder)
            # Only now: a link may lead out through another one that came later.
            _refuse((m for m in members if _leads_out(m, folder)), revision)
    except tarfile.TarError as error:
        raise ConfigError(f"revision {revision[:10]}: cannot be unpacked: {error}") from None
    except OSError as error:
        raise StorageError(f"{folder}: files of {revision[:10]}: {error.strerror}") from error


def _refuse_gaps(revision: str, members: Iterable[tarfile.TarInfo], project: Path) -> None:
    """Raises ConfigError for files of the revision that its archive does not hold."""
    there = {m.name.encode("utf-8", "surrogateescape") for m in members if not m.isdir()}
    listed = _run("ls-tree", "-r", "-z", "--name-only", revision, project=project).split(b"\0")
    for name in filter(None, listed):
        if name not in there:
            raise ConfigError(
                f"revision {revision[:10]}: git archive leaves out {name.decode(errors='replace')} "
                "(a submodule, or export-ignore in .gitattributes): what ran would not be the "
                "revision"
            )


def _refuse(members: Iterable[tarfile.TarInfo], revision: str) -> None:
    for member in members:
        what = f"links to {member.linkname}, " if member.linkname else "is "
        raise ConfigError(f"revision {revision[:10]}: {member.name} {what}outside of its tree")


def _plain(member: tarfile.TarInfo) -> bool:
    """Whether it is a file, a folder, or a link whose words stay in the tree."""
    if member.issym():
        return _inside(posixpath.join(posixpath.dirname(member.name), member.linkname))
    return _inside(member.name) and (member.isreg() or member.isdir())


def _inside(path: str) -> bool:
    return PurePosixPath(posixpath.normpath(path)).parts[:1] not in (("/",), ("//",), ("..",))


def _leads_out(member: tarfile.TarInfo, folder: Path) -> bool:
    """Whether an unpacked link ends outside of the folder, through whatever other links."""
    target = Path(os.path.realpath(folder / member.name))
    return member.issym() and not target.is_relative_to(os.path.realpath(folder))


def _environment() -> dict[str, str]:
    """Ours without what would point git at another repository, index or configuration.

    A hook sets GIT_DIR, and then every question would be answered by that repository. Nothing is
    asked here that may write: `status` would take the index's lock from its owner.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {"GIT_OPTIONAL_LOCKS": "0"}


def _text(*words: str, project: Path = PROJECT) -> str:
    return _run(*words, project=project).decode(errors="replace").strip()


def _run(*words: str, project: Path = PROJECT) -> bytes:
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=project,
            env=_environment(),
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
