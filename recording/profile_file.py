"""Reading a profile: file, overrides, and errors that name the key and the nearest known one."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from os.path import normpath
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from recording.durations import BY_HAND
from recording.errors import ConfigError, did_you_mean
from recording.given_files import parse_toml, read_given_text
from recording.profile import Profile
from recording.refusals import in_words
from recording.secrets import redact
from recording.text import plain
from recording.toml_lines import Key
from recording.written import MAX_SHOWN_CHARS, Written, as_written

T = TypeVar("T", bound=BaseModel)
KeyPath = tuple[Key, ...]
_BRANCHES = ("function-", "literal[", "constrained-")
"""How a part of a location begins that names one of several allowed kinds, not a key."""


def load_profile(path: Path, overrides: Sequence[str] = ()) -> Profile:
    """The profile in ``path`` with ``key=value`` overrides applied.

    Raises ConfigError naming the file, every offending key and what is allowed.
    """
    return read_profile(path, overrides)[0]


def read_profile(path: Path, overrides: Sequence[str] = ()) -> tuple[Profile, Written]:
    """The same, and what was written, for who checks more of it. Raises ConfigError."""
    text = read_given_text(path)
    table = parse_toml(text, str(path))
    options = tuple((apply_override(table, each), f"--set {each}") for each in overrides)
    table.setdefault("name", path.stem)
    written = Written(str(path), table, text, options)
    return _placed(build(Profile, table, written), path, written), written


def _placed(profile: Profile, path: Path, written: Written) -> Profile:
    """With a file of one's own that lies beside the profile's; an option's lies where one is."""
    own = profile.scenario
    key = "module" if own.module else "locustfile"
    if not own.own or written.is_option(("scenario", key)):
        return profile
    there = own.model_copy(update={key: normpath(path.parent / own.own)})
    return profile.model_copy(update={"scenario": there})


def read_toml(path: Path) -> dict[str, Any]:
    """The TOML table in ``path``. Raises ConfigError naming the file and line."""
    return parse_toml(read_given_text(path), str(path))


def apply_override(table: dict[str, Any], text: str, option: str = "--set") -> KeyPath:
    """Set ``a.b.c=value`` in a nested table; the value is TOML, or else plain text.

    A phase is reached by its name or number: ``load.phases.sustained.duration=10s``. `option` is
    what the user wrote, for errors. Returns the path of what is set.
    """
    key, equals, value = text.partition("=")
    words = key_path(key)
    if text != text.encode(errors="replace").decode():
        raise ConfigError(f"{option} {plain(text)}: not UTF-8")
    if not equals or not all(words):
        raise ConfigError(f"{option} {text}: write key=value, for example load.phases.0.users=50")
    at: Any = table
    path: KeyPath = ()
    for word in words[:-1]:
        part, at = _descend(at, word, f"{option} {text}")
        path = (*path, part)
    if isinstance(at, list):
        raise ConfigError(f"{option} {text}: {words[-1]!r} is an entry, name one of its keys")
    at[words[-1]] = _toml_value(value.strip())
    return (*path, words[-1])


def key_path(key: str) -> list[str]:
    """``services.cart-service.ttl_s`` → services, cart, ttl_s: one name for each service."""
    path = [part.strip() for part in key.split(".")]
    if path[0] == "services" and len(path) > 1:
        path[1] = path[1].replace("-", "_").removesuffix("_service")
    return path


def _descend(at: Any, word: str, where: str) -> tuple[Key, Any]:
    """The key or number that a word stands for, and what is there."""
    if isinstance(at, list):
        for number, entry in enumerate(at):
            if word == str(number) or (isinstance(entry, dict) and entry.get("name") == word):
                return number, _table(entry, word, where)
        tables = (entry for entry in at if isinstance(entry, dict))
        names = [str(entry.get("name", i)) for i, entry in enumerate(tables)]
        raise ConfigError(f"{where}: no entry {word!r}{did_you_mean(word, names)}")
    return word, _table(at.setdefault(word, {}), word, where)


def _table(below: Any, part: str, where: str) -> Any:
    if not isinstance(below, dict | list):
        raise ConfigError(f"{where}: {part!r} is a value, not a table")
    return below


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"] if "\n" not in text else text
    except (ValueError, RecursionError):  # no TOML, or what int() and Python's stack refuse
        return text


def build(model: type[T], table: Mapping[str, Any], where: Written | str, at: KeyPath = ()) -> T:
    """Validate ``table``, which stands at a key of what was written, or in a file of this name.

    Raises ConfigError with one line per problem.
    """
    written = as_written(where, table)
    try:
        return model.model_validate(table, context=BY_HAND)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, model, written, at))) from None


def explain(
    error: ValidationError, model: type[BaseModel], written: Written, at: KeyPath = ()
) -> Iterator[str]:
    """One line per key: ``file:line: key = value: what is wrong and what is allowed``."""
    by_key: dict[str, list[str]] = {}
    for problem in error.errors():
        below = [part for part in problem["loc"] if not str(part).startswith(_BRANCHES)]
        path = (*at, *below)
        where, key = written.where(path), written.key(path)
        if problem["type"] == "extra_forbidden":
            hint = did_you_mean(str(below[-1]), _known_keys(model, below[:-1]))
            yield f"{where}: unknown key {_quoted(key)}{hint}"
        elif problem["type"] == "missing":
            if not _misspelt(below, error):
                yield f"{where}: {key} is missing"
        else:
            given = _given(written, path, problem["input"])
            by_key.setdefault(given, []).append(in_words(problem))
    for given, texts in by_key.items():
        yield f"{given}: {', or '.join(texts).replace(', or write ', ', or ')}"


def _misspelt(missing: list[Key], error: ValidationError) -> bool:
    """Whether a key that nobody knows, in the same table, was to be the missing one."""
    unknown = (each["loc"] for each in error.errors() if each["type"] == "extra_forbidden")
    beside = [str(loc[-1]) for loc in unknown if [*loc[:-1]] == missing[:-1]]
    return bool(get_close_matches(str(missing[-1]), beside, n=1, cutoff=0.5))


def _given(written: Written, path: KeyPath, value: Any) -> str:
    """Where and what it is that is wrong, each said once."""
    where = written.where(path)
    if not path or written.is_option(path):
        return where + written.also(path)
    if isinstance(value, Mapping):
        return f"{where}: {written.key(path)}{written.also(path)}"
    return f"{where}: {written.key(path)} = {_quoted(value)}{written.also(path)}"


def _quoted(value: Any) -> str:
    """The value as written, short and on one line."""
    text = redact(repr(value))
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
