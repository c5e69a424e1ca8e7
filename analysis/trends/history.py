"""What was kept of runs, in time: the figures of verdicts or of baselines, of one load and host."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, isfinite
from typing import Any

from analysis.compare.baseline import Baseline, digest, load_of
from analysis.evidence.host import host_class
from recording.manifest import Manifest

Key = tuple[str, str]
"""Subject and metric."""


@dataclass(frozen=True, slots=True)
class Known:
    """One figure of one run; bounds are those within the run, None where it has none.

    ``at_least``: not everything was seen to its end, and the value may be more.
    """

    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A run: what it is called, of what and under what it was made, and what was measured."""

    run_id: str
    started_utc: str
    revision: str
    profile: str
    load: str
    host: str
    figures: Mapping[Key, Known]

    @property
    def age_s(self) -> float:
        """Since its start; endless where it does not say when that was."""
        try:
            began = datetime.fromisoformat(self.started_utc).replace(tzinfo=UTC)
        except ValueError:
            return inf
        return time.time() - began.timestamp()

    @property
    def alike(self) -> tuple[str, str, str]:
        """What runs must share to be points of one line: profile, load and host class."""
        return self.profile, self.load, self.host


@dataclass(frozen=True, slots=True)
class History:
    """Runs of one load on one host class, oldest first, and how many others there were."""

    runs: tuple[Kept, ...]
    other: int


def kept_of_baseline(it: Baseline) -> Kept:
    """Of a stored baseline, which is evidence by being stored."""
    figures = {(f.subject, f.metric): Known(f.value, f.unit, f.ci_low, f.ci_high)
               for f in it.figures}  # fmt: skip
    of_what = it.started_utc, _revision(it.revision, dirty=it.dirty), it.profile
    return Kept(it.run_id, *of_what, it.digest, it.host_class, figures)


def kept_of_run(manifest: Manifest, measurements: Iterable[Mapping[str, Any]]) -> Kept:
    """Of a recorded run and the ``measurements`` of its verdict.json.

    Raises LookupError, TypeError or ValueError where these are none.
    """
    figures = {(str(m["subject"]), str(m["metric"])): _known(m) for m in measurements}
    revision = str(manifest.git.get("revision", ""))
    return Kept(
        manifest.run_id,
        manifest.started_utc,
        _revision(revision, dirty=bool(manifest.git.get("dirty", False))),
        manifest.profile.name,
        digest(load_of(manifest.profile)),
        host_class(manifest.host).name,
        {key: known for key, known in figures.items() if known and isfinite(known.value)},
    )


def history(runs: Sequence[Kept]) -> History:
    """Those that are like the newest."""
    ordered = sorted(runs, key=lambda run: (run.started_utc, run.run_id))
    if not ordered:
        return History((), 0)
    same = tuple(run for run in ordered if run.alike == ordered[-1].alike)
    return History(same, len(ordered) - len(same))


def metrics_of(runs: Iterable[Kept]) -> dict[str, list[str]]:
    """The subjects that have each metric, both in the order in which they were measured."""
    count = Counter(key for run in runs for key in run.figures)
    found: dict[str, list[str]] = {}
    for subject, metric in count:
        found.setdefault(metric, []).append(subject)
    return found


def _known(m: Mapping[str, Any]) -> Known | None:
    """None: not measured."""
    if m["value"] is None:
        return None
    low, high = (None if m[end] is None else float(m[end]) for end in ("ci_low", "ci_high"))
    at_least = bool(m.get("at_least", False))  # verdicts of before have none
    return Known(float(m["value"]), str(m["unit"]), low, high, at_least)


def _revision(revision: str, *, dirty: bool) -> str:
    return f"{revision[:9]}{'+' if dirty else ''}"
