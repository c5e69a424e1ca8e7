"""What the levels of a search say of loads: held, broken, or nothing, as the harness gave first."""

from collections.abc import Sequence
from math import inf, isfinite

from analysis.capacity.asked import BORDER, CONFIRMATION, DOUBLING, of_stage
from analysis.capacity.design import Trial
from analysis.levels.seen import Seen
from analysis.words.values import Outcome, RuleRow

TWICE = 2
"""A level that is spoilt may be a neighbour's doing; so many at such loads are the harness's."""


def slots(seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """Those that are evidence on where the border is."""
    return tuple(one for one in of_stage(seen, DOUBLING, BORDER) if not one.spoilt)


def trials(seen: Sequence[Seen]) -> list[Trial]:
    """Of these."""
    return [(one.level.load, one.holds) for one in slots(seen)]


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
