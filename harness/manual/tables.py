"""Pages of the reference as Markdown, made of the schemas and of the texts in the code."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from analysis.limits.thresholds import OF_ANY_NAME
from analysis.metrics.catalogue import METRICS, kinds_of
from analysis.metrics.meanings import MEANING
from analysis.report.verdict_schema import schema as verdict_schema
from harness.manual.docstrings import under_names
from harness.manual.schemas import Schema, behaviour_schema, profile_schema, thresholds_schema
from mock_services.table import SERVICES
from recording.durations import WRITTEN
from recording.exitcodes import ExitCode
from recording.profile import SUBJECTS
from recording.rundir import RunDir

_TYPES: Final[Mapping[str, str]] = {
    "integer": "whole number", "string": "text", "array": "list", "boolean": "`true` or `false`",
}  # fmt: skip
_LIMITS: Final = {
    "minimum": "≥ {}", "exclusiveMinimum": "> {}", "maximum": "≤ {}", "exclusiveMaximum": "< {}",
    "minItems": "at least {}", "maxLength": "at most {} characters",
}  # fmt: skip


def profile_page() -> Iterator[str]:
    """Every key of a profile."""
    schema = profile_schema()
    yield "# Profiles, key by key\n"
    yield (
        "A profile is a TOML file in `profiles/`, or anywhere. Each key can be set for one run: "
        "`--set load.phases.sustained.users=200`. A duration has its unit: `250ms`, `90s`, `2m`, "
        "`1h30m`. Editors complete them by [profile.schema.json](profile.schema.json).\n"
    )
    yield from _keys(schema, "", schema["$defs"])
    yield "`[services.*]`: [behaviour.md](behaviour.md).\n"


def behaviour_page() -> Iterator[str]:
    """Every setting of the mocks."""
    schema = behaviour_schema()
    yield "# What the mock services can be told\n"
    yield (
        "In a profile as `[services.KEY]`; while they run by `loadgate mocks set "
        "KEY.SETTING=VALUE`, or `POST /admin/behaviour`. What no curve or queue could "
        "carry out is refused.\n"
    )
    for mock in SERVICES.values():
        made = schema["$defs"][mock.settings.__name__]
        fixed = ", ".join(f"`{key}`" for key in sorted(mock.settings.FIXED_WHILE_RUNNING))
        yield f"## [services.{mock.key}]: {mock.subject}\n"
        yield f"{made['description']} Only at start-up: {fixed}.\n"
        yield from _rows(made["properties"])
        yield from _latencies(mock.settings.DEFAULT_LATENCY)


def thresholds_page() -> Iterator[str]:
    """Every section, kind, metric and unit of thresholds.toml."""
    yield "# thresholds.toml, rule by rule\n"
    yield (
        "A section for each subject, a list of rules for each kind: "
        '`latency = ["p99 < 1000 ms"]`. Operators: `<`, `<=`, `>`, `>=`, `==`. '
        "Editors complete it by [thresholds.schema.json](thresholds.schema.json).\n"
    )
    heads = ("metric", "kind", "units", "what it is")
    units = {m.name: ", ".join(f"`{u}`" if u else "none: a count" for u in m.scales)
             for m in METRICS.values()}  # fmt: skip
    yield from table(
        heads, ((f"`{m.name}`", m.kind, units[m.name], MEANING[m.name]) for m in METRICS.values())
    )
    yield "## Sections\n"
    yield from table(
        ("section", "kinds of rule"),
        ((f"`[{subject}]`", ", ".join(kinds_of(subject))) for subject in SUBJECTS),
    )
    named = {f'`[{section}."NAME"]`': kinds_of(like) for section, like in OF_ANY_NAME.items()}
    yield "Those that only a shop knows, such as requests of a locustfile; `*` is any text.\n"
    yield from table(
        ("section", "kinds of rule"), ((name, ", ".join(kinds)) for name, kinds in named.items())
    )
    guard = thresholds_schema()["properties"]["guard"]["properties"]
    yield "## [guard], while `loadgate run` goes on\n"
    yield (
        "Of every service; `[guard.SUBJECT]` of one service or step, or of the journey. A line is "
        "a rule and a stretch: `error_rate < 1 % over 30 s` (1 s to 10 m). "
        f"Watched can be {', '.join(f'`{m.name}`' for m in METRICS.values() if m.live)}. "
        "See [running.md](../running.md#guards).\n"
    )
    yield from _rows({key: of for key, of in guard.items() if of["type"] != "object"})
    regression = thresholds_schema()["properties"]["regression"]
    yield "## [regression], of `loadgate gate` and baselines\n"
    yield from _rows(regression["properties"], regression["required"])
    yield "### [regression.costs]\n"
    yield from _rows(regression["properties"]["costs"]["properties"])


def run_directory_page() -> Iterator[str]:
    """Files of a run, and exit codes."""
    yield "# Run directory and exit codes\n"
    run = RunDir(Path("run"))
    files = ((f"`{run.name_of(getattr(run, name))}`", said) for name, said in
             under_names(RunDir).items())  # fmt: skip
    yield from table(("in `runs/<id>/`", "what"), files)
    yield "## Exit codes\n"
    codes = under_names(ExitCode)
    yield from table(
        ("exit", "name", "means"), ((str(int(c)), c.name, codes[c.name]) for c in ExitCode)
    )


def verdict_page() -> Iterator[str]:
    """Every key of verdict.json."""
    schema = verdict_schema()
    yield "# verdict.json, key by key\n"
    yield (
        f"{schema['description']} Its schema: `loadgate schema verdict`, or "
        "[verdict.schema.json](verdict.schema.json).\n"
    )
    rows = schema["properties"].items()
    yield from table(
        ("key", "type", "what"), ((f"`{key}`", _kind(of), of["description"]) for key, of in rows)
    )


def _kind(schema: Schema) -> str:
    """Of a list also the keys of its entries."""
    if allowed := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(map(str, allowed))
    keys = ", ".join(f"`{key}`" for key in schema.get("items", schema).get("required", ()))
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    named = " or ".join(_TYPES.get(kind, kind) for kind in kinds)
    return f"{named} of {keys}" if keys else named


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Of Markdown; texts in backticks keep what they are."""
    yield f"| {' | '.join(heads)} |\n|{'|'.join('---' for _ in heads)}|"
    for row in rows:
        yield f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |".replace(
            "``", "`"
        )
    yield ""


def _keys(schema: Schema, at: str, defs: Mapping[str, Schema]) -> Iterator[str]:
    """The keys of a table, and then those of the tables in it."""
    if at:
        yield f"## {at}\n\n{schema['description'].replace('``', '`')}\n"
    yield from _rows(schema["properties"], schema.get("required", ()))
    for key, below in schema["properties"].items():
        name = below.get("$ref") or below.get("items", {}).get("$ref")
        if name and key != "services":
            path = f"{at}.{key}".lstrip(".") + (".*" if "items" in below else "")
            yield from _keys(defs[name.rpartition("/")[2]], path, defs)


def _rows(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Iterator[str]:
    heads = ("key", "takes", "default", "meaning")
    rows = []
    for key, each in properties.items():
        default = "needed" if key in required else _shown(each.get("default"))
        default = "" if "$ref" in each and default == "none" else default
        rows.append((f"`{key}`", _takes(each), default, each.get("description", "")))
    yield from table(heads, rows)


def _shown(default: Any) -> str:
    if default is None or default in ("", []):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, list):
        return ", ".join(f"`{each}`" for each in default)
    return f"`{default:.6g}`" if isinstance(default, float) else f"`{default}`"


def _takes(schema: Schema) -> str:
    """What may be written."""
    if "anyOf" in schema:
        return " or ".join(map(_takes, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    if schema.get("pattern") == WRITTEN:
        return "duration"
    if "$ref" in schema or schema["type"] == "object":
        return "table"
    kind = _TYPES.get(schema["type"], schema["type"])
    limits = (form.format(_number(schema[k])) for k, form in _LIMITS.items() if k in schema)
    return ", ".join([kind, *limits])


def _number(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) and limit < 2**53 else f"{limit:.6g}"


def _latencies(published: Mapping[str, Any]) -> Iterator[str]:
    names = ("p50_ms", "p95_ms", "p99_ms", "max_ms", "mean_ms")
    rows = (
        (f"`latency.{name}`", *(f"{ms:.5g}" if (ms := getattr(of, n)) else "" for n in names))
        for name, of in published.items()
    )
    yield from table(("defaults", *names), rows)
