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

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from analysis.report.document import Document, Lines, Row, Table, texts
from analysis.words.units import counted
from harness import options
from harness.adopt.found import Found, found_in
from harness.adopt.repository import Repository, repository_at
from harness.adopt.scenario_file import FILL_IN
from harness.adopt.written import GITLAB, File, files, gated, is_origin_known
from harness.screen.plain import Screen, print_json
from harness.screen.terminal import show
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


class Became(NamedTuple):
    """A file, and what became of it."""

    file: File
    word: str


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
    notes, following = tuple(_notes(found, repository)), tuple(_next(found, became))
    if as_json:
        print_json(_value(found, became, notes, following))
        return
    screen = Screen()
    if dry_run:
        _print_texts(screen, became)
    blocks = (_found_table(found), _files_table(became))
    more = (Lines(notes, label="note"), Lines(following, label="next"))
    show(screen, Document((*blocks, *more)))


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


def _rows(found: Found) -> Iterator[tuple[str, str, str]]:
    """What there is, and from where that is known."""
    start, told = found.start, found.told
    if found.url:
        yield "shop", found.url, "--url"
    if start is not None:
        yield "start", start.command, start.origin
    if start is not None and start.install:
        yield "install", start.install, start.install_origin
    if told.ready:
        yield "ready", told.ready, told.origin
    if found.locustfile is not None:
        yield "users", str(found.locustfile), "a locustfile"
    elif steps := found.steps.steps:
        yield "steps", ", ".join(step.name for step in steps), told.origin
    if told.metrics.path:
        names = ", ".join(told.metrics.use) or "our names"
        yield "metrics", f"{told.metrics.path} ({names})", told.origin


def _found_table(found: Found) -> Table:
    rows = tuple(_rows(found)) or (("nothing", "", "no place that is known"),)
    return Table((*texts("found", "what", "from"),), tuple(map(Row, rows)))


def _files_table(became: list[Became]) -> Table:
    rows = tuple(Row((each.file.path, each.word)) for each in became)
    return Table((*texts("file", "is"),), rows)


def _print_texts(screen: Screen, became: list[Became]) -> None:
    for file, word in became:
        if word.startswith("would"):
            screen.print(f"--- {file.path}\n{file.text}", soft_wrap=True)


def _notes(found: Found, repository: Repository) -> Iterator[str]:
    yield from found.notes
    yield from (f"no step: {left}" for left in found.steps.left if found.locustfile is None)
    yield from repository.notes(found.start.install if found.start else "")
    if not gated(found):
        yield "no gate: nothing here says how the shop is started, so no two revisions could be"
    elif repository.folder:
        yield f"no CI: write it at the top of the repository, and let it run in {repository.folder}"
    elif not is_origin_known():
        yield "CI: set its variable LOADGATE to the url of a release's wheel"
    if gated(found) and repository.is_on_gitlab and not repository.folder:
        yield f"GitLab: add to .gitlab-ci.yml: include: [{{ local: {GITLAB} }}]"


def _next(found: Found, became: list[Became]) -> Iterator[str]:
    missing = [
        f"{file.path}:{number}"
        for file, _ in became
        for number, line in enumerate(file.text.splitlines(), 1)
        if FILL_IN in line
    ]
    if missing:
        yield f"fill in {counted(len(missing), 'place')}: {', '.join(missing)}"
    yield "`loadgate run`"
    if gated(found):
        yield "commit these files; then, on a branch, `loadgate gate`"


def _value(
    found: Found, became: list[Became], notes: tuple[str, ...], following: tuple[str, ...]
) -> dict[str, object]:
    rows = [dict(zip(("what", "value", "from"), row, strict=True)) for row in _rows(found)]
    written = [{"path": file.path, "is": word, "text": file.text} for file, word in became]
    return {"found": rows, "files": written, "notes": notes, "next": following}
