"""One thing that happened at a service for a while, and who could have felt it."""

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch, joined
from analysis.words.causes import CauseKind
from recording.flow import Services

SAMPLES = 2.0
"""So many samples before the first that shows a thing, or after the last, it may have been there:
of the service itself, and of who suffers from it."""
_DEPTH = list(CauseKind)
_OWN = (CauseKind.FAILING, CauseKind.SLOW)
_AS_SOON = (CauseKind.OUTAGE, *_OWN)
"""What can come of answers that fail: who gets them waits for nothing, and runs out of nothing."""


@dataclass(frozen=True, eq=False)
class Incident:
    """What happened at ``subject``; ``name`` and ``evidence`` as a `Cause` has them.

    ``breaks`` are metrics of the service's own state that it shows in. ``steps`` and ``outcomes``
    are those of the requests that it struck, where not all of the service's. ``spreads``: who
    asks the service meanwhile suffers as well. ``weight`` tells two of a kind apart.
    """

    kind: CauseKind
    subject: str
    stretches: tuple[Stretch, ...]
    name: str
    evidence: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    breaks: frozenset[str] = frozenset()
    steps: tuple[str, ...] = ()
    outcomes: frozenset[str] = frozenset()
    spreads: bool = True
    lasts: bool = False
    """Whether the recording ended before it did."""
    weight: float = 0.0
    slack_s: float = 0.0

    @property
    def start_s(self) -> float:
        """When it is first seen, s since the epoch."""
        return self.stretches[0].start_s

    @property
    def end_s(self) -> float:
        """When it is no longer seen."""
        return max(stretch.end_s for stretch in self.stretches)

    @cached_property
    def _near(self) -> tuple[Stretch, ...]:
        s = self.slack_s
        return joined(Stretch(one.start_s - s, one.end_s + s) for one in self.stretches)

    @cached_property
    def _ends_s(self) -> list[float]:
        return [stretch.end_s for stretch in self._near]

    def is_at(self, stretch: Stretch) -> bool:
        """Whether it was there in some moment of this stretch, as far as samples can tell."""
        place = bisect_left(self._ends_s, stretch.start_s)
        return place < len(self._near) and self._near[place].start_s <= stretch.end_s

    def overlap_s(self, stretch: Stretch) -> float:
        """How long it was seen in this stretch, s."""
        parts = (
            min(one.end_s, stretch.end_s) - max(one.start_s, stretch.start_s)
            for one in self.stretches
        )
        return sum(part for part in parts if part > 0)

    def reaches(self, flow: Services, subject: str, step: str) -> bool:
        """Whether requests to a service (``step`` "": all it was asked) could have felt it.

        Nobody feels memory that grows: what comes of it (a collection, a kill) is another one.
        """
        if self.kind is CauseKind.MEMORY_GROWTH:
            return False
        if subject != self.subject:
            behind = flow.reached_from(step) if step else flow.called_by(subject)
            return self.spreads and self.subject in behind
        return not self.steps or step in self.steps

    def strikes(self, subject: str, outcome: str) -> bool:
        """Whether one that could came out as it does for this."""
        return subject != self.subject or not self.outcomes or outcome in self.outcomes

    def follows(self, other: "Incident", flow: Services) -> bool:
        """Whether it came of another one: at the same time, not before it, and of the same service
        or of one that it waits for.
        """
        if CauseKind.MEMORY_GROWTH in (self.kind, other.kind):
            kills = self.kind is CauseKind.OOM_KILLED and self.subject == other.subject
            return kills and other.kind is CauseKind.MEMORY_GROWTH
        if other.kind in _OWN and self.kind not in _AS_SOON and not self._fits(other):
            return False
        if self.start_s + self.slack_s < other.start_s - other.slack_s:
            return False
        if not all(map(other.is_at, self.stretches)):
            return False
        if self.subject == other.subject:
            return self._is_shallower(other)
        if not self.steps:
            return other.spreads and other.subject in flow.called_by(self.subject)
        return all(other.reaches(flow, self.subject, step) for step in self.steps)

    def _fits(self, other: "Incident") -> bool:
        """Whether it was there for most of the time for which the other one was slow."""
        whole_s = sum(one.end_s - one.start_s for one in other.stretches)
        shared_s = sum(map(other.overlap_s, self.stretches))
        return other.kind is CauseKind.SLOW and 2 * shared_s >= whole_s

    def _is_shallower(self, other: "Incident") -> bool:
        if self.kind is not other.kind:
            return _DEPTH.index(self.kind) > _DEPTH.index(other.kind)
        return other.weight > self.weight and bool(set(self.steps) & set(other.steps))


def slack_s(evidence: Evidence) -> float:
    """How much earlier or later than it shows something may have been there, s."""
    return SAMPLES * evidence.manifest.profile.sampling.interval


def short(subject: str) -> str:
    """A service as people call it in a sentence."""
    return subject.removesuffix("-service")
