"""Loads a file of somebody else's by its path, in a name of its own, with its folder in front.

What lies beside it, or where loadgate was called, is what it imports: a package `recording` or
`tests` of its own too. Ours are in nobody's way then: this process has loaded all of them that it
needs, and they import nothing any more.
"""

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from loadgate_scenario import Scenario, ScenarioError, close_env
from recording.secrets import keep_secret

OURS = ("analysis", "benchmarks", "harness", "locustfiles", "mock_services", "recording", "tests")
_ROOT = Path(__file__).resolve().parents[1]
_NAME = "loadgate_their_file"


class _TheirsFirst:
    """Finds packages of such names in these folders alone."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._folders = folders

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As Python asks for it; ``path`` is None for what lies in no package."""
        if path is not None or name not in self._folders:
            return None
        return PathFinder.find_spec(name, [self._folders[name]])


def load(path: Path) -> ModuleType:
    """Run the file; raises whatever it raises, and ImportError where it is no Python file."""
    folders = [str(path.parent.resolve()), str(Path.cwd())]
    found = ((name, folder) for folder in reversed(folders) for name in OURS)
    theirs = {name: folder for name, folder in found if _is_in(folder, name)}
    for name in [name for name in sys.modules if name.partition(".")[0] in theirs]:
        del sys.modules[name]
    sys.meta_path.insert(0, _TheirsFirst(theirs))
    sys.path[:0] = folders
    sys.dont_write_bytecode = True  # nothing is left beside what is theirs
    spec = importlib.util.spec_from_file_location(_NAME, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    sys.modules.setdefault(path.stem, module)  # as Locust calls it
    spec.loader.exec_module(module)
    return module


def load_scenario(path: Path) -> Scenario:
    """The scenario of a module; the variables that it takes are secrets from now on.

    Raises what the module raises, and ScenarioError for one that has none.
    """
    try:
        found = getattr(load(path), "SCENARIO", None)
    finally:
        for value in close_env().values():
            keep_secret(value, shortest=1)
    if not isinstance(found, Scenario):
        raise ScenarioError("has no SCENARIO = Scenario(...) of loadgate_scenario")
    return found


def _is_in(folder: str, name: str) -> bool:
    """Whether it has such a package or file that is not ours."""
    there = Path(folder).resolve()
    return there != _ROOT and ((there / name).is_dir() or (there / f"{name}.py").exists())
