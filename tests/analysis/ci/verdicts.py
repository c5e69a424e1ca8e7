"""One verdict of each kind, from recordings that are the same every time."""

from collections.abc import Callable, Mapping
from pathlib import Path

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Verdict
from recording.rundir import RunDir
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording
from tests.analysis.recordings import SMALL, Recording

RUN = parse_thresholds(
    '[charge]\nlatency = ["p99 < 500 ms"]\nerrors = ["error_rate < 50 %"]\n'
    '[journey]\nlatency = ["p99 < 500 ms"]\n[orders]\norders = ["lost == 0"]'
)
FEW = parse_thresholds(
    '[charge]\nerrors = ["error_rate < 0.1 %"]\n[orders]\norders = ["lost == 0"]'
)
GATE = parse_thresholds(
    '[journey]\nlatency = ["p99 < 1 s"]\n[regression]\nmetrics = ["p95"]\nmin_effect = "5 %"\n'
    'tolerated = "10 %"\nfloor = "5 ms"'
)
ENOUGH = SMALL | {"end_s": 13.0}
"""Twelve seconds measured: a p99 has an interval."""
MADE: Mapping[str, Callable[[Path], RunDir]] = {
    "pass": Recording(**SMALL).write,
    "fail": Recording(**ENOUGH, latency_ms={"charge": 900.0}, rate=100 / 1.8).write,
    "invalid": Recording(**SMALL, ended="running").write,
    "inconclusive": Recording(**SMALL).write,
    "gate-pass": PairedRecording(looks=ONE_LOOK).write,
    "gate-fail": PairedRecording(slower={"charge": 1.2}, looks=ONE_LOOK).write,
}


def verdict_of(kind: str, folder: Path) -> Verdict:
    """The verdict on that recording, written below a folder."""
    limits = FEW if kind == "inconclusive" else GATE if kind.startswith("gate") else RUN
    return judge(MADE[kind](folder / kind), limits)
