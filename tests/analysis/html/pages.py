"""Pages of every kind of verdict, from recordings made to order and kept ones."""

from collections.abc import Callable, Mapping
from pathlib import Path

from analysis.html.page import html
from analysis.judge import Judgement, judged
from analysis.limits.thresholds import Thresholds, load_thresholds
from analysis.pictures.illustrated import illustrated
from harness.screen.judged import document_of
from recording.rundir import RunDir
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording
from tests.analysis.recordings import Recording
from tests.analysis.test_kept_recordings import unpacked

ROOT = Path(__file__).parents[3]
SHIPPED = load_thresholds(ROOT / "thresholds.toml")

RATE_OF_FAIL = 83.4
"""What Little's law leaves of the load where charge takes 1.5 s."""
_STARVED = ((0.0, 10.0, 2.0, 0.0), (15.0, 10.0, 10.0, 7.0), (25.0, 10.0, 3.0, 0.0))
_WRONG = {"charge": {"ok": 0.95, "bad_body: payment_id is null": 0.05}}
MADE: Mapping[str, Callable[[Path], RunDir]] = {
    "pass": lambda folder: unpacked(folder, "format-3-smoke"),
    "fail": Recording(
        latency_ms={"charge": 1500.0},
        rate=RATE_OF_FAIL,
        outcomes=_WRONG,
        pool=_STARVED,
        timeouts=3.0,
    ).write,
    "invalid": Recording(lag_ms=90.0, ended="aborted").write,
    "inconclusive": Recording(ended="interrupted").write,
    "gate-pass": PairedRecording(looks=ONE_LOOK).write,
    "gate-inconclusive": lambda folder: unpacked(folder, "format-3-gate"),
    "gate-fail": PairedRecording(slower={"charge": 1.2}, looks=ONE_LOOK).write,
    "tune": lambda folder: unpacked(folder, "format-3-tune"),
    "48h": lambda _folder: RunDir(ROOT / "tests" / "fixtures" / "lt-2025-q3-checkout"),
}
"""By what they are called: how the run directory comes about."""


def page_of(run: RunDir, found: Judgement, limits: Thresholds = SHIPPED) -> bytes:
    """The page of a judged recording."""
    document = document_of(run, found.verdict, None)
    return html(illustrated(document, found.verdict, found.evidence, limits))


def made(name: str, folder: Path) -> tuple[Judgement, bytes]:
    """One of `MADE`: what was judged, and its page."""
    run = MADE[name](folder / name)
    found = judged(run, SHIPPED)
    return found, page_of(run, found)
