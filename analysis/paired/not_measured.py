"""The verdict on a gate that loaded nothing, since nothing changed that it is to look at."""

from analysis.evidence.run import Evidence
from analysis.paired.judge import GateReport
from analysis.words.units import counted
from analysis.words.values import Outcome
from recording.manifest import PairedRun

MOST_SHOWN = 20


def not_measured(evidence: Evidence, paired: PairedRun) -> GateReport:
    """Neither good nor bad: what changed is named, and nothing is said of it."""
    manifest, paths = evidence.manifest, paired.ignored
    gate = manifest.profile.gate
    patterns = ", ".join(gate.ignore) if gate else ""
    left = len(paths) - MOST_SHOWN
    more = (f"and {left} more",) if left > 0 else ()
    return GateReport(
        run_id=manifest.run_id,
        profile=manifest.profile.name,
        verdict=Outcome.NOT_MEASURED,
        summary=(
            f"Nothing was loaded: {counted(len(paths), 'path')} changed, and gate.ignore "
            f"({patterns}) has all of them"
        ),
        findings=(*(f"changed: {path}" for path in paths[:MOST_SHOWN]), *more),
        context={
            "started_utc": manifest.started_utc,
            "base": paired.base.model_dump(mode="json"),
            "head": paired.head.model_dump(mode="json"),
            "git": manifest.git,
            "overrides": manifest.overrides,
            **({"labels": dict(manifest.labels)} if manifest.labels else {}),
        },
    )
