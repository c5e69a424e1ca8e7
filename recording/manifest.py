"""``manifest.json``: what was asked for, on what, and how it ended."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import ConfigDict, Field, ValidationError

from recording.errors import ManifestError, StorageError
from recording.files import read_regular, replace_file, why
from recording.flow import FOUR, Service, Services
from recording.profile import Profile
from recording.secrets import redacted
from recording.slots import HEAD
from recording.tables import Section

FORMATS = {
    1: "profile, revision, versions, host, phases, how it ended; of a paired run its arms",
    2: "digests of itself and, at the close, of what a verdict reads; counts of begun requests",
    3: "the services and the steps that it was made with; of an arm its own where they differ",
    4: "nothing more, in less: series have a row per subject and moment",
}
"""What can be judged, and what each says that the one before does not.

In all of them the profile is data: keys that this loadgate does not know are kept and ignored, and
those that are not there mean what `Profile` has for its default.
"""
FORMAT = max(FORMATS)
"""What is written."""
DIGESTS_SINCE, SERVICES_SINCE = 2, 3

MAX_BYTES = 16 * 2**20
"""Far above any manifest: what is larger is none, and is not read until memory ends."""

Ended = Literal[
    "running",  # still going, or the harness itself was killed
    "completed",
    "interrupted",  # Ctrl-C or SIGTERM: an orderly stop before the plan's end
    "service_died",
    "generator_died",
    "aborted",  # the harness gave up: disk full, sampling impossible, an internal error
]


class MeasuredPhase(Section):
    """A phase as it really happened; seconds since the run's epoch. ``end_s`` None: cut short."""

    name: str
    start_s: float
    end_s: float | None = None
    measured: bool = False


class ArmFacts(Section):
    """One side of a paired run: what was asked for, and what it resolved to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    what: str
    """``.``, ``ref:<git ref>`` or ``url:<file>``."""
    revision: str = ""
    tree: str = Field(default="", exclude_if=lambda tree: not tree)
    """What git calls its files: commits with the same ones have the same."""
    dirty: bool = False
    shop: bool = Field(default=False, exclude_if=lambda shop: not shop)
    """Whether it is somebody's own, started by the profile's ``[arm]``."""
    overrides: tuple[str, ...] = ()
    urls: dict[str, str] = Field(default_factory=dict)
    """Where services at given urls were."""
    seeds: dict[str, int] = Field(default_factory=dict)
    """What each of its services drew from; empty where they are not ours, or nobody noted it."""
    notes: tuple[str, ...] = ()
    """What whoever reads the verdict must know about this arm."""
    services: tuple[Service, ...] | None = Field(default=None, exclude_if=lambda own: own is None)
    """What it is made of; None: as the run."""

    def is_same_code_as(self, other: "ArmFacts") -> bool:
        """Whether both are one revision without changes, set up alike."""
        mine, theirs = (each.tree or each.revision for each in (self, other))
        alike = (mine, self.overrides) == (theirs, other.overrides)
        return bool(mine) and alike and not self.dirty and not other.dirty

    @property
    def ours(self) -> bool:
        """Whether its services are loadgate's own, which the run started itself."""
        return not (self.shop or self.what.startswith("url:"))


class PairedRun(Section):
    """The arms of a paired run, and the order they were loaded in.

    The timetable is ``profile.gate`` from the moment of the event ``slots_started``.
    """

    base: ArmFacts
    head: ArmFacts
    seed: int
    head_first: tuple[bool, ...]
    same_draws: bool = False
    """Whether it was asked for that both arms draw the same."""
    commits: tuple[str, ...] = Field(default=(), exclude_if=lambda commits: not commits)
    """Of head and not of base: revision and subject, the newest first."""
    ignored: tuple[str, ...] = Field(default=(), exclude_if=lambda paths: not paths)
    """Paths that changed, where the profile's ``gate.ignore`` has all of them: nothing was loaded.
    """
    commits_left: int = Field(default=0, exclude_if=lambda left: not left)
    """How many more there are."""

    def facts_of(self, arm: str) -> ArmFacts:
        """One of the two."""
        return self.head if arm == HEAD else self.base

    @property
    def common_draws(self) -> tuple[str, ...]:
        """Services that drew the same in both arms, in the same order."""
        pairs = self.base.seeds.items() & self.head.seeds.items()
        return tuple(sorted(name for name, _ in pairs))


class Searched(Section):
    """A run in levels (``recording/levels.py``): what was looked for, and how.

    ``asked`` is the table of that search, which its judge reads.
    """

    kind: str
    asked: Mapping[str, Any] = Field(default_factory=dict)


class FileDigest(Section):
    """A file as it was when the run was closed."""

    bytes: int
    sha256: str


class Origin(Section):
    """What an imported recording was made of.

    ``means`` says what its figures are, ``lacks`` what it has no data on, in words.
    """

    format: str
    file: str
    digest: FileDigest
    means: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class Manifest(Section):
    """Written when the run starts and once more when it ends."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = FORMAT
    run_id: str
    source: Literal["loadgate", "imported"] = "loadgate"
    """Imported runs lack what only our own recorder writes: lag, distortion, closing counts."""
    origin: Origin | None = Field(default=None, exclude_if=lambda origin: origin is None)
    """Of an import: what it was made of; it has no plan of load to be held against."""
    profile: Profile
    recorded_profile: Mapping[str, Any] | None = Field(default=None, exclude=True, repr=False)
    """What stands in the file that was read, and is written back as long as it means `profile`."""
    seed: int | None = None
    """Repeats the run's draws (``--seed``), but for those that the profile itself seeds."""
    overrides: tuple[str, ...] = ()
    labels: Mapping[str, str] = Field(default_factory=dict, exclude_if=lambda labels: not labels)
    started_utc: str
    epoch_wall_s: float
    git: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    host: dict[str, Any] = Field(default_factory=dict)
    command: str = ""
    """The words after ``loadgate``, quoted as a shell reads them."""
    ended: Ended = "running"
    ended_because: str = ""
    phases: tuple[MeasuredPhase, ...] = ()
    counts: dict[str, int] = Field(default_factory=dict)
    workers: int = 0
    """Locust workers that the load was dealt out to; 0: not said."""
    paired: PairedRun | None = None
    search: Searched | None = Field(default=None, exclude_if=lambda search: search is None)
    services: tuple[Service, ...] = FOUR.all
    """Of a paired run those of either arm."""
    steps: tuple[str, ...] = FOUR.order
    files: Mapping[str, FileDigest] | None = None
    """What a verdict reads, by path below the run directory; None until the run is closed."""

    def flow(self, arm: str = "") -> Services:
        """The services, of the run or of one arm, and their steps."""
        own = self.paired.facts_of(arm).services if self.paired and arm else None
        return Services(self.services if own is None else own, self.steps)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Replace the file in one step, so that it is always either the old or the new one.

    Secrets do not reach it.
    """
    try:
        replace_file(path, _bytes_of(manifest))
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {why(error)}") from error


def _bytes_of(manifest: Manifest) -> bytes:
    """The file; its ``digest`` is that of all its bytes with an empty one in its place."""
    later = {"services", "steps"} if manifest.format < SERVICES_SINCE else None
    table = manifest.model_dump(mode="json", exclude=later)
    said = manifest.recorded_profile
    if said and Profile.model_validate(said, extra="ignore") == manifest.profile:
        table["profile"] = said
    table = redacted(table)
    if manifest.format < DIGESTS_SINCE:
        return _json(table)
    digest = hashlib.sha256(_json(table | {"digest": ""})).hexdigest()
    return _json(table | {"digest": digest})


def _json(table: Mapping[str, Any]) -> bytes:
    return orjson.dumps(table, option=orjson.OPT_INDENT_2) + b"\n"


def read_manifest(path: Path) -> Manifest:
    """Raises ManifestError naming what is wrong with the file."""
    try:
        data = read_regular(path, MAX_BYTES)
        table = orjson.loads(data)
        _check_format(path, table)
        _check_digest(path, table, data)
        recorded = {"recorded_profile": table.get("profile")}
        return Manifest.model_validate(table | recorded, extra="ignore")
    except FileNotFoundError:
        raise ManifestError(f"{path}: no such file") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {why(error)}") from None
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"{path}: not valid JSON (cut off?): {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ManifestError(f"{path}: {key}: {first['msg']}") from None


def _check_format(path: Path, table: Any) -> None:
    """Whether this is a manifest that can be read: true, 1.0 or a missing number is no format."""
    if not isinstance(table, dict):
        raise ManifestError(f"{path}: not a table")
    said = table.get("format")
    if type(said) is not int or said not in FORMATS:
        text = orjson.dumps(said).decode() if "format" in table else "missing"
        *known, last = FORMATS
        known_ones = f"{', '.join(map(str, known))} and {last}"
        raise ManifestError(f"{path}: format {text[:40]}: this loadgate reads {known_ones}")
    if said >= SERVICES_SINCE and not {"services", "steps"} <= table.keys():
        raise ManifestError(f"{path}: format {said} without its services and steps")


def _check_digest(path: Path, table: Mapping[str, Any], data: bytes) -> None:
    """Whether not a byte was changed; format 1 has no digests, and one that has is none of it."""
    if table["format"] < DIGESTS_SINCE and "digest" not in table and not table.get("files"):
        return
    said = str(table.get("digest"))
    if hashlib.sha256(data.replace(said.encode(), b"", 1)).hexdigest() != said:
        raise ManifestError(f"{path}: changed since it was written: its own digest does not fit")
