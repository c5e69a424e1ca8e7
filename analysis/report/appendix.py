"""What only a page with room has: examples of requests, and the whole configuration."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from analysis.evidence.run import Evidence
from analysis.report.document import Block, Row, Table, numbers, texts
from recording.durations import FOR_PEOPLE
from recording.text import plain

_SEED_OF_THE_LOAD = "seed of the load, made of the run's"
MOST = 25
"""Examples of a kind; the recording has more."""


def appendix(evidence: Evidence, limits: str) -> tuple[Block, ...]:
    """Of any recording; ``limits`` is what the file of thresholds is called."""
    slow, failed = _examples(evidence.exemplars)
    return (
        _requests(evidence, failed, "Failed requests, the first of them"),
        _requests(evidence, slow, "Slowest requests, of the whole run"),
        Table(
            tuple(texts("key", "value")),
            (Row(("thresholds", plain(limits))), *map(Row, _settings(evidence))),
            "Configuration",
        ),
    )


def _examples(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], ...]:
    slow = [row for row in rows if row.get("why") == "slowest" and _ms(row, "latency_ms") >= 0]
    slow.sort(key=lambda row: -_ms(row, "latency_ms"))
    failed = [row for row in rows if row.get("why") != "slowest"]
    failed.sort(key=lambda row: _ms(row, "t_s"))
    return slow[:MOST], failed[:MOST]


def _ms(row: Mapping[str, Any], key: str) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else -1.0


def _requests(evidence: Evidence, rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """Their traces too; recordings of before there were any have none."""
    ids = {"request_id": "X-Request-ID", "trace_id": "trace id"}
    shown = [key for key in ids if key == "request_id" or any(key in row for row in rows)]
    which = ("step", "arm", "outcome") if evidence.manifest.paired else ("step", "outcome")
    columns = (
        *texts("ended at", *which),
        *numbers("latency", "in the service"),
        *texts(*(ids[key] for key in shown)),
    )
    cells = ((*_cells(evidence, row, which), *_texts(row, shown)) for row in rows)
    return Table(columns, tuple(map(Row, cells)), title)


def _cells(evidence: Evidence, row: Mapping[str, Any], which: Sequence[str]) -> Iterator[str]:
    at_s = _ms(row, "t_s")
    yield evidence.elapsed(at_s) if at_s >= 0 else ""
    yield from _texts(row, which)
    yield from (
        f"{ms:.0f} ms" if (ms := _ms(row, key)) >= 0 else "" for key in ("latency_ms", "server_ms")
    )


def _texts(row: Mapping[str, Any], keys: Iterable[str]) -> Iterator[str]:
    yield from (plain(str(row.get(key, ""))) for key in keys)


def _settings(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The profile as it was resolved, key by key."""
    manifest = evidence.manifest
    yield "command", plain(manifest.command)
    yield from (("override", plain(text)) for text in manifest.overrides)
    for name, version in sorted(manifest.versions.items()):
        yield f"version of {plain(name)}", plain(version)
    if manifest.origin:
        yield from flat(manifest.origin.model_dump(mode="json"), "origin")
    told = manifest.profile.model_dump(mode="json", exclude_defaults=True, context=FOR_PEOPLE)
    for key, value in flat(told):
        yield (_SEED_OF_THE_LOAD if key == "seed" else key), value


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """A table key by key, as ``--set`` writes them."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from flat(below, f"{path}.{plain(str(key))}" if path else plain(str(key)))
    elif isinstance(value, list) and any(isinstance(part, Mapping | list) for part in value):
        for number, below in enumerate(value):
            yield from flat(below, f"{path}[{number}]")
    else:
        yield path, plain(_written(value))


def _written(value: Any) -> str:
    """As a profile has it, but for the quotes of a text."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
