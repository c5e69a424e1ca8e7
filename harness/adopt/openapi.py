"""The requests that an OpenAPI document lets anybody make: its GETs that need nothing unknown."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from harness.adopt.tree import below

MOST_STEPS = 12
"""A gate tests each of them: the more there are, the more rounds it takes to be sure of any."""
HEALTH = ("/healthz", "/health", "/readyz", "/ready", "/livez", "/live", "/up", "/ping",
          "/api/health", "/actuator/health", "/status")  # fmt: skip
"""Paths at which shops say that they are up, the usual ones first."""
METRICS = ("/metrics", "/actuator/prometheus")
_NOT_ASKED = {*HEALTH, *METRICS, "/openapi.json", "/docs", "/redoc", "/favicon.ico"}
_STREAMS = ("text/event-stream", "application/x-ndjson")


@dataclass(frozen=True, slots=True)
class Step:
    """A GET: what reports call it, its path with ``{names}``, and values that these can have."""

    name: str
    path: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Steps:
    """Those that there are, and why others are none: ``GET /orders: it wants authorization``."""

    steps: tuple[Step, ...] = ()
    left: tuple[str, ...] = ()


def steps_of(document: Mapping[str, Any]) -> Steps:
    """In the order of the document."""
    steps: list[Step] = []
    left: list[str] = []
    for path, item in (below(document, "paths") or {}).items():
        if path in _NOT_ASKED or not isinstance(operation := below(item, "get"), dict):
            continue
        parameters = [*_parameters(document, item), *_parameters(document, operation)]
        if why := _why_not(document, path, operation, parameters):
            left.append(f"GET {path}: {why}")
        elif len(steps) == MOST_STEPS:
            left.append(f"GET {path}: {MOST_STEPS} are enough to begin with")
        else:
            steps.append(_step(_base(document) + path, parameters))
    return Steps(tuple(steps), tuple(left))


def health_of(paths: Mapping[str, Any] | tuple[str, ...]) -> str:
    """The path among these at which a shop says that it is up; "" where none is."""
    return next((path for path in HEALTH if path in paths), "")


def _why_not(
    document: Mapping[str, Any],
    path: str,
    operation: Mapping[str, Any],
    parameters: list[dict[str, Any]],
) -> str:
    """What keeps anybody from asking; "" where nothing does."""
    security = operation.get("security", document.get("security"))
    if security and {} not in security:
        return "it wants authorization"
    if operation.get("deprecated"):
        return "it is deprecated"
    content = below(operation, "responses", "200", "content") or {}
    if any(kind in content for kind in _STREAMS):
        return "its answer does not end"
    given = {str(p.get("name")) for p in parameters if _examples(p)}
    needed = {str(p.get("name")) for p in parameters if p.get("required")}
    if unknown := sorted((needed | set(re.findall(r"\{(.*?)\}", path))) - given):
        return f"no example of {', '.join(unknown)}"
    unusual = [p for p in parameters if p.get("required") and p["in"] not in ("path", "query")]
    return f"it wants a {unusual[0]['in']} {unusual[0].get('name')}" if unusual else ""


def _step(path: str, parameters: list[dict[str, Any]]) -> Step:
    needed = [each for each in parameters if each.get("required")]
    values = {
        str(each["name"]): tuple(quote(value, safe="") for value in _examples(each))
        for each in needed
        if each["in"] == "path"
    }
    query = {str(each["name"]): _examples(each)[0] for each in needed if each["in"] == "query"}
    return Step(path, f"{path}?{urlencode(query)}" if query else path, values)


def _parameters(document: Mapping[str, Any], of: Any) -> Iterator[dict[str, Any]]:
    listed = below(of, "parameters")
    for each in listed if isinstance(listed, list) else ():
        found = _resolved(document, each)
        if isinstance(found, dict) and "in" in found:
            yield found


def _resolved(document: Mapping[str, Any], value: Any) -> Any:
    """What a reference into the same document leads to."""
    reference = below(value, "$ref")
    if not isinstance(reference, str):
        return value
    return below(document, *reference.removeprefix("#/").split("/"))


def _examples(parameter: Mapping[str, Any]) -> tuple[str, ...]:
    """Values that the document gives: examples, else a default, else what is allowed."""
    schema = parameter.get("schema")
    named = below(parameter, "examples")
    given = [below(each, "value") for each in named.values()] if isinstance(named, dict) else []
    for found in (
        [parameter.get("example"), *given],
        [below(schema, "example")],
        below(schema, "examples"),
        [below(schema, "default")],
        below(schema, "enum"),
    ):
        values = [v for v in found if v is not None] if isinstance(found, list) else []
        if values:
            return tuple(_text(value) for value in values)
    return ()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _base(document: Mapping[str, Any]) -> str:
    """The path that comes before all others: that of the first server."""
    servers = document.get("servers")
    url = below(servers[0], "url") if isinstance(servers, list) and servers else ""
    path = urlsplit(str(url or "")).path.rstrip("/")
    return "" if re.search(r"[{}]", path) else path
