"""Writes docs/reference/: ``make reference``. A test holds that it is what the code says."""

from collections.abc import Mapping
from pathlib import Path

import orjson
from typer.main import get_command

from harness.cli import app
from harness.manual.schemas import SCHEMAS
from harness.manual.tables import (
    behaviour_page,
    profile_page,
    run_directory_page,
    thresholds_page,
    verdict_page,
)
from harness.manual.verbs import verbs_page
from harness.system.paths import PROJECT

FOLDER = PROJECT / "docs" / "reference"
_MADE = "<!-- made by `make reference` -->"


def reference() -> Mapping[str, str]:
    """Every file of it, by name."""
    pages = {
        "profile.md": profile_page(),
        "behaviour.md": behaviour_page(),
        "thresholds.md": thresholds_page(),
        "run-directory.md": run_directory_page(),
        "verbs.md": verbs_page(get_command(app)),
        "verdict.md": verdict_page(),
    }
    made = {name: "\n".join((_MADE, *page)).rstrip() + "\n" for name, page in pages.items()}
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    schemas = {
        f"{name}.schema.json": orjson.dumps(schema(), option=option).decode()
        for name, schema in SCHEMAS.items()
    }
    return made | schemas


def write(folder: Path = FOLDER) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
