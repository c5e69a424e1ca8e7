"""A stretch of a recording as if it had been a run of its own: what every metric can be asked of.

Times stay those of the whole recording, and so do its manifest, its ledgers and its orders.
"""

from dataclasses import replace

import numpy as np

from analysis.evidence.run import Evidence
from recording.arrays import Floats
from recording.events import PHASE_STARTED, PHASES_ENDED
from recording.hlog import GENERATOR, Interval
from recording.metric_names import UP
from recording.series_reader import Key, Series

EDGE_S = 1.0
"""Once a second the generator says how many users there are and journeys were due."""
_OF_THE_RUN = (PHASE_STARTED, PHASES_ENDED)


def narrowed(evidence: Evidence, start_s: float, end_s: float) -> Evidence:
    """Requests that began, samples that were taken and events that came within these moments."""
    inside = tuple(i for i in evidence.log.intervals if start_s <= _middle_s(i) < end_s)
    events = [
        row
        for row in evidence.events
        if row.get("event") in _OF_THE_RUN or start_s <= row["t_s"] <= end_s
    ]
    return replace(
        evidence,
        log=replace(evidence.log, intervals=inside),
        resources=_cut(evidence.resources, start_s, end_s),
        load=_cut(evidence.load, start_s, end_s),
        events=events,
        window=(start_s, end_s),
    )


def until(evidence: Evidence, end_s: float) -> Evidence:
    """What a recording that goes on has whole: requests that began up to then, and what happened.

    Its phases are still the run's. Samples go on for `EDGE_S`, as their writers are not in step.
    """
    past = narrowed(evidence, 0.0, end_s + EDGE_S)
    whole = tuple(i for i in past.log.intervals if i.start_s + i.length_s <= end_s)
    events = [row for row in evidence.events if row["t_s"] <= end_s]
    return replace(past, log=replace(past.log, intervals=whole), events=events, window=None)


def recorded_until_s(evidence: Evidence) -> float:
    """Until when every interval is in the log, but for requests that are still under way."""
    lag = (i for i in evidence.log.intervals if i.tag.step == GENERATOR)
    return max((i.start_s + i.length_s for i in lag), default=0.0)


def _middle_s(interval: Interval) -> float:
    return interval.start_s + interval.length_s / 2


def _cut(series: Series, start_s: float, end_s: float) -> Series:
    """What is only written when it changes is carried to the subject's first sample inside."""
    values = {}
    for key, (t_s, value) in series.values.items():
        kept = _inside(t_s, value, _first_s(series, key, start_s), start_s, end_s)
        if kept[0].size:
            values[key] = kept
    return Series(values, series.damaged_lines)


def _first_s(series: Series, key: Key, start_s: float) -> float:
    subject, _ = key
    t_s, _ = series.get(subject, UP)
    place = int(np.searchsorted(t_s, start_s))
    return float(t_s[place]) if place < t_s.size else start_s


def _inside(
    t_s: Floats, value: Floats, first_s: float, start_s: float, end_s: float
) -> tuple[Floats, Floats]:
    begin, end = np.searchsorted(t_s, (start_s, end_s), side="left")
    times, values = t_s[begin:end], value[begin:end]
    if begin > 0 and not (times.size and times[0] <= first_s):
        return np.append(first_s, times), np.append(value[begin - 1], values)
    return times, values
