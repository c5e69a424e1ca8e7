"""What a search for the largest load was asked, as its manifest keeps it, and its stages."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from math import inf
from typing import Any, Literal, Self, get_args

from analysis.levels.seen import Seen

KIND = "capacity"
Unit = Literal["arrivals/s", "users"]
WARM_UP, DOUBLING, BORDER, REST, CONFIRMATION = (
    "warm-up", "doubling", "around the border", "rest", "confirmation",
)  # fmt: skip
"""What a level is for; it stands first in its ``why``, before a colon."""
RUN_S = 60.0
"""A load that holds is one at which a run of this length would."""


@dataclass(frozen=True, slots=True)
class Asked:
    """``required`` is the load that must fit, and ``required_by`` who says so.

    ``within_s`` is the time for all levels, ``narrow`` the width of the interval that is narrow
    enough (0.05: 5 % of the load), ``confirm_s`` the length of a confirmation. ``holds_s`` says how
    long at most a service of ours lets a connection be held, by subject.
    """

    unit: Unit
    required: float
    required_by: str
    within_s: float
    narrow: float
    confirm_s: float
    seed: int
    holds_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """From a manifest. Raises TypeError for one that lacks a key, ValueError for no load."""
        known = {each.name for each in fields(cls)}
        found = cls(**{name: value for name, value in table.items() if name in known})
        if not 0 < found.required < inf or found.unit not in get_args(Unit):
            raise ValueError(f"required is {found.required!r} {found.unit}")
        return found

    def table(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def stage_of(seen: Seen) -> str:
    """What the level was for."""
    return seen.level.why.partition(":")[0]


def of_stage(seen: Sequence[Seen], *stages: str) -> tuple[Seen, ...]:
    """The levels that were for any of these."""
    return tuple(one for one in seen if stage_of(one) in stages)
