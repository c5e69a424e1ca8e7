"""What was read of a foreign file, as a run directory like any other."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from harness.foreign.format import Format
from harness.foreign.tally import Tally
from recording.closing import close_run
from recording.durations import format_duration
from recording.errors import ConfigError, StorageError
from recording.files import why
from recording.flow import FLOW, Service
from recording.hlog import HistogramLogWriter
from recording.load import Load, Phase
from recording.manifest import FileDigest, Manifest, MeasuredPhase, Origin
from recording.profile import Judge, Profile, Recording
from recording.rundir import RunDir, create_run_dir
from recording.text import plain
from recording.version import version

LACKED_BY_ALL = (
    "requests under way at the end", "distortion", "the generator's health", "orders",
    "services' own metrics",
)  # fmt: skip
"""What no foreign file says."""
OTHERS = "shop"
"""Who answers steps that are none of the checkout flow: nobody says."""
MEASURED = "measured"
_BORDERS = ("before", MEASURED, "after")


@dataclass(frozen=True, slots=True)
class Window:
    """What of a file is measured, s since its first request; ``to_s`` None: to its end."""

    from_s: float = 0.0
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read: the file, as which format, and its requests. ``cut`` lines were left out."""

    path: Path
    digest: FileDigest
    format: Format
    tally: Tally
    cut: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    command: str = ""


def write_run(runs: Path, imported: Imported, window: Window) -> RunDir:
    """The run directory, whole or not at all.

    Raises ConfigError for a window in which there is nothing, StorageError.
    """
    phases = _phases(imported, window)
    run = create_run_dir(runs, _name(imported))
    try:
        with HistogramLogWriter(run.latency, imported.tally.span.begin_us / 1e6) as log:
            for _, of_slot in groupby(imported.tally.intervals(), attrgetter("start_s")):
                log.write(of_slot)
        close_run(run, _manifest(run, imported, phases))
    except OSError as error:
        _remove(run)
        raise StorageError(f"{run.root}: cannot be written: {why(error)}") from error
    except BaseException:
        _remove(run)
        raise
    return run


def _remove(run: RunDir) -> None:
    shutil.rmtree(run.root, ignore_errors=True)


def _name(imported: Imported) -> str:
    return imported.format.key.partition("-")[0]


def _phases(imported: Imported, window: Window) -> tuple[MeasuredPhase, ...]:
    """Before, measured and after, as far as there are any; borders are those of intervals."""
    tally = imported.tally
    if tally.timeless and window != Window():
        raise ConfigError(
            f"{imported.path}: --from and --to: {imported.format.title} tell of the whole run only"
        )
    end_s = tally.span.length_s
    from_s = tally.border_s(window.from_s) if window.from_s else 0.0
    to_s = end_s if window.to_s is None else min(end_s, tally.border_s(window.to_s))
    if from_s >= min(to_s, end_s) and end_s:
        raise ConfigError(
            f"{imported.path}: --from {format_duration(window.from_s)}: nothing is measured, its "
            f"requests last {format_duration(end_s)}"
        )
    borders = (0.0, from_s, max(to_s, 0.001), max(end_s, 0.001))
    spans = zip(_BORDERS, borders, borders[1:], strict=False)
    return tuple(
        MeasuredPhase(name=name, start_s=start, end_s=end, measured=name == MEASURED)
        for name, start, end in spans
        if end > start
    )


def _manifest(run: RunDir, imported: Imported, phases: Sequence[MeasuredPhase]) -> Manifest:
    began_s = imported.tally.span.begin_us / 1e6
    steps = _in_order(imported.tally.steps)
    return Manifest(
        run_id=run.root.name,
        source="imported",
        origin=_origin(imported),
        profile=_profile(imported, phases),
        labels=imported.labels,
        started_utc=datetime.fromtimestamp(began_s, UTC).isoformat(timespec="seconds"),
        epoch_wall_s=began_s,
        versions={"loadgate": version()},
        command=imported.command,
        ended="completed",
        phases=tuple(phases),
        services=tuple(_services(steps)),
        steps=steps,
    )


def _origin(imported: Imported) -> Origin:
    tally, means = imported.tally, list(imported.format.means)
    means.append(f"{tally.requests:,} requests were read")
    if imported.cut:
        means.append("its last line was cut off, and is left out")
    return Origin(
        format=imported.format.title,
        file=plain(imported.path.name),
        digest=imported.digest,
        means=tuple(means),
        lacks=(*LACKED_BY_ALL, *imported.format.lacks),
    )


def _profile(imported: Imported, phases: Sequence[MeasuredPhase]) -> Profile:
    """Nobody says how many users there were: its phases have a length, and no load."""
    return Profile(
        name=_name(imported),
        description=f"imported from {imported.format.title}",
        load=Load(
            phases=tuple(
                Phase(
                    name=phase.name,
                    duration=(phase.end_s or 0.0) - phase.start_s,
                    measured=phase.measured,
                )
                for phase in phases
            )
        ),
        recording=Recording(interval=max(0.1, imported.tally.slot_s)),
        judge=Judge(required=imported.format.required),
    )


def _in_order(steps: Iterable[str]) -> tuple[str, ...]:
    """Those of the checkout flow in its order, then the others as they were seen first."""
    seen = list(steps)
    return (*(s for s in FLOW.order if s in seen), *(s for s in seen if s not in FLOW.order))


def _services(steps: Sequence[str]) -> Iterable[Service]:
    """Who answers the steps that there are, as far as that is known; whom they call is not."""
    for service in FLOW.all:
        if own := tuple(step for step in service.steps if step in steps):
            yield Service(key=service.key, subject=service.subject, steps=own)
    if others := tuple(step for step in steps if step not in FLOW.steps):
        yield Service(key=OTHERS, subject=OTHERS, steps=others)
