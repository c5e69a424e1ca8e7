"""The house rules that only hold while something checks them: who may import whom, file sizes."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("recording", "analysis", "harness", "locustfiles", "mock_services")
MAY_IMPORT = {
    "recording": set(),
    "mock_services": set(),
    "analysis": {"recording"},
    "locustfiles": {"recording", "mock_services"},
    "harness": {"recording", "analysis", "mock_services"},
}
MOCKS_OPEN = "mock_services.table"
"""Which services there are, and what each can be told: light, no service comes with it."""
LIBRARIES_KEPT_TO = {
    "locust": {"locustfiles"},
    "gevent": {"locustfiles"},
    "geventhttpclient": {"locustfiles"},
    "fastapi": {"mock_services"},
    "rich": {"harness"},
    "typer": {"harness"},
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module}
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


ALL = [path for package in PACKAGES for path in modules(package)]


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    """A package imports only the packages below it; of the mocks no more than their table."""
    package = path.relative_to(ROOT).parts[0]
    ours = {name for name in imports(path) if name.partition(".")[0] in PACKAGES}
    foreign = {name for name in ours if name.partition(".")[0] != package}
    assert {name.partition(".")[0] for name in foreign} <= MAY_IMPORT[package]
    mocks = {name for name in foreign if name.startswith("mock_services.")}
    assert all(name.startswith(MOCKS_OPEN) for name in mocks)


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_libraries_stay_where_they_belong(path: Path) -> None:
    """Importing locust patches the whole process: it must not reach judge, harness or mocks."""
    package = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        keepers = LIBRARIES_KEPT_TO.get(name.partition(".")[0])
        assert keepers is None or package in keepers, name


@pytest.mark.parametrize("package", PACKAGES)
def test_no_import_cycles(package: str) -> None:
    """Within a package, modules can be put in an order."""
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in modules(package)
    }
    below = {name: {i for i in imports(path) if i in names} for name, path in names.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for other in below[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in names:
        visit(name, ())


ROOMS = {
    "analysis": (
        "words", "statistics", "memory", "evidence", "forecast", "twin", "metrics", "limits",
        "regression", "single", "guards", "levels", "capacity", "tuning", "paired", "advice",
        "compare", "trends",
        "calibration", "published", "audit", "report", "pictures", "html",
    ),
    "harness": (
        "system", "screen", "sampling", "generator", "page", "proxy", "scene", "observe",
        "manual", "foreign", "adopt", "run", "verbs",
    ),
    "mock_services": ("kit", "checkout", "payment", "inventory_lock", "cart"),
    "benchmarks": ("figures", "studies"),
}  # fmt: skip
"""Of each package, in the order in which they stand on each other."""
OF_THEIR_OWN = {"checkout", "payment", "inventory_lock", "cart"}
"""Services speak HTTP with each other, and import none."""


def test_the_judge_has_one_entrance() -> None:
    """Every file of analysis lies in a room, but for ``judge.py``."""
    loose = {path.name for path in (ROOT / "analysis").glob("*.py")}
    assert loose == {"__init__.py", "judge.py"}


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_has_its_place(package: str) -> None:
    """No room that the order does not know."""
    assert {path.parent.name for path in modules(package)} == {package, *ROOMS[package]}


@pytest.mark.parametrize(("package", "room"), [(p, room) for p in ROOMS for room in ROOMS[p]])
def test_a_room_imports_only_those_before_it(package: str, room: str) -> None:
    """None imports one that stands on it, nor what is loose above them all."""
    rooms = ROOMS[package]
    below = {room, *rooms[: rooms.index(room)]}
    for path in (ROOT / package / room).glob("*.py"):
        ours = {name.split(".")[1] for name in imports(path) if name.startswith(f"{package}.")}
        ours -= {"options"} if room in ("screen", "verbs") else set()  # options imports no screen
        assert ours <= (below - OF_THEIR_OWN) | {room}, path


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    """Past 400 lines a file is two ideas; past 40 lines a function is two steps."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name


def test_no_committed_file_names_a_registry_host_or_a_machines_path() -> None:
    """What is committed works anywhere: no package index, no home or work folder."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    forbidden = ["pypi" + ".org", "files.python" + "hosted", "registry.npm" + "js", "/wo" + "rk/"]
    for name in listed:
        text = (ROOT / name).read_bytes().decode(errors="replace")
        assert not [word for word in forbidden if word in text], name
