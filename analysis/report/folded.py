"""Breaches of one cause as one: the cause first, its symptoms under it."""

from collections.abc import Iterable, Iterator, Sequence

from analysis.words.values import Breach
from recording.profile import JOURNEY

Folded = tuple[Breach, ...]
"""Of one cause, the fullest told first."""


def folded(breaches: Iterable[Breach]) -> Iterator[Folded]:
    """In the order in which causes appear; a breach without a reason stands alone.

    Reasons are one where one of them only goes on from the other, of the same service: the
    journey's are those of the step that broke it. Two pools that ran dry alike are two causes.
    """
    left = list(breaches)
    while left:
        first = left.pop(0)
        same = [other for other in left if _one_cause(first, other)]
        left = [other for other in left if not any(other is each for each in same)]
        yield tuple(sorted((first, *same), key=lambda breach: -len(breach.because)))


def _one_cause(a: Breach, b: Breach) -> bool:
    owners = {breach.subject.partition("/")[0] for breach in (a, b)}
    short, long = sorted((a.because, b.because), key=len)
    return (len(owners) == 1 or JOURNEY in owners) and bool(short) and long.startswith(short)


def in_words(group: Sequence[Breach]) -> str:
    """One line: a breach as it is, several as their cause and what it breaks."""
    if len(group) == 1:
        return str(group[0])
    return f"{group[0].because}: {len(group)} rules: {symptoms(group)}"


def symptoms(group: Iterable[Breach]) -> str:
    """What is broken, without why."""
    return "; ".join(f"{b.subject} {b.metric} {b.shown}, required {b.required}" for b in group)
