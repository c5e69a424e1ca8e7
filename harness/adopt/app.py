"""Asks a FastAPI application of the shop's what it answers: in a process of its own, by the shop's
own Python where there is one, without a server and without starting up what it starts up."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.adopt.modules import Module
from recording.text import plain

WITHIN_S = 30.0
_ASK = """
import asyncio, importlib, json, sys
folder, module, name = sys.argv[1:]
sys.path.insert(0, folder)
app = getattr(importlib.import_module(module), name)

async def page(path):
    said = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        said.append(message)
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
             "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
             "root_path": "", "headers": [(b"host", b"127.0.0.1")], "state": {},
             "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}
    try:
        await asyncio.wait_for(app(scope, receive, send), 5)
    except Exception:
        return ""
    if not said or said[0].get("status") != 200:
        return ""
    return b"".join(m.get("body", b"") for m in said[1:]).decode(errors="replace")

routes = [r.path for r in app.routes if "GET" in (getattr(r, "methods", None) or ())]
pages = {path: asyncio.run(page(path)) for path in json.loads(sys.stdin.read())}
print("\\n" + json.dumps({"openapi": app.openapi(), "routes": routes, "pages": pages}))
"""
"""Runs by whatever Python the shop has, and imports nothing of ours."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What it says: its OpenAPI document, the paths that it answers, and pages that were asked for.

    ``problem`` is why it said nothing.
    """

    openapi: dict[str, Any] = field(default_factory=dict)
    routes: tuple[str, ...] = ()
    pages: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def asked(module: Module, top: Path, pages: tuple[str, ...]) -> Answers:
    """By the first Python that can import it; where none can, as the first says."""
    problem = ""
    for python in _pythons(top):
        answers = _asked(python, module, top, pages)
        if not answers.problem:
            return answers
        problem = problem or answers.problem
    return Answers(problem=problem)


def _pythons(top: Path) -> Iterator[str]:
    """The shop's own environment, the one that is active, and ours."""
    folders = [top / ".venv", top / "venv", os.environ.get("VIRTUAL_ENV", "")]
    for folder in filter(None, map(str, folders)):
        if os.access(python := f"{folder}/bin/python", os.X_OK):
            yield python
    yield sys.executable


def _asked(python: str, module: Module, top: Path, pages: tuple[str, ...]) -> Answers:
    words = [python, "-c", _ASK, str(top / module.folder), module.dotted, module.name]
    try:
        done = subprocess.run(
            words, cwd=top, input=json.dumps(pages).encode(), capture_output=True,
            timeout=WITHIN_S, check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answers(problem=f"{module.app} took more than {WITHIN_S:.0f} s to import")
    except OSError as error:
        return Answers(problem=plain(f"{python}: {error.strerror}"))
    try:
        said = json.loads(done.stdout.rstrip().rpartition(b"\n")[2])
        return Answers(said["openapi"], tuple(said["routes"]), said["pages"])
    except (ValueError, KeyError, TypeError):
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Answers(problem=plain(f"{module.app} cannot be imported: {' '.join(last)}"))
