"""``loadgate audit``: exit codes, JSON, and a screen of 80 columns."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.audit.catalogue import audit
from analysis.published.reading import read_published
from analysis.report.audited import audit_document
from harness.cli import app
from harness.screen.plain import Screen
from harness.screen.terminal import show
from recording.errors import ConfigError

PUBLISHED = Path(__file__).parents[1] / "fixtures" / "published"


@pytest.mark.parametrize(("name", "code"), [("lt-2025-q3.json", 3), ("shop_stats.csv", 0)])
def test_the_exit_code_says_whether_something_was_found(name: str, code: int) -> None:
    """As JSON too."""
    done = CliRunner().invoke(app, ["audit", str(PUBLISHED / name)])
    assert done.exit_code == code, done.output
    done = CliRunner().invoke(app, ["audit", str(PUBLISHED / name), "--json"])
    found = json.loads(done.stdout)
    assert (done.exit_code, found["exit_code"]) == (code, code)
    assert bool(found["contradictions"]) == (code == 3)


def test_figures_of_which_none_are_related_are_refused(tmp_path: Path) -> None:
    """Nothing checked is no pass."""
    path = tmp_path / "lone.json"
    path.write_text('{"endpoints": [{"name": "a", "mean": "9 ms"}]}')
    done = CliRunner().invoke(app, ["audit", str(path)])
    assert isinstance(done.exception, ConfigError)
    assert int(done.exception.exit_code) == 2


def test_it_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """With every word of every finding, those of a kind together."""
    path = PUBLISHED / "lt-2025-q3.json"
    found = audit(read_published(path), path.name)
    show(Screen(width=80, force_terminal=True, color_system=None), audit_document(found))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    kinds = list(dict.fromkeys(str(it.kind) for it in found.contradictions))
    headings = [line.split("  ")[0] for line in lines if line.rstrip().endswith(" where")]
    assert headings == [*kinds, "worth a question"]


def test_foreign_text_is_only_text(tmp_path: Path) -> None:
    """A name with control characters, markup and a CI command in it acts nowhere."""
    path = tmp_path / "hostile.json"
    name = "\\u001b[2J[red]::error::\\u202e"
    row = f'{{"name": "{name}", "requests": "5", "failures": "9"}}'
    path.write_text(f'{{"endpoints": [{row}]}}')
    for more in ([], ["--json"]):
        done = CliRunner().invoke(app, ["audit", str(path), *more])
        assert done.exit_code == 3
        assert not {"\x1b[2J", "\u202e", "::error::"} & {
            bad for bad in ("\x1b[2J", "\u202e", "::error::") if bad in done.output
        }
