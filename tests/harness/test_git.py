"""What git is asked is asked of this project, and what it hands out stays in its folder."""

from pathlib import Path

import pytest

from harness.system.git import changed, commits_between, export, facts, nothing, resolve
from recording.errors import ConfigError
from tests.harness.conftest import git

ELSEWHERE = {
    "GIT_DIR": "{other}/.git",
    "GIT_WORK_TREE": "{other}",
    "GIT_INDEX_FILE": "{other}/.git/index",
    "GIT_OBJECT_DIRECTORY": "{other}/.git/objects",
    "GIT_COMMON_DIR": "{other}/.git",
    "GIT_NAMESPACE": "other",
    "GIT_CEILING_DIRECTORIES": "{here}",
    "GIT_CONFIG_PARAMETERS": "'core.worktree'='{other}'",
}
LINKS_OUT = {
    "absolute": {"out": "/etc/passwd"},
    "upwards": {"out": "../../etc"},
    "from a folder": {"a/b/out": "../../../x"},
    "through another link": {"a/b/deep": "../../flat", "a/b/out": "deep/../..", "flat/x": None},
    "through a later one": {"a/b/out": "there/../..", "a/b/there": "../../flat", "flat/x": None},
}


def repository(folder: Path, links: dict[str, str | None]) -> Path:
    """A repository with a file, and links to what is named; None is a file."""
    folder.mkdir()
    (folder / "file").write_text("kept")
    for name, target in links.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("kept") if target is None else path.symlink_to(target)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", str(sorted(links)))
    return folder


@pytest.mark.parametrize("variable", ELSEWHERE)
def test_the_environment_points_at_no_other_repository(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook sets GIT_DIR and more; the revision is this project's all the same."""
    here, other = repository(tmp_path / "here", {}), repository(tmp_path / "other", {"x": "file"})
    mine = facts(here)
    monkeypatch.setenv(variable, ELSEWHERE[variable].format(other=other, here=here))
    assert facts(here) == mine
    assert mine["dirty"] is False
    assert mine["revision"] != facts(other)["revision"]


def test_files_that_git_is_told_to_leave_out_have_changed_all_the_same(tmp_path: Path) -> None:
    """New ones under ``status.showUntrackedFiles = no``, and submodules that are ignored."""
    inner, here = repository(tmp_path / "inner", {}), repository(tmp_path / "here", {})
    local = ("-c", "protocol.file.allow=always")
    git(here, *local, "submodule", "--quiet", "add", str(inner), "lib")
    git(here, "config", "--file", ".gitmodules", "submodule.lib.ignore", "all")
    git(here, "add", "--force", ".gitmodules", "lib")
    git(here, "commit", "--quiet", "--message", "lib")
    git(here, "config", "status.showUntrackedFiles", "no")
    git(here, "config", "diff.ignoreSubmodules", "all")
    assert facts(here)["dirty"] is False
    (here / "new.py").write_text("")
    assert facts(here)["dirty"] is True
    (here / "new.py").unlink()
    git(here / "lib", "commit", "--quiet", "--allow-empty", "--message", "another")
    assert facts(here)["dirty"] is True
    assert changed(facts(here)["revision"], "", project=here) == ("lib",)


def test_every_file_of_a_tree_differs_from_none(tmp_path: Path) -> None:
    """By which a list of pathspecs that leaves out all of them is told."""
    here = repository(tmp_path / "here", {"a/b": None})
    empty, there = nothing(here), facts(here)["revision"]
    assert changed(empty, there, project=here) == ("a/b", "file")
    assert changed(empty, there, ("a/**",), here) == ("file",)
    assert changed(empty, there, ("*",), here) == ()


@pytest.mark.parametrize("links", LINKS_OUT.values(), ids=LINKS_OUT)
def test_a_link_out_of_the_tree_is_refused_by_name(
    links: dict[str, str | None], tmp_path: Path
) -> None:
    """A gated revision cannot make its services read what is not in it."""
    here = repository(tmp_path / "here", links)
    (out := tmp_path / "out").mkdir()
    with pytest.raises(ConfigError, match=r"out.* outside "):
        export(resolve("main", here), out, here)


def test_a_link_within_the_tree_is_unpacked(tmp_path: Path) -> None:
    """Also one upwards, and one that leads nowhere."""
    here = repository(tmp_path / "here", {"a/up": "../file", "nowhere": "missing"})
    (out := tmp_path / "out").mkdir()
    export(resolve("main", here), out, here)
    assert (out / "a" / "up").read_text() == "kept"
    assert (out / "nowhere").readlink() == Path("missing")


def test_a_revision_is_unpacked_whole_or_not_at_all(tmp_path: Path) -> None:
    """What git archive leaves out would be missing from what is measured."""
    here = repository(tmp_path / "here", {})
    (here / ".gitattributes").write_text("file export-ignore\n")
    git(here, "add", ".")
    git(here, "commit", "--quiet", "--message", "attributes")
    with pytest.raises(ConfigError, match=r"git archive leaves out .*export-ignore"):
        export(resolve("main", here), tmp_path / "out", here)


def test_commits_between_are_the_newest_and_a_count(tmp_path: Path) -> None:
    """Whatever their subjects hold; nothing where a revision is unknown."""
    git(tmp_path, "init", "--quiet")
    for subject in ("base", "one", "::error::two | <b>", "three"):
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", subject)
    listed, left = commits_between("HEAD~3", "HEAD", 2, tmp_path)
    assert [line.partition(" ")[2] for line in listed] == ["three", "::error::two | <b>"]
    assert left == 1
    assert commits_between("HEAD", "HEAD", project=tmp_path) == ([], 0)
    assert commits_between("nothing", "HEAD", project=tmp_path) == ([], 0)
