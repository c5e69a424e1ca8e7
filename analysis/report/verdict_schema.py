"""The JSON Schema of verdict.json, and the page that is made of it."""

from importlib.resources import files
from typing import Any

import orjson

_PAGE = """# verdict.json

{about}

The schema ships with loadgate (`analysis/report/verdict.schema.json`); every verdict that the tests
make is held to it.

| key | type | what |
|---|---|---|
{rows}
"""


def text() -> str:
    """The schema as it ships."""
    return (files("analysis.report") / "verdict.schema.json").read_text("utf-8")


def schema() -> dict[str, Any]:
    """The same, read."""
    found: dict[str, Any] = orjson.loads(text())
    return found


def page() -> str:
    """``docs/reference/verdict.md``."""
    found = schema()
    rows = [
        f"| `{key}` | {_kind(value)} | {value['description']} |"
        for key, value in found["properties"].items()
    ]
    return _PAGE.format(about=found["description"], rows="\n".join(rows))


def _kind(value: dict[str, Any]) -> str:
    """Of a list also the keys of its entries."""
    if allowed := value.get("enum", [value["const"]] if "const" in value else []):
        return ", ".join(map(str, allowed))
    entry = value.get("items", value)
    keys = ", ".join(f"`{key}`" for key in entry.get("required", ()))
    return f"{value['type']}{f' of {keys}' if keys else ''}"
