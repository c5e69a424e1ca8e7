"""What `loadgate init` says: what it found and where, what became of each file, what is next."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from analysis.report.document import Document, Lines, Row, Table, texts
from analysis.words.units import counted
from harness.adopt.found import Found
from harness.adopt.repository import Repository
from harness.adopt.scenario_file import FILL_IN
from harness.adopt.written import GITLAB, File, gated, is_origin_known


class Became(NamedTuple):
    """A file, and what became of it."""

    file: File
    word: str


def document(found: Found, repository: Repository, became: Sequence[Became]) -> Document:
    """For a screen."""
    rows = tuple(_rows(found)) or (("nothing", "", "no place that is known"),)
    of_found = Table((*texts("found", "what", "from"),), tuple(map(Row, rows)))
    written = tuple(Row((each.file.path, each.word)) for each in became)
    notes = Lines(tuple(_notes(found, repository)), label="note")
    following = Lines(tuple(_next(found, became)), label="next")
    return Document((of_found, Table((*texts("file", "is"),), written), notes, following))


def to_json(found: Found, repository: Repository, became: Sequence[Became]) -> dict[str, Any]:
    """The same, with the text of each file."""
    return {
        "found": [dict(zip(("what", "value", "from"), row, strict=True)) for row in _rows(found)],
        "files": [{"path": file.path, "is": word, "text": file.text} for file, word in became],
        "notes": [*_notes(found, repository)],
        "next": [*_next(found, became)],
    }


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
        yield f"GitLab: add `include: [{{ local: {GITLAB} }}]` to .gitlab-ci.yml"


def _next(found: Found, became: Sequence[Became]) -> Iterator[str]:
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
