"""The JSON Schema of verdict.json, which ships as a file."""

from importlib.resources import files
from typing import Any

import orjson


def text() -> str:
    """The schema as it ships."""
    return (files("analysis.report") / "verdict.schema.json").read_text("utf-8")


def schema() -> dict[str, Any]:
    """The same, read."""
    found: dict[str, Any] = orjson.loads(text())
    return found
