"""JSON Schema of what people write, for editors: profiles, thresholds.toml, behaviour of the mocks.

Taken from the code that reads those files. A schema knows less than it: what depends on other
keys only the reader refuses. That of verdict.json ships as a file.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from analysis.limits.guard import ACTIONS, SECTIONS
from analysis.limits.regression import COSTS, NEEDED, OPTIONAL, QUANTILES
from analysis.limits.rules import OPERATORS
from analysis.limits.thresholds import OF_ANY_NAME
from analysis.metrics.catalogue import METRICS, kinds_of
from analysis.metrics.meanings import MEANING
from analysis.metrics.metric import Metric
from analysis.report.verdict_schema import schema as verdict_schema
from harness.manual.docstrings import models_in, under_names
from mock_services.table import SERVICES
from recording.durations import WRITTEN, format_duration
from recording.profile import SUBJECTS, Profile

Schema = dict[str, Any]
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_NUMBER: Final = r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?"


def profile_schema() -> Schema:
    """Of a file in profiles/."""
    made = _described(Profile)
    made["required"].remove("name")  # else the file's
    behaviour = behaviour_schema()
    made["$defs"] |= behaviour["$defs"]
    made["properties"]["services"] |= {
        "properties": _either_way(behaviour["properties"]),
        "additionalProperties": False,
    }
    return {"$schema": _DRAFT, "title": "loadgate profile"} | made


def behaviour_schema() -> Schema:
    """Of ``[services]`` in a profile; each of its tables is a body of ``POST /admin/behaviour``."""
    defs: Schema = {}
    for mock in SERVICES.values():
        made = _described(mock.settings)
        defs |= made.pop("$defs")
        made["properties"]["latency"] = _latency(made["properties"]["latency"], mock.settings)
        defs[mock.settings.__name__] = made
    del defs["Quantiles"]["required"]  # what is left out stays as it is
    of = {key: {"$ref": f"#/$defs/{mock.settings.__name__}"} for key, mock in SERVICES.items()}
    return _table(of, "what the mocks are told") | {
        "$schema": _DRAFT,
        "title": "behaviour of the mocks",
        "$defs": defs,
    }


def thresholds_schema() -> Schema:
    """Of thresholds.toml."""
    sections = {
        subject: _table({kind: _rules(kind) for kind in kinds_of(subject)}, f"rules for {subject}")
        for subject in SUBJECTS
    }
    more = {"guard": _guard(), "regression": _regression()}
    for section, like in OF_ANY_NAME.items():
        rules = {kind: _rules(kind) for kind in kinds_of(like)}
        said = f"rules for {section} that only a shop knows, by name"
        of_one = _table(rules, "rules for one, or for those that fit the pattern")
        more[section] = _table({}, said) | {"additionalProperties": of_one}
    made = _table(sections | more, "limits that a run is judged by")
    watched = [_watched(metric) for metric in METRICS.values() if metric.live]
    defs = {"watched": {"anyOf": watched}}
    return {"$schema": _DRAFT, "title": "loadgate thresholds", "$defs": defs} | made


SCHEMAS: Final[Mapping[str, Callable[[], Schema]]] = {
    "profile": profile_schema,
    "thresholds": thresholds_schema,
    "behaviour": behaviour_schema,
    "verdict": verdict_schema,
}


def _described(model: type[BaseModel]) -> Schema:
    """Pydantic's schema, with the texts under the fields, and durations as they are written.

    Without what nobody writes.
    """
    made: Schema = model.model_json_schema()
    made.setdefault("$defs", {})
    for name, each in models_in(model).items():
        if each is not model and name not in made["$defs"]:
            continue
        schema = made if each is model else made["$defs"][name]
        said = under_names(each)
        schema.pop("title", None)
        schema["description"] = " ".join((each.__doc__ or "").split())
        for key, field in each.model_fields.items():
            if of_key := schema["properties"].get(field.alias or key):
                _tidy(of_key, said.get(key, ""))
    return made


def _tidy(schema: Schema, said: str) -> None:
    schema.pop("title", None)
    if kinds := schema.pop("anyOf", None):  # TOML knows no null
        kept = [kind for kind in kinds if kind.get("type") != "null"]
        schema |= kept[0] if len(kept) == 1 else {"anyOf": kept}
    if said:
        schema["description"] = said
    written = str(schema).count(repr(WRITTEN)) > 0
    default = schema.get("default")
    if written and isinstance(default, float):
        schema["default"] = format_duration(default)
    if default is None or isinstance(default, dict):  # not set, or said by the table's own keys
        schema.pop("default", None)


def _latency(schema: Schema, settings: Any) -> Schema:
    """Only its endpoints, and of each as many percentiles as are to change."""
    named = {name: {"$ref": "#/$defs/Quantiles"} for name in settings.DEFAULT_LATENCY}
    return _table(named, schema["description"])


def _either_way(services: Mapping[str, Schema]) -> dict[str, Schema]:
    """``inventory-lock`` is ``inventory_lock`` too."""
    return {name: of for key, of in services.items() for name in (key, key.replace("_", "-"))}


def _rules(kind: str) -> Schema:
    metrics = [metric for metric in METRICS.values() if metric.kind == kind]
    forms = [
        {"type": "string", "pattern": _rule(m), "description": MEANING[m.name]} for m in metrics
    ]
    names = ", ".join(metric.name for metric in metrics)
    text = f"metric op number [unit]; metrics: {names}"
    return {"type": "array", "minItems": 1, "items": {"anyOf": forms}, "description": text}


def _rule(metric: Metric) -> str:
    words = (_any((metric.name,)), _any(OPERATORS), _NUMBER, _any(metric.scales))
    return r"\s*".join(("^", *words, "$"))


def _guard() -> Schema:
    """Of every service, and a table of the like for each subject."""
    settings = {
        "grace": _duration("none acts so soon after the first users, or after a pause", "15s"),
        "min_samples": {
            "type": "integer", "minimum": 1, "default": 100,
            "description": "fewest requests of a stretch that a guard acts on",
        },
        "pause_limit": _duration("all pauses of a run together; then it ends", "10m"),
        "stop_when_invalid": {
            "type": "boolean", "default": False,
            "description": "a run that is no evidence any more ends, as by `--stop-when-invalid`",
        },
    }  # fmt: skip
    of_subject = {name: _table(_actions(), f"guards of {name}") for name in SECTIONS}
    own = {"additionalProperties": _table(_actions(), "guards of what has a section of its own")}
    return _table(_actions() | settings | of_subject, "what is watched while a run goes on") | own


def _actions() -> dict[str, Schema]:
    done = ("is marked", "pauses the load", "ends the run")
    items = {"$ref": "#/$defs/watched"}
    return {
        action: {
            "type": "array", "minItems": 1, "items": items,
            "description": f"rules, with `over DURATION`; what breaks one {what}",
        }
        for action, what in zip(ACTIONS, done, strict=True)
    }  # fmt: skip


def _watched(metric: Metric) -> Schema:
    over = rf"(\s+over\s{WRITTEN[1:-1]})?$"
    pattern = _rule(metric).removesuffix(r"\s*$") + over
    return {"type": "string", "pattern": pattern, "description": MEANING[metric.name]}


def _duration(text: str, default: str) -> Schema:
    return {"type": "string", "pattern": WRITTEN, "default": default, "description": text}


def _regression() -> Schema:
    amount = {"type": "string", "description": "a number with its unit"}
    costs = {name: _amount(f"least growth of {name} that is a FAIL", row[1])
             for name, row in COSTS.items()}  # fmt: skip
    keys: dict[str, Schema] = dict.fromkeys((*NEEDED, *OPTIONAL), amount)
    keys["metrics"] = _names(QUANTILES, "percentiles that the gate compares")
    keys["control"] = {
        "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
        "description": "steps that no change touches: show the host, are not judged",
    }  # fmt: skip
    keys["costs"] = _table(costs, "which growth of what head costs matters")
    keys["min_effect"] = _amount("a smaller change is never a FAIL", ("%",))
    keys["tolerated"] = _amount("a PASS excludes a slow-down of this size", ("%",))
    keys["floor"] = _amount("nor is a change smaller than this", ("us", "ms", "s"))
    keys["baseline_spread"] = _amount("stored runs further apart decide nothing", ("%",))
    return _table(keys, "which difference between two revisions matters") | {"required": [*NEEDED]}


def _names(known: Iterable[str], text: str) -> Schema:
    items = {"enum": [*known]}
    return {"type": "array", "minItems": 1, "items": items, "description": text}


def _amount(text: str, units: Iterable[str]) -> Schema:
    pattern = rf"^\s*{_NUMBER}\s*{_any(units)}\s*$"
    return {"type": "string", "pattern": pattern, "description": text}


def _any(words: Iterable[str]) -> str:
    return "(" + "|".join(word.replace(".", r"\.") for word in words) + ")"


def _table(properties: Mapping[str, Schema], text: str) -> Schema:
    return {
        "type": "object",
        "description": text,
        "properties": dict(properties),
        "additionalProperties": False,
    }
