"""Write what loadgate needs in a shop's repository: profiles, limits, users and CI, in `loadgate/`.

It finds out how the shop is started (Procfile, pyproject.toml, FastAPI, Flask, Django,
package.json, Dockerfile, Compose), what it answers (its OpenAPI document), whether there is a
locustfile, and what its metrics are called, and says from where. Nothing that is there is
overwritten without --force. Where nothing is found, `# FILL IN` marks what is missing. See
docs/adopt.md.

Examples:

- `loadgate init --dry-run`  (what would be written)
- `loadgate init`
- `loadgate init --openapi docs/openapi.yaml`
- `loadgate init --url http://127.0.0.1:8000`  (a shop that runs already)
"""

from pathlib import Path
from typing import Annotated

import typer

from harness import options
from harness.adopt.found import found_in
from harness.adopt.repository import repository_at
from harness.adopt.said import Became, document, to_json
from harness.adopt.written import File, files
from harness.screen.plain import Screen
from harness.screen.terminal import answer
from recording.errors import ConfigError
from recording.files import why
from recording.urls import base_url

Url = Annotated[
    str, typer.Option("--url", metavar="URL", help="Where the shop runs already: load that.")
]
OpenApi = Annotated[
    str, typer.Option("--openapi", metavar="FILE|URL", help="What it answers [found, or asked].")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show every file, and write none.")]


def init(
    url: Url = "",
    openapi: OpenApi = "",
    force: Force = False,
    dry_run: DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Find, write, and say what comes next."""
    top = Path.cwd()
    found, repository = found_in(top, _checked(url), openapi), repository_at(top)
    became = [_became(top, each, force, dry_run) for each in files(found, repository)]
    if dry_run and not as_json:
        _print_texts(became)
    told = (found, repository, became)
    answer(document(*told), to_json(*told), as_json=as_json)


def _checked(url: str) -> str:
    """Raises ConfigError."""
    try:
        return base_url(url)
    except ValueError as error:
        raise ConfigError(f"--url {url}: {error}") from None


def _became(top: Path, file: File, force: bool, dry_run: bool) -> Became:
    """Written, unless it is there. Raises ConfigError where it cannot be."""
    path = top / file.path
    if (there := path.exists() or path.is_symlink()) and not force:
        return Became(file, "left as it is")
    if dry_run:
        return Became(file, "would be overwritten" if there else "would be written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file.path}: cannot be written: {why(error)}") from None
    return Became(file, "overwritten" if there else "written")


def _print_texts(became: list[Became]) -> None:
    screen = Screen()
    for file, word in became:
        if word.startswith("would"):
            screen.print(f"--- {file.path}\n{file.text}", soft_wrap=True)
