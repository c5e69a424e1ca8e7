"""What the levels of a search say of loads: held, broken, or nothing, as the harness gave first."""

from collections.abc import Sequence
from math import inf, isfinite

from analysis.capacity.asked import BORDER, CONFIRMATION, DOUBLING, REST, of_stage, stage_of
from analysis.capacity.causes import Trial
from analysis.levels.seen import Seen
from analysis.words.values import Outcome, RuleRow

TWICE = 2
"""A level that is spoilt may be a neighbour's doing; so many at such loads are the harness's."""


LEFT_OVER = 0.1
"""Share of a pool that may still be in use when nobody has asked for a while: what is held longer
than any rest breaks the levels after it, whatever their load."""


def slots(seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """Those that are evidence on where the border is."""
    stuffed = _stuffed(seen)
    tried = of_stage(seen, DOUBLING, BORDER)
    return tuple(one for one in tried if not one.spoilt and one.level.number not in stuffed)


def _stuffed(seen: Sequence[Seen]) -> set[int]:
    """Levels that broke with connections in use that levels before them had left behind."""
    found, left_over = set(), False
    for one in seen:
        if stage_of(one) == REST:
            left_over = _left_over(one)
        elif left_over and not one.holds:
            found.add(one.level.number)
    return found


def _left_over(rest: Seen) -> bool:
    pools = [pool.series for pools in rest.case.pools.values() for pool in pools]
    return any(pool.active.size and pool.active[-1] > LEFT_OVER * pool.size[-1] for pool in pools)


def trials(seen: Sequence[Seen]) -> list[Trial]:
    """Of these."""
    return [
        Trial(one.level.load, one.holds, one.latency, one.broke_otherwise, one.full)
        for one in slots(seen)
    ]


def ceiling(seen: Sequence[Seen]) -> float:
    """The least load from which on only the harness was measured; inf where none was found."""
    tried = of_stage(seen, DOUBLING, BORDER, CONFIRMATION)
    sound = max((one.level.load for one in tried if not one.spoilt), default=0.0)
    spoilt = sorted(one.level.load for one in tried if one.spoilt and one.level.load > sound)
    return spoilt[0] if len(spoilt) >= TWICE else inf


def undecided(seen: Seen) -> tuple[RuleRow, ...]:
    """Rules that hold by the point estimate only: their interval reaches beyond the limit.

    One that too few requests could decide is none of them: less load would not decide it.
    """
    open_rows = (row for row in seen.rows if row.outcome is Outcome.INCONCLUSIVE and row.required)
    return tuple(
        row
        for row in open_rows
        if row.kind == "latency" and row.measurement.ci_high is not None
        and isfinite(row.measurement.ci_high)
    )  # fmt: skip


def confirmed(seen: Seen) -> bool:
    """Whether a confirmation is a pass, as a run is judged."""
    return not seen.spoilt and seen.holds and not undecided(seen)


def refuted(seen: Seen) -> bool:
    """Whether a confirmation says that its load is too much."""
    return not seen.spoilt and not confirmed(seen)
