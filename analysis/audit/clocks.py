"""Two clocks have one zero: the wall's time less the test's is when the test began.

A report rounds its times one way, or cuts them: two zeros then differ by less than the coarser
unit on the test's clock and the coarser one on the wall's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from analysis.audit.finding import Finding, Kind, Relation, Relations, number, places
from analysis.published.intervals import Interval, apart
from analysis.published.moments import Moment
from analysis.published.table import Published

ONE_TEST_S = 1800.0
"""Zeros further apart are two tests', nearer ones one event's that is told wrongly."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event on both clocks, from one place of the report or from two."""

    what: str
    at: Moment
    clock: Moment
    where: str

    @property
    def zero_s(self) -> float:
        """When the test began by it, s since 1970."""
        return self.clock.s - self.at.s


def clocks(table: Published) -> Relations:
    """Zeros of all that is told on both clocks; what is told twice on one; ramps."""
    told = [Told(it.what, it.at, it.clock, it.where) for it in table.events if it.at and it.clock]
    everything = [*told, *_from_two_places(table)]
    if len(everything) > 1:
        yield _zeros(sorted(everything, key=lambda it: it.zero_s))
    yield from _shifted(everything)
    yield from _twice(table)
    yield from _ramps(table)


def _from_two_places(table: Published) -> Iterator[Told]:
    """An event that one place has on the test's clock only, and another on the wall's."""
    for elapsed in (it for it in table.events if it.clock is None):
        for wall in (it for it in table.events if it.at is None and it.what == elapsed.what):
            if elapsed.at is not None and wall.clock is not None:
                where = places(elapsed.where, wall.where)
                yield Told(elapsed.what, elapsed.at, wall.clock, where)


def _apart_s(one: Told, other: Told) -> float:
    """How far two zeros differ; 0 if rounding can be why."""
    rounding = max(one.at.unit_s, other.at.unit_s) + max(one.clock.unit_s, other.clock.unit_s)
    gap = abs(one.zero_s - other.zero_s)
    return gap if gap > rounding else 0.0


def _zeros(ordered: list[Told]) -> Relation:
    """The first and the last: one finding however many disagree."""
    one, other = ordered[0], ordered[-1]
    gap_s = _apart_s(one, other)
    says = (
        f"{one.at} is {one.clock} ({one.what}), {other.at} is {other.clock} ({other.what}): "
        f"the test began twice, {number(gap_s / 3600)} h apart"
    )
    holds = gap_s <= ONE_TEST_S
    return None if holds else Finding(Kind.TIME, says, gap_s, places(one.where, other.where))


def _shifted(everything: list[Told]) -> Relations:
    """Each pair of one test; of an event that is in several, the first."""
    seen = set()
    for one, other in combinations(everything, 2):
        gap_s = _apart_s(one, other)
        wrong = 0 < gap_s <= ONE_TEST_S
        if wrong and (one.what, other.what) not in seen:
            seen.add((one.what, other.what))
            says = (
                f"{one.what} at {one.at}, {other.what} at {other.at}: "
                f"{number(abs(other.at.s - one.at.s))} s apart, and "
                f"{number(abs(other.clock.s - one.clock.s))} s on the wall, {one.clock} and "
                f"{other.clock}"
            )
            yield Finding(Kind.TIME, says, gap_s, places(one.where, other.where))
        elif not wrong:
            yield None


def _twice(table: Published) -> Relations:
    for one, other in combinations(table.events, 2):
        for a, b in ((one.at, other.at), (one.clock, other.clock)):
            if one.what == other.what and a is not None and b is not None:
                says = f"{one.what}: {a} and {b}"
                gap_s = abs(a.s - b.s)
                finding = Finding(Kind.TIME, says, gap_s, places(one.where, other.where))
                yield None if a.span.meets(b.span) else finding


def _ramps(table: Published) -> Relations:
    """Users per minute times minutes are the users."""
    for phase in table.load.phases if table.load else ():
        if phase.users_per_min is None:
            continue
        change = abs(phase.users_to.mid - phase.users_from.mid)
        made = phase.users_per_min * phase.duration_s
        says = (
            f"{phase.users_per_min} for {phase.duration_s / 3600:.3g} h are {number(made)} users, "
            f"not {number(change)}"
        )
        whole = Interval(change, change)
        factor = apart(made, whole)
        yield None if factor <= 1.01 else Finding(Kind.LOAD, says, factor, phase.where)
