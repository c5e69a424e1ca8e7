"""docs/post-mortem.md: the post-mortem of LT-2025-Q3-CHECKOUT, as the command makes it.

make post-mortem
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from typer.testing import CliRunner

from harness.cli import app

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "post-mortem.md"
SEED = ROOT / "tests" / "fixtures" / "lt-2025-q3-checkout"
MADE = (
    "<!-- made by `make post-mortem`: "
    "loadgate report tests/fixtures/lt-2025-q3-checkout --post-mortem -->\n"
)


def made(folder: Path) -> str:
    """The page, of a copy of the fixture, as nothing is to be derived there."""
    run = shutil.copytree(SEED, folder / SEED.name)
    limits = str(ROOT / "thresholds.toml")
    words = ["report", str(run), "--post-mortem", "--thresholds", limits]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return MADE + done.stdout


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        PAGE.write_text(made(Path(folder)), encoding="utf-8")
