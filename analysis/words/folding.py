"""Breaches that no cause explains, those with one reason together."""

from collections.abc import Iterable, Sequence

from analysis.words.causes import Cause
from analysis.words.values import Breach


def unfiled(breaches: Sequence[Breach], causes: Iterable[Cause]) -> tuple[tuple[Breach, ...], ...]:
    """In their order. One reason is the same words of the same service; without any a breach
    stands alone.
    """
    filed = {place for cause in causes for place in cause.breaches}
    groups: dict[object, list[Breach]] = {}
    for place, breach in enumerate(breaches):
        if place not in filed:
            owner = breach.subject.partition("/")[0]
            key = (owner, breach.because) if breach.because else place
            groups.setdefault(key, []).append(breach)
    return tuple(map(tuple, groups.values()))
