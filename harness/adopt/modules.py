"""Modules of Python that have an application: ``app = FastAPI(``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.adopt.tree import Tree

_TESTS = re.compile(r"(^|/)(tests?|conftest\.py|test_[^/]*|[^/]*_test\.py)(/|$)")


@dataclass(frozen=True, slots=True)
class Module:
    """``dotted`` as it is imported from ``folder`` ("" is the top), the application's ``name`` in
    it, and where that stands."""

    dotted: str
    name: str
    folder: str
    origin: str

    @property
    def app(self) -> str:
        """As servers take it."""
        return f"{self.dotted}:{self.name}"


def modules_with(tree: Tree, kind: str) -> Iterator[Module]:
    """Those at whose top level a name is given to ``kind(``; tests are left out."""
    made = re.compile(rf"^(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:\w+\.)?{kind}\(", re.MULTILINE)
    for path in tree.named("*.py"):
        if _TESTS.search(str(path)) or not (found := made.search(tree.text(path))):
            continue
        folder = "src" if path.parts[0] == "src" else ""
        parts = path.with_suffix("").parts[1 if folder else 0 :]
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts and all(part.isidentifier() for part in parts):
            yield Module(".".join(parts), found[1], folder, f"{path}, {found[1]} = {kind}(…)")
