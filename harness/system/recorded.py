"""The runs that lie in a folder, damaged ones among them: what they are, and deleting old ones."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from analysis.words.units import BYTES_PER_MB
from analysis.words.values import Outcome
from recording.errors import ConfigError, StorageError
from recording.files import read_regular, why
from recording.manifest import read_manifest
from recording.rundir import RunDir, list_runs
from recording.text import plainly

MAX_BYTES = 64 * 2**20
"""Far above any verdict."""
SILENT_S = 3600.0
"""A run that did not say how it ended, and wrote nothing for so long, is not under way any more."""


@dataclass(frozen=True)
class Recorded:
    """One of them. ``why`` it cannot be read is "" for a sound one."""

    run: RunDir
    profile: str
    started: str
    ended: str
    verdict: Outcome | str
    why: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """As other verbs take it."""
        return str(self.run.root)

    def table(self) -> dict[str, Any]:
        """For JSON."""
        return {"run": self.path} | {k: v for k, v in asdict(self).items() if k != "run"}

    @cached_property
    def age_s(self) -> float:
        """Since its start; of one that does not say when, since it was last written to."""
        try:
            began = datetime.fromisoformat(self.started).replace(tzinfo=UTC)
        except ValueError:
            return time.time() - self._written_s
        return time.time() - began.timestamp()

    @cached_property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(path.lstat().st_size for path in self.run.root.rglob("*"))

    def fits(self, profile: str | None, since_s: float | None, verdict: Outcome | None) -> bool:
        """Whether it is one of those asked for; None asks for any."""
        return (
            profile in (None, self.profile)
            and verdict in (None, self.verdict)
            and (since_s is None or self.age_s <= since_s)
        )

    @property
    def may_be_under_way(self) -> bool:
        """Whether it does not say that it ended, and was written to of late."""
        says_so = self.ended not in ("running", "unreadable")
        return not says_so and time.time() - self._written_s < SILENT_S

    @property
    def _written_s(self) -> float:
        """Wall clock, s."""
        paths = (self.run.root, *self.run.root.rglob("*"))
        return max(path.lstat().st_mtime for path in paths)


def recorded(folder: Any) -> list[Recorded]:
    """All in ``folder``, newest last. Raises NotARunError where it cannot be read."""
    return [_read(run) for run in reversed(list_runs(folder))]


def _read(run: RunDir) -> Recorded:
    try:
        manifest = read_manifest(run.manifest)
    except ConfigError as error:
        return Recorded(run, "?", "?", "unreadable", Outcome.INVALID, str(error))
    started = manifest.started_utc[:19]
    labels = plainly(dict(manifest.labels))
    return Recorded(
        run, manifest.profile.name, started, manifest.ended, _verdict(run), labels=labels
    )


def _verdict(run: RunDir) -> Outcome | str:
    try:
        return Outcome(orjson.loads(read_regular(run.verdict, MAX_BYTES))["verdict"])
    except FileNotFoundError:
        return "not judged"
    except (ValueError, LookupError, TypeError, OSError):
        return "unreadable"


def prunable(found: Sequence[Recorded], keep: int, older_s: float) -> list[Recorded]:
    """Those beyond the newest ``keep`` that began longer ago, and are not under way."""
    old = found[: len(found) - keep] if keep < len(found) else []
    return [run for run in old if run.age_s > older_s and not run.may_be_under_way]


def remove(run: Recorded) -> None:
    """Raises StorageError."""
    try:
        shutil.rmtree(run.run.root)
    except OSError as error:
        raise StorageError(f"{run.path}: cannot be deleted: {why(error)}") from error


def megabytes(size_bytes: int) -> str:
    """``3 MB``, ``1,204 MB``."""
    return f"{size_bytes / BYTES_PER_MB:,.0f} MB"
