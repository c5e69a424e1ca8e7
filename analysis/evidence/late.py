"""Services that were late alone: time that is in no ``X-Response-Time``, and is no one else's.

What clients waited beyond a service's own time is distortion, the harness's or the host's, unless
requests to other services at the same time, from the same generator, had none, and the
generator's own timers were on time. Then it is that service's: of its network, or of whatever
stands before it. Late by all of them is nobody's, and so is what too few others say.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.evidence.distance import ADDED, beyond_the_way
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch, Stretches, joined
from analysis.statistics.distributions import share_interval
from analysis.statistics.percentiles import quantile
from recording.arrays import Ints
from recording.durations import format_duration
from recording.histogram import Histogram, merge
from recording.hlog import DISTORTION, GENERATOR, LATENCY, OPENING, Interval

TOLERATED = 0.01
"""Of requests to a service that is on time: the limit is one of its p99."""
_TIMERS = "timers"
_NEAR = np.ones(3, np.int64)
"""A block of time is judged with those around it: a second alone has few requests."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Requests of a service, or ticks of timers, and those that were late, by block of time."""

    n: Ints
    late: Ints
    own_late: Ints
    """Without the blocks around."""


def late_alone(evidence: Evidence) -> Stretches:
    """When what clients waited beyond a service's own time was its alone, in blocks of the log."""
    blocks = _blocks(evidence)
    counts = _counted(evidence, list(blocks))
    timers = counts.pop(_TIMERS, None)
    if timers is None:
        return {}  # a generator that does not say how it was
    stretches = list(blocks.values())
    return {
        subject: joined(
            stretches[b]
            for b in map(int, np.flatnonzero(own.own_late))
            if _alone(subject, b, counts, timers)
        )
        for subject, own in counts.items()
    }


def _blocks(evidence: Evidence) -> dict[float, Stretch]:
    """The log's blocks of time by their start."""
    found: dict[float, Stretch] = {}
    for i in evidence.log.intervals:
        end_s = max(i.start_s + i.length_s, found[i.start_s].end_s if i.start_s in found else 0.0)
        found[i.start_s] = Stretch(i.start_s, end_s)
    return found


def _counted(evidence: Evidence, starts_s: list[float]) -> dict[str, _Counts]:
    """Of every service, and of the generator's timers."""
    validity, flow = evidence.manifest.profile.validity, evidence.services
    place = {start_s: b for b, start_s in enumerate(starts_s)}
    found: dict[str, Ints] = {}
    left = beyond_the_way(evidence)
    for i in evidence.log.intervals:
        if i.tag.kind in ADDED:
            subject, limit_s = flow.service_of(i.tag.step), validity.distortion_p99
        elif (i.tag.kind, i.tag.step) == (LATENCY, GENERATOR):
            subject, limit_s = _TIMERS, validity.generator_lag_p99
        else:
            continue
        row = found.setdefault(subject, np.zeros((2, len(starts_s)), np.int64))
        row[:, place[i.start_s]] += i.histogram.n, _beyond(left(i), limit_s).n
    return {
        subject: _Counts(np.convolve(n, _NEAR, "same"), np.convolve(late, _NEAR, "same"), late)
        for subject, (n, late) in found.items()
    }


def _beyond(histogram: Histogram, limit_s: float) -> Histogram:
    """What lies beyond a limit."""
    first = int(np.searchsorted(histogram.values_us, 1e6 * limit_s, side="right"))
    return Histogram(histogram.indices[first:], histogram.counts[first:])


def _alone(subject: str, block: int, counts: dict[str, _Counts], timers: _Counts) -> bool:
    """Whether it was late far more often than the others that were on time, and than the timers.

    By intervals of both shares (Clopper and Pearson), so that few requests prove nothing.
    """
    others = [c for other, c in counts.items() if other != subject and _on_time(c, block)]
    n = sum(int(c.n[block]) for c in others)
    ticks = int(timers.n[block])
    if not n or not ticks:
        return False
    own = counts[subject]
    least = share_interval(int(own.late[block]), int(own.n[block])).low
    late = sum(int(c.late[block]) for c in others)
    highest = share_interval(late, n).high
    return least > max(highest, share_interval(int(timers.late[block]), ticks).high)


def _on_time(counts: _Counts, block: int) -> bool:
    n, late = int(counts.n[block]), int(counts.late[block])
    return n > 0 and late <= max(1, TOLERATED * n)


def late_in_words(evidence: Evidence) -> Iterator[str]:
    """One finding for each stretch in which a service was late alone."""
    limit_s, left = evidence.manifest.profile.validity.distortion_p99, beyond_the_way(evidence)
    for subject, stretches in late_alone(evidence).items():
        for stretch in stretches:
            inside = [i for i in _added(evidence, subject) if _in(i, stretch)]
            late = merge(_beyond(left(i), limit_s) for i in inside)
            steps = evidence.services.in_order({i.tag.step for i in inside})
            each = ", ".join(f"{step} {_median(inside, step)}" for step in steps)
            yield (
                f"network of {subject}: {late.n} of {sum(i.histogram.n for i in inside)} "
                f"{_what(inside)} came more than {format_duration(limit_s)} after its own time "
                f"between {evidence.elapsed(stretch.start_s)} and "
                f"{evidence.elapsed(stretch.end_s)} ({each}), and those of others "
                "in time: it counts as its own latency"
            )


def _what(inside: list[Interval]) -> str:
    opened = any(i.tag.kind == OPENING for i in inside)
    return "answers and new connections" if opened else "answers"


def _added(evidence: Evidence, subject: str) -> Iterator[Interval]:
    of_kind = (i for i in evidence.log.intervals if i.tag.kind in ADDED)
    return (i for i in of_kind if evidence.services.service_of(i.tag.step) == subject)


def _in(interval: Interval, stretch: Stretch) -> bool:
    return stretch.start_s <= interval.start_s < stretch.end_s


def _median(intervals: list[Interval], step: str) -> str:
    """Of its answers; of its connections where none came."""
    own = [i for i in intervals if i.tag.step == step]
    answers = [i for i in own if i.tag.kind == DISTORTION]
    of_step = merge(i.histogram for i in answers or own)
    return f"+{format_duration(quantile(of_step.values_us, of_step.counts, 0.5) / 1e6)}"
