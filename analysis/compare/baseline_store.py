"""A folder of baselines: one JSON file per run, named by the run; users may commit it."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
from pydantic import ValidationError

from analysis.compare.baseline import Baseline, digest, load_of
from recording.errors import ConfigError, StorageError
from recording.files import replace_file, why
from recording.given_files import read_given_text
from recording.profile import Profile
from recording.profile_file import build
from recording.text import plain

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,200}")


def read_baselines(folder: Path) -> list[Baseline]:
    """Every baseline in a folder, oldest first; none where there is no folder.

    Raises ConfigError naming the file and the key that is wrong: a spoilt baseline must not
    just be missing from a verdict.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be read: {why(error)}") from None
    found = [_read(path) for path in paths]
    first: dict[str, Path] = {}
    for path, each in zip(paths, found, strict=True):
        if first.setdefault(each.run_id, path) != path:
            raise ConfigError(
                f"{path}: run_id: {plain(each.run_id)} is kept in {first[each.run_id].name} too, "
                "and a run counts once: remove one of the two"
            )
    return sorted(found, key=lambda baseline: (baseline.started_utc, baseline.run_id))


def store_baseline(folder: Path, baseline: Baseline) -> Path:
    """Write one baseline; the same run replaces its own file. Raises StorageError.

    The run's id is what its manifest says: one that is no file's name is no file's name here.
    """
    name = f"{baseline.run_id}.json"
    if not _FILE_NAME.fullmatch(name):
        raise StorageError(f"run id {plain(baseline.run_id)!r} is no file's name, no baseline")
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(path, baseline.to_json())
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {why(error)}") from error
    return path


def _read(path: Path) -> Baseline:
    try:
        table = orjson.loads(read_given_text(path))
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{path}: not valid JSON (cut off?): {error}") from None
    return _as_today(build(Baseline, table, str(path)))


def _as_today(baseline: Baseline) -> Baseline:
    """With its load as this loadgate writes it: keys of profiles come and go, and part no runs.

    What can be the load of none is left as it stands.
    """
    try:
        profile = Profile.model_validate({"name": "x", **baseline.load}, extra="ignore")
    except ValidationError:
        return baseline
    load = load_of(profile)
    return baseline.model_copy(update={"load": load, "digest": digest(load)})
