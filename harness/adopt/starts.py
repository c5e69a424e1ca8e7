"""Where a shop says how it is started: one row for each kind of place, the best first."""

import json
import re
import shlex
from collections.abc import Callable, Iterator

from harness.adopt.compose import of_compose
from harness.adopt.installs import installed_by
from harness.adopt.modules import Module, modules_with
from harness.adopt.start import PORT, Start, in_environment, of_line
from harness.adopt.tree import Tree, below

_TASKS = (
    ("tool", "poe", "tasks"),
    ("tool", "pdm", "scripts"),
    ("tool", "hatch", "envs", "default", "scripts"),
)
_STARTS = ("start", "serve", "web")
"""What people call the task or script that starts a server."""


def _procfile(tree: Tree) -> Iterator[Start | None]:
    found = re.search(r"^web:(.+)$", tree.text("Procfile"), re.MULTILINE)
    yield of_line(found[1], "Procfile, web") if found else None


def _pyproject(tree: Tree) -> Iterator[Start | None]:
    table = tree.table("pyproject.toml")
    if isinstance(app := below(table, "tool", "fastapi", "entrypoint"), str):
        yield of_line(f"uvicorn {app}", "pyproject.toml, tool.fastapi.entrypoint")
    for place in _TASKS:
        for name in _STARTS:
            task = below(table, *place, name)
            line = below(task, "cmd") if isinstance(task, dict) else task
            if isinstance(line, str):
                yield of_line(line, f"pyproject.toml, {'.'.join((*place, name))}")


def _package_json(tree: Tree) -> Iterator[Start | None]:
    if isinstance(below(tree.table("package.json"), "scripts", "start"), str):
        told = {"PORT": PORT}
        yield Start("npm start", "package.json, scripts.start", environment=told)


def _fastapi(tree: Tree) -> Iterator[Start | None]:
    for module in modules_with(tree, "FastAPI"):
        yield of_line(f"uvicorn {_from(module)}", module.origin)


def _flask(tree: Tree) -> Iterator[Start | None]:
    for module in modules_with(tree, "Flask"):
        name = f"{module.folder}/{module.dotted}" if module.folder else module.dotted
        yield of_line(f"flask --app {name}:{module.name} run", module.origin)


def _from(module: Module) -> str:
    return f"{module.app} --app-dir {module.folder}" if module.folder else module.app


def _django(tree: Tree) -> Iterator[Start | None]:
    if "django" in tree.text("manage.py"):
        yield of_line(f"python manage.py runserver --noreload 127.0.0.1:{PORT}", "manage.py")


def _dockerfile(tree: Tree) -> Iterator[Start | None]:
    text = re.sub(r"\\\n", " ", tree.text("Dockerfile"))
    exposed = re.findall(r"^EXPOSE\s+(\d+)", text, re.MULTILINE | re.IGNORECASE)
    for line in re.findall(r"^CMD\s+(.+)$", text, re.MULTILINE | re.IGNORECASE)[-1:]:
        yield of_line(_as_line(line), "Dockerfile, CMD", exposed[0] if exposed else "")


def _as_line(command: str) -> str:
    """Of either form that a CMD can have."""
    try:
        given = json.loads(command)
    except ValueError:
        return command
    texts = [str(word) for word in given] if isinstance(given, list) else [command]
    of_a_shell = texts[:2] in (["sh", "-c"], ["/bin/sh", "-c"]) and len(texts) > 2
    return texts[2] if of_a_shell else shlex.join(texts)


STARTS: tuple[Callable[[Tree], Iterator[Start | None]], ...] = (
    _procfile, _pyproject, _fastapi, _flask, _django, _package_json, _dockerfile, of_compose,
)  # fmt: skip
"""Each yields what it finds, or None. A process of one's own is before containers: its memory and
CPU can be told."""


def starts(tree: Tree) -> tuple[Start, ...]:
    """All that there are, the best first."""
    found = [start for detect in STARTS for start in detect(tree) if start is not None]
    return tuple(_ready_to_start(tree, start) for start in found)


def _ready_to_start(tree: Tree, start: Start) -> Start:
    if start.command.startswith("docker "):
        return start
    return in_environment(start, *installed_by(tree, start.command))
