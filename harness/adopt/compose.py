"""A Compose file that builds and publishes a shop."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from harness.adopt.start import PORT, Start
from harness.adopt.tree import Tree, below

_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_PUBLISHED = re.compile(r"(?:[\d.]+:)?(\d+|\$\{\w+[^}]*\}):\d+(?:/tcp)?")
"""`8000:80`, `127.0.0.1:8000:80`, `${SHOP_PORT:-8000}:80`; where a lone `80` is, nobody knows."""
_VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}")


def of_compose(tree: Tree) -> Iterator[Start | None]:
    """The first service that is built here and published, else the first that is published."""
    for name in filter(tree.has, _FILES):
        services = below(tree.table(name), "services")
        every = services.items() if isinstance(services, dict) else ()
        published = [(key, one, port) for key, one in every if (port := _port(one))]
        for key, one, port in sorted(published, key=lambda each: "build" not in each[1])[:1]:
            yield _start(f"{name}, {key}", port, built="build" in one)


def _start(origin: str, port: str, *, built: bool) -> Start:
    up = "docker compose up --build" if built else "docker compose up"
    start = Start(up, origin, stop="docker compose down --volumes", ready_within="3m")
    if variable := _VARIABLE.fullmatch(port):
        return replace(start, environment={variable[1]: PORT})
    note = (
        f"it publishes port {port} only, so two of it cannot be up at once: for a gate publish "
        f'"${{SHOP_PORT:-{port}}}:…" and let [arm] say environment = {{ SHOP_PORT = "{PORT}" }}'
    )
    return replace(start, url=f"http://127.0.0.1:{port}", note=note)


def _port(service: Any) -> str:
    """As it is published: a number or a variable; "" where none is."""
    ports = below(service, "ports")
    for port in ports if isinstance(ports, list) else ():
        text = f"{below(port, 'published') or ''}:0" if isinstance(port, dict) else str(port)
        if found := _PUBLISHED.fullmatch(text):
            return found[1]
    return ""
