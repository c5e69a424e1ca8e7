"""What a rule says of a measurement: PASS, FAIL, or why it cannot tell.

The point estimate breaks a rule, whatever its interval; it keeps one only where the measurement
could have shown that it does not. What was not measured keeps no rule and breaks none.
"""

import re
from collections.abc import Iterable
from math import ceil, inf, isnan

from analysis.evidence.requests import needed
from analysis.metrics.case import Case
from analysis.metrics.metric import Claim, Decision
from analysis.words.units import counted
from analysis.words.values import NO_DATA, Measurement, Outcome
from recording.durations import format_duration, parse_duration_s

_LONGER = re.compile(r"\babout (\S+) more\b")


def decided(claim: Claim, measured: Measurement, doubts: Iterable[str] = ()) -> Decision:
    """`doubts` say why a value within its limit proves nothing, "" each that does not.

    They are only asked where there is such a value.
    """
    fewest = needed(measured.metric)
    if isnan(measured.value):
        return Outcome.INCONCLUSIVE, NO_DATA + (f": {measured.note}" if measured.note else "")
    if measured.n < fewest:
        return (
            Outcome.INCONCLUSIVE,
            f"{counted(measured.n, 'sample')}, {measured.metric} takes {fewest:,}",
        )
    if not claim.holds(measured.value):
        if measured.at_least and claim.holds(_highest(measured)):  # it may be as much as it must
            return Outcome.INCONCLUSIVE, f"{measured.shown}: {measured.note}"
        return Outcome.FAIL, ""
    doubt = next(filter(None, doubts), "")
    return (Outcome.INCONCLUSIVE if doubt else Outcome.PASS), doubt


def as_measured(case: Case, claim: Claim, subject: str, measured: Measurement) -> Decision:
    """By a value that has no interval; a service that gave too few samples keeps no rule."""
    return decided(claim, measured, (unseen(claim, measured), gap(case.unsampled.get(subject))))


def gap(left_out: str | None) -> str:
    """What a service left out of what a rule looks at, as a doubt."""
    return f"{NO_DATA}: {left_out}" if left_out else ""


def unseen(claim: Claim, measured: Measurement) -> str:
    """Whether what could not be seen could break the rule."""
    if measured.at_least and not claim.holds(_highest(measured)):
        return f"{measured.shown}: {measured.note}"
    return ""


def _highest(measured: Measurement) -> float:
    return inf if measured.highest is None else measured.highest


def longer(s: float) -> str:
    """How much more of a run could decide."""
    return f"about {format_duration(ceil(s))} more" if s < 86400 else "more than a day more"


def longest(texts: Iterable[str]) -> float | None:
    """The most that `longer` says in any of these texts, s; None where it says nothing."""
    said = (found for text in texts for found in _LONGER.findall(text))
    return max(map(parse_duration_s, said), default=None)
