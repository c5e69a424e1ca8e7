"""What a rule can be about: one object beside the function that measures it.

A new metric is one file of this room: a tuple ``METRICS`` of objects, listed in ``catalogue.py``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from analysis.metrics.case import Case
from analysis.words.values import Measurement, Outcome
from recording.flow import Services

Decision = tuple[Outcome, str]
"""The outcome and, where it is open, why."""


class Claim(Protocol):
    """A rule as its metric sees it; ``limit`` is in the metric's unit."""

    @property
    def limit(self) -> float: ...

    def holds(self, value: float) -> bool: ...


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """What a rule can be about.

    ``unit`` is the base unit (empty for a count), ``scales`` maps every unit a rule may use to its
    factor into the base unit. ``of`` says whether a subject can ever have it, among these services.

    ``measure`` gives what the rule looks at, in the case of a recording: one measurement, or one
    per step. ``decide`` is what the rule says of one of them, ``explain`` one line on why it broke
    ("" where the recording does not show it).

    ``signed`` ones may be negative. ``recorded`` is false for a recording without any such thing:
    it is judged without, and ``lacking`` is what is said then. ``live`` ones say something of a
    stretch of a run that goes on, so that a guard can watch them. ``reads`` are series of the
    subject without which it has no data: of each entry one at least.
    """

    name: str
    kind: str
    unit: str
    scales: Mapping[str, float]
    of: Callable[[Services, str], bool]
    measure: Callable[[Case, str], Iterable[Measurement]]
    decide: Callable[[Case, Claim, str, Measurement], Decision]
    explain: Callable[[Case, str, Measurement], str]
    signed: bool = False
    recorded: Callable[[Case], bool] = lambda _case: True
    lacking: str = "this recording has nothing of it"
    live: bool = True
    reads: tuple[tuple[str, ...], ...] = ()
