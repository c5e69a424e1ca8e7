"""The stand-in imports nothing of ours."""

from __future__ import annotations

import ast

from mock_process import ROOT

OURS = {"analysis", "benchmarks", "harness", "locustfiles", "recording"}


def test_no_import_of_another_package_of_ours() -> None:
    """Every import in mock_services is of itself, the standard library or a dependency."""
    for path in sorted((ROOT / "mock_services").glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not OURS & {name.split(".")[0] for name in names}, path.name
