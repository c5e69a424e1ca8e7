"""Events and metrics have one name each, for those who write them and those who read them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from recording import events, metric_names

ROOT = Path(__file__).parents[2]
PACKAGES = ("recording", "analysis", "harness", "locustfiles")
KEEPERS = {"recording/events.py", "recording/metric_names.py"}
WORDS = {"up", "users", "host", "locust", "gc", events.OOM_KILLED, events.POOL_EXHAUSTED}
"""That mean other things as well: a rule's metric, an outcome, a process."""


def named(module: object) -> set[str]:
    return {value for key, value in vars(module).items() if key.isupper() and type(value) is str}


def literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.partition("/")[0]  # labels follow after a slash


def test_no_other_file_spells_a_name_out() -> None:
    """So that a new name, or another one, is one line."""
    names = (named(events) | named(metric_names)) - WORDS
    assert len(names) > 25
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in KEEPERS:
                assert not names.intersection(literals(path)), name
