"""The profile: everything that decides what a run does, built in one place and then frozen.

``load_profile`` reads a TOML file, applies ``--set a.b=c`` overrides, rejects unknown keys with
the nearest known one, and returns one immutable value that is passed down, never looked up.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import comb, nan, prod
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from recording.durations import BY_HAND, DurationS
from recording.faults import Fault, check_timetable
from recording.flow import FLOW, Service, Services
from recording.journey import OF_THE_SHIPPED_FLOW, Journey
from recording.load import Load
from recording.metric_names import ORDERS_DB
from recording.metrics import Metrics
from recording.sampling import Sampling
from recording.scenario import Scenario
from recording.shop import Shop
from recording.slots import Slots
from recording.tables import Listed, Table
from recording.target import HOST, Target
from recording.tune import Tune
from recording.validity import Validity

Seed = Annotated[int, Field(ge=0, lt=2**63)]

DECIDED_BY_A_RUN = (
    "latency",
    "errors",
    "pool",
    "memory",
    "process",
    "orders",
    "reclaim",
    "database",
)
RULE_KINDS = (*DECIDED_BY_A_RUN, "availability")
"""What a rule of thresholds.toml can be about; a profile may leave some undecided. What is promised
for a month is, unless a profile says otherwise."""
JOURNEY, ORDERS = "journey", "orders"
SUBJECTS = (*FLOW.subjects, JOURNEY, *FLOW.steps, ORDERS, ORDERS_DB)
"""Whom a section of thresholds.toml can be about."""


class Recording(Table):
    """How finely the run is recorded."""

    interval: DurationS = Field(default=1.0, ge=0.1)
    """A line of `latency.hlog` for each."""
    slowest_per_interval: int = Field(default=3, ge=0)
    """Slowest requests of each that are kept as exemplars."""
    failures_per_interval: int = Field(default=200, ge=1)
    """Failures of each that are kept as exemplars, at most."""


class Judge(Table):
    """What must be decided for a PASS; every other rule can still FAIL.

    ``required`` has kinds of rule, or sections and kinds of thresholds.toml: ``journey.errors``.
    """

    required: Annotated[tuple[str, ...], Listed] = DECIDED_BY_A_RUN
    """Kinds of rule, or those of one section."""

    @field_validator("required")
    @classmethod
    def _known(cls, required: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Asked of profiles only: a recording may name services that are not known here."""
        for name in required if info.context == BY_HAND else ():
            subject, _, kind = name.rpartition(".")
            known = kind in RULE_KINDS and (subject in SUBJECTS or not subject)
            if not known or name.startswith("."):
                raise ValueError(
                    f"{name!r} is no kind of rule: {', '.join(RULE_KINDS)}, or one of a section "
                    "of thresholds.toml, such as journey.errors"
                )
        return required

    def requires(self, subject: str, kind: str) -> bool:
        """Whether the rules of this kind, of this section, must be decided."""
        return kind in self.required or f"{subject}.{kind}" in self.required


MIN_ROUNDS: Final = 8
"""Fewer rounds reach no useful p-value and support no t interval."""
MOST_ROUNDS: Final = 2000
"""That a gate may be asked for: a day of slots of 20 s."""
FEWEST_ORDERS: Final = 3_200
"""The least p is one over the number of orders: 16 rows share the gate's 0.005."""


class Gate(Table):
    """A paired run: base and head are loaded in turn, in short slots (``recording/slots.py``).

    ``looks`` are the numbers of rounds after which the gate may decide; the last is the budget.
    Every other user belongs to base, the rest to head.
    """

    slot: DurationS = Field(default=3.5, ge=0.5)
    """A stretch of load on one arm."""
    cut: DurationS = Field(default=0.5, ge=0)
    """Of each slot's beginning, what is not counted."""
    warmup_rounds: int = Field(default=2, ge=0)
    """Rounds before the first that counts."""
    looks: Annotated[tuple[int, ...], Listed] = (24, 40)
    """Rounds after which the gate may decide; the last is the budget."""
    ignore: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Listed] = Field(
        default=(), exclude_if=lambda ignore: not ignore
    )
    """Paths, as git's pathspecs, that are no reason to load: where nothing else changed, the gate
    says so."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.cut >= self.slot:
            raise ValueError("cut must be shorter than slot, or nothing would be counted")
        borders = (0, *self.looks)
        if not self.looks or any(b <= a or (b - a) % 2 for a, b in pairwise(borders)):
            raise ValueError(
                f"looks {list(self.looks)}: need rising numbers with an even number of rounds "
                "between them, so that base-first and head-first balance"
            )
        return self

    @model_validator(mode="after")
    def _can_decide(self, info: ValidationInfo) -> Self:
        """Asked of profiles only: what was recorded with such looks is judged as what it is."""
        if info.context != BY_HAND:
            return self
        looks = f"looks {list(self.looks)}"
        if self.looks[0] < MIN_ROUNDS:
            raise ValueError(
                f"{looks}: the one after {self.looks[0]} rounds could never decide, for intervals "
                f"take at least {MIN_ROUNDS} rounds"
            )
        orders = prod(comb(b - a, (b - a) // 2) for a, b in pairwise((0, *self.looks)))
        if orders < FEWEST_ORDERS:
            raise ValueError(
                f"{looks}: no regression could ever FAIL, for p-values are counted over the orders "
                f"of base and head, {orders} here, and a FAIL takes {FEWEST_ORDERS}: let the last "
                "look be after 16 rounds or more"
            )
        return self

    def slots(self, start_s: float, head_first: tuple[bool, ...]) -> Slots:
        """The timetable of a run whose first slot began at ``start_s``."""
        return Slots(start_s, self.slot, self.cut, head_first, self.warmup_rounds)

    @property
    def duration_s(self) -> float:
        """Length of all slots, warm-up included, s."""
        return 2 * (self.warmup_rounds + self.looks[-1]) * self.slot


class Profile(Table):
    """A whole run."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    """What run directories are called by; without it, the file's name."""
    description: str = ""
    """In a line, for reports."""
    seed: Seed | None = None
    """Of the load's draws (journeys, pauses, arrivals). None: another one for each run."""
    load: Load
    """How much, and how long."""
    journey: Journey = Journey()
    """What a user does."""
    scenario: Scenario = Field(default=Scenario(), exclude_if=lambda own: own == Scenario())
    """Whose users make the load."""
    target: Target = Target()
    """Whose services."""
    arm: Shop | None = Field(default=None, exclude_if=lambda arm: arm is None)
    """How a shop of one's own is started, in place of the mocks; one at urls runs already."""
    services: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    """Behaviour of the mocks, one table each; validated against the mocks' own schema."""
    faults: Annotated[tuple[Fault, ...], Listed] = Field(
        default=(), exclude_if=lambda faults: not faults
    )
    """What goes wrong on purpose, in a run of services that it starts itself."""
    recording: Recording = Recording()
    """What is kept of requests."""
    sampling: Sampling = Sampling()
    """How services are watched."""
    metrics: Metrics = Field(default=Metrics(), exclude_if=lambda metrics: metrics == Metrics())
    """Where their metrics are, for services that export them by other names."""
    validity: Validity = Validity()
    """When the run is no evidence."""
    judge: Judge = Judge()
    """What a PASS takes."""
    gate: Gate | None = None
    """What `loadgate gate` needs beside the rest; a profile without it cannot be gated."""
    tune: Tune | None = Field(default=None, exclude_if=lambda tune: tune is None)

    @model_validator(mode="after")
    def _holds_the_slots(self) -> Self:
        if self.gate is not None and self.gate.duration_s > self.measured_s:
            raise ValueError(
                f"the measured phase lasts {self.measured_s:g} s, but the gate's "
                f"{self.gate.warmup_rounds} + {self.gate.looks[-1]} rounds of two slots of "
                f"{self.gate.slot:g} s take {self.gate.duration_s:g} s: make it longer"
            )
        return self

    @model_validator(mode="after")
    def _module_can_be(self, info: ValidationInfo) -> Self:
        own, target = self.scenario, self.target
        if info.context != BY_HAND:
            return self
        if not own.module and (own.shares or target.urls):
            key = "scenario.shares" if own.shares else "target.urls"
            raise ValueError(f"{key} is for a scenario.module: name one")
        if own.module and (own.locustfile or "service" in own.model_fields_set):
            more = "locustfile" if own.locustfile else "service"
            raise ValueError(f"scenario.module names its services and steps: leave out {more}")
        if own.module and {*target.reached} - {*target.urls}:
            raise ValueError("scenario.module: write the urls of its services in [target.urls]")
        told = (k for k in OF_THE_SHIPPED_FLOW if k in self.journey.model_fields_set)
        if own.module and (key := next(told, "")):
            raise ValueError(f"journey.{key} is of the shipped flow: scenario.module has its own")
        if own.module and (self.faults or self.load.tells_services):
            raise ValueError("scenario.module: faults and phases tell mocks, and it loads none")
        return self

    @model_validator(mode="after")
    def _locustfile_can_be(self, info: ValidationInfo) -> Self:
        own, known = self.scenario, (JOURNEY, ORDERS, ORDERS_DB)
        if info.context != BY_HAND:
            return self
        if own.service in known:
            raise ValueError(f"scenario.service: {', '.join(known)} mean something else already")
        if self.target.host and not own.locustfile:
            raise ValueError("target.host is for a scenario.locustfile: name one, or give urls")
        if own.locustfile and self.target.reached and not self.target.host:
            raise ValueError("scenario.locustfile loads target.host: give it in place of the urls")
        if own.locustfile and self.load.model != "users":
            raise ValueError(
                'scenario.locustfile: its users decide when they ask: it needs load.model = "users"'
            )
        if own.locustfile and (self.faults or self.load.tells_services):
            raise ValueError("scenario.locustfile: faults and phases tell mocks, and it loads none")
        return self

    @model_validator(mode="after")
    def _faults_can_be(self, info: ValidationInfo) -> Self:
        theirs = "[target]'s urls" if self.target.reached else "[arm]"
        if self.faults and not self.starts_mocks:
            raise ValueError(f"faults strike the mocks that a run starts: leave out {theirs}")
        if self.load.tells_services and not self.starts_mocks:
            raise ValueError(f"phases tell the mocks that a run starts: leave out {theirs}")
        if self.target.reached and self.arm is not None:
            raise ValueError("[arm] starts services, and those at [target]'s urls run already")
        if self.arm is not None and info.context == BY_HAND and not self.scenario.module:
            self.arm.check_reached(self.flow)
        check_timetable(self.faults, self.load.duration_s, info)
        return self

    @property
    def flow(self) -> Services:
        """Whom its users ask, and in which steps; those of a locustfile only a run knows, those of
        a module who has looked at it."""
        if self.scenario.locustfile:
            return Services((Service(key=HOST, subject=self.scenario.service),), ())
        if self.scenario.module:
            return self.scenario.outline.flow if self.scenario.outline else Services((), ())
        return FLOW

    @property
    def per_journey(self) -> Mapping[str, float]:
        """Mean requests of each step in a journey in which nothing fails unexpectedly; none where a
        locustfile decides."""
        journey, outline = self.journey, self.scenario.outline
        if not self.scenario.own:
            return journey.funnel.per_journey(journey.decline_share)
        found = dict(self.scenario.per_journey)
        if outline is None or outline.log_in is None:
            return found
        journey_s = max(journey.period or 0.0, sum(found.values()) * journey.think.mean_s)
        once = self.load.model == "arrivals" or journey_s >= journey.session.mean_s
        return {outline.log_in.name: 1.0 if once else journey_s / journey.session.mean_s, **found}

    @property
    def requests_per_journey(self) -> float:
        """The same of all steps together; nan where a locustfile decides."""
        return sum(self.per_journey.values()) if not self.scenario.locustfile else nan

    def is_taken(self, step: str) -> bool:
        """Whether anybody goes on to a step."""
        if not self.scenario.own:
            return self.journey.funnel.is_taken(step)
        return self.per_journey.get(step, 1.0) > 0

    @property
    def starts_mocks(self) -> bool:
        """Whether the services are loadgate's own mocks: nobody named others."""
        return self.arm is None and not (self.target.reached or self.scenario.module)

    @property
    def measured_s(self) -> float:
        """Planned length of the measured phases, s."""
        return sum(phase.duration for phase in self.load.phases if phase.measured)
