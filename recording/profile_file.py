"""Reading a profile: file, overrides, and errors that name the key and the nearest known one."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from recording.durations import BY_HAND
from recording.errors import ConfigError, did_you_mean
from recording.given_files import parse_toml, read_given_text
from recording.profile import Profile
from recording.text import plain

T = TypeVar("T", bound=BaseModel)
MAX_SHOWN_CHARS = 80
_KINDS = {
    "bool_type": "write true or false",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "finite_number": "write a finite number",
    "string_type": "write text in quotes",
    "tuple_type": "write a list",
    "dict_type": "write a table",
    "mapping_type": "write a table",
    "model_type": "write a table",
    "model_attributes_type": "write a table",
}
"""What may be written, in place of pydantic's words for a kind of value."""
_BRANCHES = ("function-", "literal[", "constrained-")
"""How a part of a location begins that names one of several allowed kinds, not a key."""


def load_profile(path: Path, overrides: Sequence[str] = ()) -> Profile:
    """The profile in ``path`` with ``key=value`` overrides applied.

    Raises ConfigError naming the file, every offending key and what is allowed.
    """
    table = read_toml(path)
    for text in overrides:
        apply_override(table, text)
    table.setdefault("name", path.stem)
    return build(Profile, table, str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """The TOML table in ``path``. Raises ConfigError naming the file and line."""
    return parse_toml(read_given_text(path), str(path))


def apply_override(table: dict[str, Any], text: str, option: str = "--set") -> None:
    """Set ``a.b.c=value`` in a nested table; the value is TOML, or else plain text.

    A phase is reached by its name or number: ``load.phases.sustained.duration=10s``. `option` is
    what the user wrote, for errors.
    """
    key, equals, value = text.partition("=")
    path = key_path(key)
    if text != text.encode(errors="replace").decode():
        raise ConfigError(f"{option} {plain(text)}: not UTF-8")
    if not equals or not all(path):
        raise ConfigError(f"{option} {text}: write key=value, for example load.phases.0.users=50")
    at: Any = table
    for part in path[:-1]:
        at = _descend(at, part, f"{option} {text}")
    if isinstance(at, list):
        raise ConfigError(f"{option} {text}: {path[-1]!r} is an entry, name one of its keys")
    at[path[-1]] = _toml_value(value.strip())


def key_path(key: str) -> list[str]:
    """``services.cart-service.ttl_s`` → services, cart, ttl_s: one name for each service."""
    path = [part.strip() for part in key.split(".")]
    if path[0] == "services" and len(path) > 1:
        path[1] = path[1].replace("-", "_").removesuffix("_service")
    return path


def _descend(at: Any, part: str, where: str) -> Any:
    if isinstance(at, list):
        for number, entry in enumerate(at):
            if part == str(number) or (isinstance(entry, dict) and entry.get("name") == part):
                return _table(entry, part, where)
        tables = (entry for entry in at if isinstance(entry, dict))
        names = [str(entry.get("name", i)) for i, entry in enumerate(tables)]
        raise ConfigError(f"{where}: no entry {part!r}{did_you_mean(part, names)}")
    return _table(at.setdefault(part, {}), part, where)


def _table(below: Any, part: str, where: str) -> Any:
    if not isinstance(below, dict | list):
        raise ConfigError(f"{where}: {part!r} is a value, not a table")
    return below


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"] if "\n" not in text else text
    except (ValueError, RecursionError):  # no TOML, or what int() and Python's stack refuse
        return text


def build(model: type[T], table: Mapping[str, Any], where: str) -> T:
    """Validate ``table``. Raises ConfigError with one line per problem, prefixed ``where``."""
    try:
        return model.model_validate(table, context=BY_HAND)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, model, where))) from None


def explain(error: ValidationError, model: type[BaseModel], where: str) -> Iterator[str]:
    """One line per key: ``where: key = value: what is wrong and what is allowed``."""
    by_key: dict[str, list[str]] = {}
    for problem in error.errors():
        location = [part for part in problem["loc"] if not str(part).startswith(_BRANCHES)]
        key = ".".join(str(part) for part in location)
        if problem["type"] == "extra_forbidden":
            known = _known_keys(model, location[:-1])
            yield f"{where}: unknown key {_quoted(key)}{did_you_mean(str(location[-1]), known)}"
        elif problem["type"] == "missing":
            yield f"{where}: {key} is missing"
        else:
            given = f"{where}: {key} = {_quoted(problem['input'])}" if key else where
            said = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
            by_key.setdefault(given, []).append(_KINDS.get(problem["type"], said))
    yield from (f"{given}: {', or '.join(texts)}" for given, texts in by_key.items())


def _quoted(value: Any) -> str:
    """The value as written, short and on one line."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"


def _known_keys(model: type[BaseModel], location: Iterable[Any]) -> list[str]:
    """Keys of the model that stands at ``location``; [] where it is not a table."""
    here: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, int) or here is None:
            continue
        field = here.model_fields.get(str(part))
        here = _model_in(field.annotation) if field else here
    return [field.alias or name for name, field in here.model_fields.items()] if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a))), None)
