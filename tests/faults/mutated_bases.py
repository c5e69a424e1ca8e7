"""Small recordings of every outcome, to be mutated: made in milliseconds, judged in a few tens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome
from recording.files import read_regular
from recording.manifest import read_manifest, write_manifest
from recording.rundir import EVIDENCE, RunDir
from tests.analysis.gate.paired_recordings import PairedRecording
from tests.analysis.recordings import SMALL, Recording

LIMITS_TOML = """
[journey]
latency = ["p95 < 2 s"]
errors = ["error_rate < 1 %"]

[checkout-service]
pool = ["exhausted_windows == 0"]

[cart-service]
memory = ["peak_rss < 9 GB"]

[orders]
orders = ["lost == 0"]

[regression]
metrics = ["p50"]
min_effect = "50 %"
tolerated = "60 %"
floor = "20 ms"
"""
LIMITS = parse_thresholds(LIMITS_TOML)
DECIDES_NOTHING = (
    "exemplars.jsonl", "verdict.json", "report.md", "junit.xml", "logs/locust.log",
    "ledger/orders.sqlite-shm", "events-base.jsonl", "events-head.jsonl",
)  # fmt: skip
"""Files that change no verdict: derived ones, examples and logs."""
KINDS: dict[str, dict[str, Any]] = {
    "PASS": {},
    "FAIL": {"outcomes": {"charge": {"ok": 0.9, "http_5xx": 0.1}}},
    "INCONCLUSIVE": {"without": ("connection_pool_waiting",)},
    "INVALID": {"foreign_cores": 1.9},
}


@dataclass(frozen=True)
class Base:
    """A recording, another of its kind, and what is said of the first as long as it is whole."""

    name: str
    run: RunDir
    other: RunDir
    sound: Outcome
    often: int = 1
    """How often it is chosen."""

    @property
    def closed(self) -> bool:
        """Whether a changed byte of what its verdict reads must be seen."""
        manifest = read_manifest(self.run.manifest)
        return manifest.format > 1 and manifest.ended != "running"


def bases(folder: Path) -> list[Base]:
    """Single ones of every outcome, one that was not closed, two of format 1, a paired one."""
    other = Recording(**SMALL, rate=50.0).write(folder / "other")
    made = [*_single(folder, other), *_paired(folder)]
    for run in (other, *(base.run for base in made)):
        _add_what_decides_nothing(run)
    return made


def _single(folder: Path, other: RunDir) -> Iterator[Base]:
    for name, spoilt in KINDS.items():
        run = Recording(**SMALL, **spoilt).write(folder / name)
        yield _base(name, run, other, often=6 if name == "PASS" else 2)
        if name in ("PASS", "FAIL"):
            old = Recording(**SMALL, **spoilt).write(folder / f"{name} of format 1")
            manifest = read_manifest(old.manifest)
            write_manifest(old.manifest, manifest.model_copy(update={"format": 1, "files": None}))
            yield _base(f"{name} of format 1", old, other)
    running = Recording(**SMALL, ended="running").write(folder / "running")
    yield _base("running", running, other)


def _paired(folder: Path) -> Iterator[Base]:
    small: dict[str, Any] = {"per_slot": 40, "steps": ("browse",), "rounds": 8, "looks": (8,)}
    run = PairedRecording(**small).write(folder / "gate")
    yield _base("gate", run, PairedRecording(**small, seed=8).write(folder / "gate2"), often=2)


def _base(name: str, run: RunDir, other: RunDir, often: int = 1) -> Base:
    return Base(name, run, other, judge(run, LIMITS).verdict, often)


def _add_what_decides_nothing(run: RunDir) -> None:
    run.logs.mkdir(exist_ok=True)
    for name in DECIDES_NOTHING[1:]:
        path = run.root / name
        path.write_bytes(read_regular(run.events))


def names_of(run: RunDir) -> list[str]:
    """Whatever can be mutated: files that are there, files that are not, folders."""
    there = ("manifest.json", *EVIDENCE, *DECIDES_NOTHING)
    found = [name for name in there if (run.root / name).is_file()]
    return [*found, *found, "ledger", "ledger/orders.sqlite-wal", "exemplars.jsonl"]
