"""What there is in a shop's repository, or at its url, and from where that is known."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from harness.adopt import app
from harness.adopt.exported import Exported, exported
from harness.adopt.modules import modules_with
from harness.adopt.openapi import METRICS, Steps, health_of, steps_of
from harness.adopt.start import Start
from harness.adopt.starts import starts
from harness.adopt.tree import Tree, below, parsed
from harness.system.fetch import NoAnswerError, fetch
from recording.errors import ConfigError
from recording.given_files import read_given_text
from recording.text import plain

WITHIN_S = 10.0
_LOCUSTFILES = ("locustfile.py", "locustfile*.py", "locustfiles/*.py", "*locust*.py")
_DOCUMENTS = ("openapi.json", "openapi.yaml", "openapi.yml")


@dataclass(frozen=True, slots=True)
class Told:
    """What the shop says of itself: the origin of that, its OpenAPI document, the path at which it
    is up, and what it exports."""

    origin: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    ready: str = ""
    metrics: Exported = field(default_factory=Exported)


@dataclass(frozen=True, slots=True)
class Found:
    """All of it. ``url`` is where the shop runs already; ``locustfile`` whose users load it, else
    ``steps`` are what they are to ask; ``notes`` are to be said."""

    url: str = ""
    start: Start | None = None
    locustfile: PurePosixPath | None = None
    steps: Steps = field(default_factory=Steps)
    told: Told = field(default_factory=Told)
    notes: tuple[str, ...] = ()


def found_in(top: Path, url: str = "", openapi: str = "") -> Found:
    """Everything that can be found out without asking anybody.

    Raises ConfigError for a url or a document that was named and cannot be read.
    """
    tree = Tree(top)
    ways, locustfiles = starts(tree), tuple(_locustfiles(tree))
    told, problem = _told(tree, url, openapi)
    notes = [f"start: also {each.command} ({each.origin})" for each in ways[1:]]
    notes += [f"locustfile: also {each}" for each in locustfiles[1:]]
    notes += [ways[0].note] if ways and ways[0].note else []
    notes += [problem] if problem else []
    return Found(
        url=url,
        start=ways[0] if ways else None,
        locustfile=locustfiles[0] if locustfiles else None,
        steps=steps_of(told.document),
        told=told,
        notes=tuple(notes),
    )


def _locustfiles(tree: Tree) -> Iterator[PurePosixPath]:
    """Those that have users."""
    every = dict.fromkeys(tree.named(*_LOCUSTFILES))
    for path in every:
        text = tree.text(path)
        if "locust" in text and "User)" in text:
            yield path


def _told(tree: Tree, url: str, openapi: str) -> tuple[Told, str]:
    """What is known of it, and what could not be."""
    if openapi:
        told, problem = Told(openapi, _document(openapi)), ""
    elif url:
        told, problem = _of_url(url), ""
    else:
        told, problem = _of_app(tree)
    if not told.document:
        told = _of_file(tree, told)
    return told, problem


def _of_app(tree: Tree) -> tuple[Told, str]:
    module = next(iter(modules_with(tree, "FastAPI")), None)
    if module is None:
        return Told(), ""
    said = app.asked(module, tree.top, METRICS)
    metrics = next((exported(path, page) for path, page in said.pages.items() if page), Exported())
    ready = health_of(said.routes)
    return Told(f"OpenAPI of {module.app}", said.openapi, ready, metrics), said.problem


def _of_url(url: str) -> Told:
    pages = {path: _page(f"{url}{path}") for path in METRICS}
    metrics = next((exported(path, page) for path, page in pages.items() if page), Exported())
    document = _openapi(_page(f"{url}/openapi.json"), "openapi.json")
    return Told(f"{url}/openapi.json", document, "", metrics)


def _page(url: str) -> str:
    """Its text; "" where there is none. Raises ConfigError where nobody answers at all."""
    try:
        page = fetch(url, WITHIN_S)
    except (NoAnswerError, ValueError) as error:
        raise ConfigError(f"{url}: {plain(str(error))}; is the shop up?") from None
    return page.text if page.ok else ""


def _of_file(tree: Tree, told: Told) -> Told:
    for path in tree.named(*_DOCUMENTS):
        if document := _openapi(tree.text(path), str(path)):
            ready = told.ready or health_of(document["paths"])
            return Told(str(path), document, ready, told.metrics)
    return told


def _document(where: str) -> dict[str, Any]:
    """Of ``--openapi``. Raises ConfigError."""
    is_url = where.startswith(("http://", "https://"))
    text = _page(where) if is_url else read_given_text(Path(where))
    document = _openapi(text, "openapi.json") or _openapi(text, "openapi.yaml")
    if not document:
        raise ConfigError(f"--openapi {where}: no OpenAPI document (JSON or YAML with paths)")
    return document


def _openapi(text: str, name: str) -> dict[str, Any]:
    """The document in a text; {} where it is none."""
    table = parsed(text, name)
    return table if isinstance(below(table, "paths"), dict) else {}
