"""Looks at a run from outside while it goes on: how far it is, and how it stands so far."""

from pathlib import Path

from analysis.judge import judged_so_far
from analysis.limits.thresholds import Thresholds
from analysis.pictures.illustrated import illustrated
from analysis.report.document import Document
from analysis.report.under_way import glanced_at, under_way_document
from analysis.words.units import counted
from harness.screen.progress import Now, Progress
from recording.clock import RunClock
from recording.durations import format_duration
from recording.events import RUN_ENDED
from recording.manifest import read_manifest
from recording.rundir import RunDir
from recording.tail import Tail

SETTLED_S = 2.5
"""Requests that began so long before the recorder's last interval are in the recording, but for
those that hang."""


class Looks:
    """Reads the run directory and nothing else: the run does not notice it."""

    def __init__(self, root: Path, clock: RunClock, thresholds: Thresholds) -> None:
        """Raises ManifestError."""
        self._run = RunDir(root)
        self._clock = clock
        self._thresholds = thresholds
        manifest = read_manifest(self._run.manifest)
        self.profile = manifest.profile
        self._progress = Progress(self._run, self.profile, workers=manifest.workers)
        self._events = Tail(self._run.events)
        self._began = self._ended = False

    def now(self) -> tuple[str, str]:
        """How far it is, and the numbers of the last seconds."""
        now = self._progress.now(self._clock.now_s(), {})
        self._began = self._progress.began
        self._ended = self._ended or any(e["event"] == RUN_ENDED for e in self._events.rows())
        if self._ended:
            return "judging", ""
        return now.phase + (" (measured)" if now.measured else ""), _numbers(now)

    def document(self) -> Document | None:
        """How it stands; None before the load began. Raises LoadgateError."""
        if not self._began:
            return None
        until_s = self._clock.now_s() - self.profile.recording.interval - SETTLED_S
        found = judged_so_far(self._run, self._thresholds, until_s)
        document = under_way_document(found.verdict)
        drawn = illustrated(document, found.verdict, found.evidence, self._thresholds)
        return glanced_at(drawn, found.verdict)

    def report(self) -> bytes | None:
        """The page that stays; None where none was stored."""
        try:
            return self._run.page.read_bytes()
        except OSError:
            return None


def _numbers(now: Now) -> str:
    if not now.steps:
        return ""
    return (
        f"T+{format_duration(round(now.t_s))}, {format_duration(round(now.left_s))} left · "
        f"{counted(now.users, 'user')} · {now.rate_per_s:,.0f} req/s · "
        f"{counted(now.failures, 'failure')}"
    )
