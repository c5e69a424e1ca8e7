"""Was the load delivered that the plan asked for? Users, arrivals, and the rate they make.

A shop that hangs keeps its users: fewer requests begin, and journeys that are due find nobody free.
That is the shop's doing and shows in what it is judged by. So the time that users spent waiting for
answers, those that never came included, is part of what their number explains.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf
from operator import itemgetter

import numpy as np

from analysis.evidence.requests import Sample
from analysis.evidence.resources import grown_while_measured
from analysis.evidence.run import Evidence
from analysis.statistics.percentiles import mean
from analysis.words.values import NO_DATA, Check
from recording.arrays import Floats
from recording.arrivals import arrival_times_s
from recording.durations import format_duration
from recording.events import PHASES_ENDED
from recording.histogram import merge
from recording.hlog import RETRY, Interval, of_requests
from recording.metric_names import ARRIVALS_PLANNED, ARRIVALS_STARTED, LOCUST, USERS
from recording.outcomes import LOWER_BOUNDS
from recording.profile import JOURNEY

USERS_KNOWN_AFTER_S = 0.9
"""Locust's master counts users by its workers' reports, which come once a second."""
AT_ONCE = 100
"""Intervals whose values lie in memory side by side: those of 48 hours took 230 MB."""
EDGE_S = 1.0
"""Workers begin, and hear of the end, a moment after the events that say so; a tick of Locust's."""
REQUEST_RATE = "request rate"
Window = tuple[float, float]
"""Start and end, s since the run's epoch."""


def journey_is_closed(evidence: Evidence) -> bool:
    """Whether users drive the load; otherwise arrivals do."""
    return evidence.manifest.profile.load.model == "users"


def delivered(evidence: Evidence, samples: dict[str, Sample], *, over: bool) -> Iterator[Check]:
    """The checks of the load, whichever model drives it; `over`: it goes on no longer."""
    if journey_is_closed(evidence):
        yield from _users_delivered(evidence, samples)
        return
    if over:
        yield arrivals_due(evidence)
    yield _arrivals_begun(evidence)


def _arrivals_begun(evidence: Evidence) -> Check:
    """Journeys that were due against those that began."""
    validity = evidence.manifest.profile.validity
    due, begun = _arrivals(evidence)
    undelivered = max(0.0, 1 - begun / due) if due else 1.0
    explained = bool(kept_from_users(evidence))
    more = ", or users held by requests without an answer" if explained else ""
    return Check(
        "arrivals not delivered",
        f"{100 * undelivered:.2g} %",
        f"≤ {100 * validity.undelivered_arrivals:g} %{more}",
        undelivered <= validity.undelivered_arrivals or explained,
        "due, but no user was free: raise load.max_concurrent, or the shop cannot keep up",
    )


def arrivals_due(evidence: Evidence) -> Check:
    """Journeys that were due, against the very moments that the plan has, over the whole load.

    The generator draws them from profile, seed and worker (``recording/arrivals.py``), so their
    number is known and not estimated: a lost worker, or one too many, shows to the journey.
    """
    tolerance = evidence.manifest.profile.validity.undelivered_arrivals
    workers = evidence.load.subjects(ARRIVALS_PLANNED)
    due = sum(float(evidence.load.get(worker, ARRIVALS_PLANNED)[1][-1]) for worker in workers)
    fewest, most = _planned(evidence)
    return Check(
        "arrivals due",
        f"{due:,.0f}",
        f"{fewest:,} to {most:,} ± {100 * tolerance:g} %",
        (1 - tolerance) * fewest <= due <= (1 + tolerance) * most,
        "each worker's share of them is drawn beforehand: one was lost, or was too many",
    )


def _planned(evidence: Evidence) -> tuple[int, int]:
    """The fewest and the most that could be due before the load ended."""
    ended = evidence.times_of(PHASES_ENDED) or [evidence.end_s]
    load_s = evidence.planned_s(ended[-1])
    profile = evidence.manifest.profile
    workers = evidence.manifest.workers or len(evidence.load.subjects(ARRIVALS_PLANNED)) or 1
    fewest = most = 0
    for worker in range(workers):
        for t_s in arrival_times_s(profile.load, profile.seed, worker, workers):
            if t_s > load_s + EDGE_S:
                break
            most += 1
            fewest += t_s <= load_s - EDGE_S
    return fewest, most


def _arrivals(evidence: Evidence) -> tuple[float, float]:
    """Journeys that were due and journeys that began, in the measured phases."""
    workers = evidence.load.subjects(ARRIVALS_PLANNED)
    due, begun = (
        sum(grown_while_measured(evidence, worker, metric, "load") for worker in workers)
        for metric in (ARRIVALS_PLANNED, ARRIVALS_STARTED)
    )
    return due, begun


def kept_from_users(evidence: Evidence) -> str:
    """That journeys did not begin because hanging requests held the users; "" where it is not so.

    Held users could have made one journey in the time that one takes without such requests.
    """
    if journey_is_closed(evidence) or not evidence.measured_s:
        return ""
    due, begun = _arrivals(evidence)
    tolerated = evidence.manifest.profile.validity.undelivered_arrivals * due
    held_s = spent_s(_hanging(evidence.log.intervals), evidence.measured)
    if due - begun <= tolerated or due - begun - tolerated > held_s / _journey_s(evidence):
        return ""
    return (
        f"{due - begun:.0f} of {due:.0f} journeys that were due found no free user: requests "
        f"without an answer held users for {format_duration(round(held_s))} together"
    )


def _journey_s(evidence: Evidence) -> float:
    """What a journey takes without hanging requests, s."""
    profile = evidence.manifest.profile
    requests = of_requests(evidence.log.intervals)
    answered = merge(i.histogram for i in requests if i.tag.outcome not in LOWER_BOUNDS)
    mean_s = mean(answered.values_us, answered.counts) / 1e6 if answered.n else 0.0
    return max(1e-3, profile.requests_per_journey * (mean_s + profile.journey.think.mean_s))


def _users_delivered(evidence: Evidence, samples: dict[str, Sample]) -> Iterator[Check]:
    validity = evidence.manifest.profile.validity
    intended, there = _users(evidence)
    if there is None:
        yield Check("users delivered", NO_DATA, "present", False)
        return
    share = there / intended if intended else 0.0
    yield Check(
        "users delivered",
        f"{there:,.0f}",
        f"{intended:,.0f} ± {100 * validity.users_tolerance:g} %",
        abs(share - 1) <= validity.users_tolerance,
    )
    intervals, windows = evidence.log.intervals, evidence.measured
    yield rate_check(evidence, REQUEST_RATE, intervals, windows, samples, there)


def _users(evidence: Evidence) -> tuple[float, float | None]:
    """Mean users the plan asked for and mean users there were, over the measured phases."""
    t_s, there = evidence.load.get(LOCUST, USERS)
    windows = [(t_s >= start + USERS_KNOWN_AFTER_S) & (t_s <= end) for start, end in
               evidence.measured]  # fmt: skip
    planned_s = t_s - evidence.load_start_s
    for start_s, end_s in evidence.pauses:
        planned_s -= np.clip(t_s, start_s, inf if end_s is None else end_s) - start_s
    ends_s, users = evidence.manifest.profile.load.corners
    counted = np.any([*windows, np.zeros(t_s.size, bool)], axis=0) & (planned_s < ends_s[-1])
    if not counted.any():
        return 0.0, None
    wanted = np.interp(planned_s[counted], ends_s, users)
    return float(np.mean(wanted)), float(np.mean(there[counted]))


def rate_check(
    evidence: Evidence,
    name: str,
    intervals: Sequence[Interval],
    windows: Sequence[Window],
    samples: dict[str, Sample],
    users: float,
) -> Check:
    """Whether the requests that began in the windows fit the users who made them.

    `samples` has those requests; `intervals` all of the same users, as some of them began before
    a window and last into it.
    """
    tolerance = evidence.manifest.profile.validity.rate_tolerance
    span_s = sum(end - start for start, end in windows)
    rate = samples[JOURNEY].n / span_s
    if evidence.by_name:
        return Check(name, f"{rate:.1f}/s", "any", ok=True, hint="its users think as they like")
    lowest, highest = _littles_law(evidence, intervals, windows, samples, users)
    alike = highest - lowest <= 0.01 * highest
    expected = f"{highest:.1f}/s" if alike else f"{lowest:.1f} to {highest:.1f}/s"
    return Check(
        name,
        f"{rate:.1f}/s",
        f"{expected} ± {100 * tolerance:g} %",
        (1 - tolerance) * lowest <= rate <= (1 + tolerance) * highest,
        "Little's law over users, declared think time and measured latency",
    )


def _littles_law(
    evidence: Evidence,
    intervals: Sequence[Interval],
    windows: Sequence[Window],
    samples: dict[str, Sample],
    users: float,
) -> tuple[float, float]:
    """Requests/s that ``users`` can make, lowest and highest.

    Each request takes its latency and a think time: Little's law, N = X·(R + Z) (J. D. C. Little,
    1961; Z is think time in the interactive form). R is what requests took of the windows, so that
    one which hangs beyond the end counts up to there; the lower rate takes in those that began
    before. Before a retry users wait as long as was recorded, and do not think.
    With a journey period the users wait for it, so the rate follows from requests per
    period; a hanging request may fit into that wait, or take the user from it.
    """
    journey = evidence.manifest.profile.journey
    all_steps, span_s = samples[JOURNEY], sum(end - start for start, end in windows)
    again, waits_s = _asked_again(intervals, windows)
    thinks_s = (all_steps.n - sum(again.values())) * journey.think.mean_s + waits_s
    every = list(of_requests(intervals))
    begun = [i for i in every if _began_in(i, windows)]
    low, high = (
        users / max(1e-6, (spent_s(part, windows) + thinks_s) / max(1, all_steps.n))
        for part in (every, begun)
    )
    if journey.period is None:
        return low, high
    outline = evidence.manifest.profile.scenario.outline
    first = outline.steps[0].name if outline else next(iter(evidence.services.steps), "")
    started = samples[first].n - again[first] if first in samples else 0
    per_journey = all_steps.n / started if started > 0 else 1.0
    free = max(0.0, users - spent_s(_hanging(intervals), windows) / span_s)
    return (
        min(low, free * per_journey / journey.period),
        min(high, users * per_journey / journey.period),
    )


def _asked_again(
    intervals: Sequence[Interval], windows: Sequence[Window]
) -> tuple["Counter[str]", float]:
    """Requests that began in the windows and were made again, by step; the waits before, s."""
    again: Counter[str] = Counter()
    waits_s = 0.0
    for interval in of_requests(intervals, RETRY):
        if _began_in(interval, windows):
            again[interval.tag.step] += interval.histogram.n
            waits_s += float(interval.histogram.values_us @ interval.histogram.counts) / 1e6
    return again, waits_s


def _begin_s(interval: Interval) -> float:
    """When its requests began, near enough."""
    return interval.start_s + interval.length_s / 2


def _began_in(interval: Interval, windows: Sequence[Window]) -> bool:
    """In one of windows that follow each other."""
    before = bisect_right(windows, _begin_s(interval), key=itemgetter(0))
    return before > 0 and _begin_s(interval) < windows[before - 1][1]


def _hanging(intervals: Sequence[Interval]) -> list[Interval]:
    return [i for i in of_requests(intervals) if i.tag.outcome in LOWER_BOUNDS]


def spent_s(intervals: Sequence[Interval], windows: Sequence[Window]) -> float:
    """Time of users that requests took within the windows, s; all of them began mid-interval."""
    if not windows:
        return 0.0
    corners_s = np.ravel(windows)
    lengths_s = np.diff(corners_s, prepend=corners_s[0])
    lengths_s[::2] = 0.0  # from the end of one to the start of the next
    passed_s = np.cumsum(lengths_s)  # of the windows, up to each corner
    starts = range(0, len(intervals), AT_ONCE)
    return sum(_spent_s(intervals[at : at + AT_ONCE], corners_s, passed_s) for at in starts)


def _spent_s(intervals: Sequence[Interval], corners_s: Floats, passed_s: Floats) -> float:
    begin_s = np.repeat(
        [_begin_s(i) for i in intervals], [i.histogram.values_us.size for i in intervals]
    )
    took_s = np.concatenate([i.histogram.values_us for i in intervals]) / 1e6
    inside_s = np.interp(begin_s + took_s, corners_s, passed_s) - np.interp(
        begin_s, corners_s, passed_s
    )
    return float(inside_s @ np.concatenate([i.histogram.counts for i in intervals]))
