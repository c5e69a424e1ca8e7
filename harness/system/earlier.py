"""The newest earlier run of the same profile in a run's folder, whatever became of it."""

from collections.abc import Mapping
from typing import Any

import orjson

from harness.system.recorded import MAX_BYTES
from recording.errors import LoadgateError
from recording.files import read_regular
from recording.manifest import Manifest, read_manifest
from recording.rundir import RunDir, list_runs


def earlier(run: RunDir, of: Manifest) -> tuple[RunDir, Manifest] | None:
    """None where there is none, or none that can be read."""
    try:
        below = [other for other in list_runs(run.root.parent) if other.root.name < run.root.name]
    except LoadgateError:
        return None
    for other in below:
        try:
            manifest = read_manifest(other.manifest)
        except LoadgateError:
            continue
        if manifest.profile.name == of.profile.name and _is_single(manifest):
            return other, manifest
    return None


def _is_single(manifest: Manifest) -> bool:
    return manifest.paired is None and manifest.search is None


def stored_verdict(run: RunDir) -> Mapping[str, Any]:
    """Its verdict.json; empty where there is none that can be read."""
    try:
        found = orjson.loads(read_regular(run.verdict, MAX_BYTES))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
