"""The documentation is under test: what it names exists, and what exists is named."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from harness.cli import app
from harness.sampling.prometheus import _KEPT
from mock_services.table import SERVICES
from recording.profile_file import apply_override, load_profile

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
EVIDENCE = (ROOT / "docs" / "evidence.md").read_text()
EXTENDING = (ROOT / "docs" / "extending.md").read_text()
COMMAND = get_command(app)
VERBS = sorted(COMMAND.list_commands(typer.Context(COMMAND)))  # type: ignore[attr-defined]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))

FIGURE = re.compile(
    r"T\+\w+ to T\+\w+|until T\+\w+|[\d.,]+ requests measured in \w+|[\d.]+/s"
    r"|[\d.]+ (?:ms|MB/h|req/s|times as fast|waits timed out)"
)


def test_every_file_of_verbs_is_a_verb() -> None:
    """And is found by its name."""
    files = (path.stem for path in (ROOT / "harness" / "verbs").glob("*.py"))
    assert sorted({*files} - {"__init__"}) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_readme(verb: str) -> None:
    """A feature exists when a user can reach it from the README."""
    assert f"loadgate {verb}" in README


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(verb: str) -> None:
    """--help works and shows how to call it."""
    done = CliRunner().invoke(app, [verb, "--help"])
    assert done.exit_code == 0, done.output
    assert "Examples:" in done.output


def test_every_make_target_the_readme_names_exists() -> None:
    """No command in the README is a dead end."""
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= TARGETS


def test_every_override_the_readme_shows_is_accepted() -> None:
    """Each `--set` of the README is a key of the profile it is shown for."""
    shown = re.findall(r"--set ([\w.-]+=\S+?)[`\s|]", README)
    assert len(shown) >= 5
    for text in shown:
        profile = load_profile(ROOT / "profiles" / "smoke.toml", [text])
        for name, table in profile.services.items():
            SERVICES[name].settings.model_validate(dict(table))


def test_every_kept_metric_is_documented() -> None:
    """docs/architecture.md lists what the sampler keeps."""
    for metric in _KEPT:
        assert metric.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") in (
            ARCHITECTURE
        )


def test_extending_names_files_that_exist() -> None:
    """A newcomer opens what docs/extending.md says; what it lets one make lies in a folder."""
    named = re.findall(r"`([\w./<>-]+\.(?:py|md|toml|yaml))`", EXTENDING)
    assert len(named) > 20
    for name in named:
        folder = name.partition("<")[0].rpartition("/")[0]
        assert (ROOT / (folder if "<" in name else name)).exists(), name


@pytest.mark.parametrize(
    "folder", ["analysis", "harness", "locustfiles", "mock_services", "recording"]
)
def test_the_docs_name_files_of_the_house_that_exist(folder: str) -> None:
    """A file that has moved takes its mention along."""
    pages = [README, *(path.read_text() for path in (ROOT / "docs").glob("*.md"))]
    for page in pages:
        for name in re.findall(rf"`({folder}/[\w/]+\.py)`", page):
            assert (ROOT / name).exists(), name


def test_every_link_of_a_page_leads_somewhere() -> None:
    """To a file that is there."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)


def test_the_readme_says_of_the_seed_what_the_command_prints(tmp_path: Path) -> None:
    """Every figure of "What the post-mortem missed", word for word."""
    run = shutil.copytree(ROOT / "tests" / "fixtures" / "lt-2025-q3-checkout", tmp_path / "seed")
    done = CliRunner().invoke(app, ["analyze", str(run), "--all"])
    printed = " ".join(done.stdout.split())
    (told,) = re.findall(r"## What the post-mortem missed\n(.*)", EVIDENCE, re.DOTALL)
    told = " ".join(told.partition("It finds")[2].split())
    assert [figure for figure in FIGURE.findall(told) if figure not in printed] == []
    assert re.findall(r"\w*\d\S*", FIGURE.sub("", told)) == ["p99"]
    assert len(FIGURE.findall(told)) == 9


def test_every_profile_is_in_the_readme() -> None:
    """Shipped profiles can be found."""
    for path in (ROOT / "profiles").glob("*.toml"):
        assert f"`{path.stem}`" in README


def test_thresholds_and_profiles_are_plain_toml() -> None:
    """Anyone's TOML reader opens them."""
    for path in [ROOT / "thresholds.toml", *(ROOT / "profiles").glob("*.toml")]:
        assert tomllib.loads(path.read_text())


def test_overrides_do_not_need_a_table_to_exist() -> None:
    """A key of a table that the profile leaves out can be set."""
    table: dict[str, object] = {}
    apply_override(table, "validity.generator_cpu=0.5")
    assert table == {"validity": {"generator_cpu": 0.5}}
