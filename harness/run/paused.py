"""A pause of the load: what it is for, what to look at meanwhile, and when it is over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.advice.examples import examples
from analysis.evidence.run import Evidence
from analysis.evidence.window import narrowed
from analysis.guards.look import Look
from harness.system.keys import is_before_us
from recording.durations import format_duration
from recording.metric_names import LOCUST, USERS
from recording.rundir import RunDir


@dataclass
class Paused:
    """By which look, since when (s since the epoch), and whether it was asked to end."""

    by: Look
    since_s: float
    resumed: bool = False

    def ended_s(self, evidence: Evidence) -> float | None:
        """When the plan went on; None as long as it stands still."""
        own = [end_s for start_s, end_s in evidence.pauses if start_s >= self.since_s]
        return own[-1] if own else None

    def is_empty(self, evidence: Evidence) -> bool:
        """Whether all journeys have ended: there is no user left."""
        t_s, users = evidence.load.get(LOCUST, USERS)
        return bool(t_s.size) and t_s[-1] > self.since_s and users[-1] == 0

    def in_words(
        self, run: RunDir, evidence: Evidence, urls: Mapping[str, str], limit_s: float
    ) -> Iterator[str]:
        """What to look at, and what ends it."""
        yield "paused: no journey begins; services stay up"
        for name, url in urls.items():
            yield f"  {name:<16}{url}"
        yield from (f"  look up the {text}" for text in self._requests(evidence))
        yield f"  so far          loadgate report {run.root}"
        over = format_duration(self.by.guard.over_s)
        ways = [] if self.by.guard.waits else [f"when the guard holds over {over}"]
        ways += ["by Enter"] if is_before_us() else []
        yield f"  goes on         {', '.join([*ways, f'by loadgate resume {run.root}'])}"
        yield f"  ends            after {format_duration(max(0.0, limit_s))} of pause, or Ctrl-C"

    def _requests(self, evidence: Evidence) -> Iterator[str]:
        """By their ids, of the stretch that was looked at."""
        look = self.by
        inside = narrowed(evidence, look.start_s, look.end_s)
        failed = look.guard.rule.metric.kind != "latency"
        steps = evidence.services.steps_of(look.subject) or (look.measured.subject,)
        if look.measured.subject in evidence.services.steps:
            steps = (look.measured.subject,)
        yield from examples(inside, steps, failed=failed)
