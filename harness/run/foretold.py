"""What can be said of a setting without any load: from a recording, or by the mechanism itself."""

from pathlib import Path

from analysis.evidence.run import load_evidence
from analysis.levels.margins import UPPER, UTILIZATION
from analysis.limits.thresholds import Thresholds
from analysis.report.document import Document
from analysis.report.tuning import predicted_document, remedies_document
from analysis.tuning.asked import Asked
from analysis.tuning.judge import AHEAD
from analysis.tuning.lock_model import play
from analysis.tuning.predicted import twin
from analysis.tuning.remedies import remedies, suffices
from harness.run.tuning import spread
from harness.scene.lock_plan import changed, plan_of
from mock_services.table import SERVICES
from recording.profile import Profile
from recording.rundir import open_run_dir

POINTS = 6
"""Of the predicted curve."""


def by_the_twin(run: Path, asked: Asked, limits: Thresholds) -> Document:
    """Raises ConfigError for what is no recording."""
    evidence = load_evidence(open_run_dir(run))
    longest = max(evidence.levels, key=lambda level: level.counted_s, default=None)
    within = (longest.counted_from_s, longest.end_s) if longest else None  # of a search one level
    sizes = [round(size) for size in spread(asked.setting, POINTS)]
    found = twin(evidence, asked, limits, (1.0, *AHEAD), within, sizes)
    return predicted_document(found, asked, run.name, evidence.manifest.profile)


def by_the_mechanism(profile: Profile, headroom: float, limits: Thresholds) -> Document:
    """Of a lock pool that fills for minutes."""
    subject, plan = SERVICES["inventory_lock"].subject, plan_of(profile)
    rules = (rule for rule in limits.rules.get(subject, ()) if rule.op in UPPER)
    most = min((rule.limit for rule in rules if rule.metric.name == UTILIZATION), default=100.0)
    today = play(plan)
    if suffices(today, most):
        return remedies_document((), today, most)
    found = remedies(
        plan, lambda name, value: changed(profile, name, value), most * (1 - headroom), headroom
    )
    return remedies_document(tuple(found), today, most)
