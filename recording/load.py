"""How much load a run is, for how long: its phases, and the story that they tell."""

from collections.abc import Mapping
from itertools import accumulate
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from recording.bursts import Burst
from recording.durations import BY_HAND, DurationS
from recording.story import Piece, Story
from recording.tables import Listed, Table

STOP_MARGIN_S = 2.0
"""What a user needs beyond its request's deadline to notice, say so and leave."""
_JUST_S = 1e-6
"""Before a moment."""
_TELLS = 'how long what it tells took, such as tells = "2h"'


class Phase(Table):
    """A stretch of the run: the load moves in a straight line from the last phase's to its own.

    The load is ``users`` in the closed model and ``arrivals_per_s`` (journeys begun per second)
    in the open one.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]*$")]
    """What reports and `--set load.phases.NAME` call it."""
    duration: DurationS = Field(gt=0)
    """How long it lasts."""
    users: int | None = Field(default=None, ge=0)
    """Closed model: users at its end."""
    arrivals_per_s: float | None = Field(default=None, ge=0)
    """Open model: journeys begun per second at its end."""
    measured: bool = False
    """Whether its requests reach latency and error verdicts."""
    tells: DurationS | None = Field(default=None, gt=0, exclude_if=lambda tells: tells is None)
    """How much of a story it tells, faster than that went; of all phases or of none."""
    services: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict, exclude_if=lambda services: not services
    )
    """What the mocks are told when it begins, over what they were told before."""


class Load(Table):
    """How much load, for how long, from how many Locust processes.

    ``users`` is the closed model: a slow shop slows its users down. ``arrivals`` is the open one:
    journeys begin when they are due, whatever the shop does, and latency also counts from then.
    """

    model: Literal["users", "arrivals"] = "users"
    """Closed or open."""
    arrivals: Literal["poisson", "uniform"] = "poisson"
    """Open model: drawn at random, or evenly spaced."""
    max_concurrent: int = Field(default=2000, ge=1)
    """Open model: most journeys under way at once; an arrival past it waits, and is counted."""
    phases: Annotated[tuple[Phase, ...], Listed] = Field(min_length=1)
    """One after the other; at least one of them is measured."""
    bursts: Annotated[tuple[Burst, ...], Listed] = ()
    """Where several are at once, their factors multiply."""
    processes: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Locust's worker processes; "auto": as many as descriptors and request rate ask for."""
    preconnect: bool = False
    """Users open a connection to every service when they start, not when they first need it."""
    request_timeout: DurationS = Field(default=30.0, gt=0)
    """Deadline for the whole of an answer; past it the request has failed."""
    stop_timeout: DurationS = Field(default=30.0, gt=0)
    """How long an orderly stop waits for users, unless a request may take longer."""

    cooldown: DurationS | None = Field(default=None, gt=0, exclude_if=lambda span: span is None)
    """How long services are still sampled when the load is over, to see what they give back."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        names = [phase.name for phase in self.phases]
        if len(set(names)) != len(names):
            raise ValueError(f"phase names must differ, got {names}")
        if not any(phase.measured for phase in self.phases):
            raise ValueError("no phase has measured = true, so nothing would be judged")
        if self.bursts and self.model == "users":
            raise ValueError('bursts are of arrivals: they need model = "arrivals"')
        if late := [burst.at for burst in self.bursts if burst.at >= self.duration_s]:
            raise ValueError(f"a burst at {late[0]:g} s: the load ends after {self.duration_s:g} s")
        return self

    @model_validator(mode="after")
    def _says_how_much(self, info: ValidationInfo) -> Self:
        """Of an import nobody may know: there is no phase that says anything."""
        key = "users" if self.model == "users" else "arrivals_per_s"
        levels = [getattr(phase, key) for phase in self.phases]
        if info.context != BY_HAND and not any(level is not None for level in levels):
            return self
        if None in levels:
            raise ValueError(f"load.model = {self.model!r}: every phase needs {key}")
        if not any(levels):
            raise ValueError(f"no phase has {key} > 0")
        return self

    @model_validator(mode="after")
    def _told_as_a_whole(self) -> Self:
        silent = [phase.name for phase in self.phases if phase.tells is None]
        if silent and len(silent) < len(self.phases):
            raise ValueError(f"phase {silent[0]!r} needs tells, as the others: {_TELLS}")
        return self

    @property
    def story(self) -> Story | None:
        """What the phases tell; None where they tell nothing but themselves."""
        told = [(phase.duration, phase.tells) for phase in self.phases]
        pieces = tuple(Piece(run_s, story_s) for run_s, story_s in told if story_s is not None)
        return Story(pieces) if pieces else None

    @property
    def tells_services(self) -> bool:
        """Whether any phase changes what services are told."""
        return any(phase.services for phase in self.phases)

    @property
    def peak_users(self) -> int:
        """The most users there may be at once."""
        if self.model == "arrivals":
            return self.max_concurrent
        return max(phase.users or 0 for phase in self.phases)

    @property
    def peak_arrivals_per_s(self) -> float:
        """Open model: no rate is ever higher, bursts included."""
        highest = max(phase.arrivals_per_s or 0.0 for phase in self.phases)
        return highest * prod(max(1.0, burst.factor) for burst in self.bursts)

    @property
    def most_arrivals_per_s(self) -> float:
        """Open model: the highest rate that there is."""
        ends = (*accumulate(phase.duration for phase in self.phases),
                *(burst.at for burst in self.bursts),
                *(burst.at + burst.duration for burst in self.bursts))  # fmt: skip
        return max(self.intended(t_s) or 0.0 for end in ends for t_s in (end - _JUST_S, end))

    @property
    def duration_s(self) -> float:
        """Planned length of all phases together, s."""
        return sum(phase.duration for phase in self.phases)

    @property
    def stop_patience_s(self) -> float:
        """How long an orderly stop waits for users, s: the last request has its whole deadline."""
        return max(self.stop_timeout, self.request_timeout + STOP_MARGIN_S)

    @property
    def corners(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Closed model: when phases end, s from the start, and the users then; 0 at the start."""
        ends_s = accumulate((phase.duration for phase in self.phases), initial=0.0)
        return tuple(ends_s), (0.0, *(float(phase.users or 0) for phase in self.phases))

    def intended(self, t_s: float) -> float | None:
        """Users (or arrivals/s) the plan asks for ``t_s`` s after the start; None after the end."""
        before, since_s = 0.0, t_s
        for phase in self.phases:
            level = (phase.users if self.model == "users" else phase.arrivals_per_s) or 0.0
            if t_s < phase.duration:
                factor = prod(burst.of(since_s) for burst in self.bursts)
                return factor * (before + (level - before) * t_s / phase.duration)
            t_s -= phase.duration
            before = level
        return None
