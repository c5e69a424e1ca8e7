"""How far away services at urls are: what every answer takes beyond the service's own time.

The least of that is the way there and back, with what stands before the service on it. It is no
distortion, and it hides none: what the generator's own timers are late by as a rule is not part of
it, and what varies is left.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf

from analysis.evidence.run import Evidence
from analysis.evidence.traffic import traffic
from analysis.statistics.percentiles import quantile
from analysis.words.values import show
from recording.histogram import Histogram, merge
from recording.hlog import DISTORTION, GENERATOR, LATENCY, OPENING, Interval
from recording.slots import ARMS

LEAST = 0.01
"""The share of answers that may have come quicker, as the limit of distortion is one of its p99."""
WORTH_SAYING_US = 1000.0
"""``X-Response-Time`` has whole ms."""
NEARER = 0.5
"""Of the way: what answers a TCP handshake within this share of it is not the service itself."""
ADDED = (DISTORTION, OPENING)
"""What is not the service's own time: beside each answer, and before the first on a connection."""


@dataclass(frozen=True, slots=True)
class Way:
    """There and back, µs: of an answer, and until a connection is open. ``jitter_us`` is what p99
    of the answers take beyond that.
    """

    answer_us: float
    opening_us: float
    jitter_us: float

    def of(self, kind: str) -> float:
        """What is no distortion of one of these."""
        return self.opening_us if kind == OPENING else self.answer_us

    def __str__(self) -> str:
        return show(self.answer_us / 1000, "ms")


def ways(evidence: Evidence) -> Mapping[str, Way]:
    """Of each service, and of each arm's, that was at a url; none of ours, which are here."""
    by_kind: dict[tuple[str, str], list[Histogram]] = {}
    for i in evidence.log.intervals:
        if i.tag.kind in ADDED and is_far(evidence, i.tag.arm):
            by_kind.setdefault((service_of(evidence, i), i.tag.kind), []).append(i.histogram)
    if not by_kind:
        return {}
    merged = {key: merge(parts) for key, parts in by_kind.items()}
    late_us = _late_us(evidence)

    def least_us(subject: str, kind: str) -> float:
        return max(0.0, _quantile(merged.get((subject, kind)), LEAST) - late_us)

    found = {}
    for subject in dict.fromkeys(subject for subject, _ in merged):
        answer_us = least_us(subject, DISTORTION)
        worst_us = _quantile(merged.get((subject, DISTORTION)), 1 - LEAST)
        jitter_us = max(0.0, worst_us - answer_us)
        found[subject] = Way(answer_us, least_us(subject, OPENING), jitter_us)
    return found


def is_far(evidence: Evidence, arm: str) -> bool:
    """Whether the services of an arm (or of the run) were somebody else's."""
    own = arm if arm in ARMS else ""
    return evidence.manifest.source == "loadgate" and not evidence.is_ours(own)


def service_of(evidence: Evidence, interval: Interval) -> str:
    """Who answers an interval's step: ``checkout-service@head``."""
    arm = interval.tag.arm if interval.tag.arm in ARMS else ""
    service = evidence.manifest.flow(arm).service_of(interval.tag.step)
    return f"{service}@{arm}" if arm else service


def beyond_the_way(evidence: Evidence) -> Callable[[Interval], Histogram]:
    """Makes of an interval of distortion, or of openings, what is left of it without the way."""
    known = ways(evidence)

    def left(interval: Interval) -> Histogram:
        way = known.get(service_of(evidence, interval)) if known else None
        return interval.histogram.less(way.of(interval.tag.kind)) if way else interval.histogram

    return left


def distance_in_words(evidence: Evidence) -> Iterator[str]:
    """One finding about the services that are so far away that it shows."""
    handshakes_s = {
        subject: of.least_handshake_s
        for subjects, of in traffic(evidence).items()
        for subject in subjects
    }
    far = {name: w for name, w in ways(evidence).items() if w.answer_us >= WORTH_SAYING_US}
    if not far:
        return
    each = ", ".join(_to(subject, way, handshakes_s.get(subject)) for subject, way in far.items())
    nearer = any(
        1e6 * (handshakes_s.get(subject) or inf) < NEARER * way.answer_us
        for subject, way in far.items()
    )
    who = "; what answers a handshake so soon is nearer, as a load balancer is" if nearer else ""
    yield (
        f"the way there and back takes {each}: taken out of the distortion, and part of the "
        f"latencies that are judged{who}"
    )


def _to(subject: str, way: Way, handshake_s: float | None) -> str:
    said = f"{way} to {subject} (jitter {show(way.jitter_us / 1000, 'ms')} at p99"
    handshake = f", TCP handshake {show(1000 * handshake_s, 'ms')}" if handshake_s else ""
    return f"{said}{handshake})"


def _late_us(evidence: Evidence) -> float:
    """What the generator's timers are late by, in the middle."""
    own = (i for i in evidence.log.intervals if (i.tag.kind, i.tag.step) == (LATENCY, GENERATOR))
    return _quantile(merge(i.histogram for i in own), 0.5)


def _quantile(of: Histogram | None, q: float) -> float:
    """µs; 0 of nothing."""
    return quantile(of.values_us, of.counts, q) if of is not None and of.n else 0.0
