"""The profile: everything that decides what a run does, built in one place and then frozen.

``load_profile`` reads a TOML file, applies ``--set a.b=c`` overrides, rejects unknown keys with
the nearest known one, and returns one immutable value that is passed down, never looked up.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import comb, prod
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from recording.durations import BY_HAND, DurationS
from recording.faults import Fault, check_timetable
from recording.flow import FLOW, Service, Services
from recording.load import Load
from recording.metric_names import ORDERS_DB
from recording.metrics import Metrics
from recording.sampling import Sampling
from recording.scenario import Scenario
from recording.shop import Shop
from recording.slots import Slots
from recording.tables import Listed, Share, Table
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


class Range(Table):
    """A uniform range of durations, written ``{ min = "2s", max = "5s" }``."""

    min: DurationS
    """The shortest."""
    max: DurationS
    """The longest."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not 0 <= self.min <= self.max:
            raise ValueError("min must be at least 0 and at most max")
        return self

    @property
    def mean_s(self) -> float:
        """Mean of the uniform distribution, s."""
        return (self.min + self.max) / 2


class Funnel(Table):
    """Share of users who go on to the next step. Defaults: Appendix A's peak rates."""

    detail: Share = 268 / 298
    """Of those who browse."""
    add_to_cart: Share = 175 / 268
    """Of those who look at a detail."""
    apply_coupon: Share = 0.30
    """Of those who have a cart; they go on either way."""
    start_checkout: Share = 88 / 175
    """Of those who have a cart."""
    charge: Share = 81 / 88
    """Of those who start a checkout."""
    confirm: Share = 1.0
    """Of those whose charge succeeded."""

    def is_taken(self, step: str) -> bool:
        """Whether anybody goes on to a step; everybody does where no share is named."""
        return getattr(self, step, 1.0) > 0

    def per_journey(self, decline_share: float) -> Mapping[str, float]:
        """Mean requests of each step in a journey in which nothing fails unexpectedly."""
        cart = self.detail * self.add_to_cart
        start = cart * self.start_checkout
        charge = start * self.charge
        return {
            "browse": 1.0,
            "detail": self.detail,
            "add_to_cart": cart,
            "apply_coupon": cart * self.apply_coupon,
            "start_checkout": start,
            "charge": charge,
            "confirm": charge * (1 - decline_share) * self.confirm,
        }

    def requests_per_journey(self, decline_share: float) -> float:
        """The same of all steps together."""
        return sum(self.per_journey(decline_share).values())


class Journey(Table):
    """What one user does. Defaults: the seed's own plan (LT-2025-Q3-CHECKOUT)."""

    think: Range = Range(min=2.0, max=5.0)
    """Pause after each request."""
    period: DurationS | None = Field(default=None, gt=0)
    """Start-to-start time of a user's journeys; None: the next begins after one think time."""
    session: Range = Range(min=180.0, max=480.0)
    """How long one lasts: then the next begins, with another account and cart."""
    decline_share: Share = 0.03
    """Share of charges with a card that is declined, as planned: no failure."""
    funnel: Funnel = Funnel()
    """Shares of those who go on to the next step."""
    shares: Literal["drawn", "dealt"] = "drawn"
    """How the funnel's shares and the declines come about: by chance, or exactly in each Locust
    process, evenly spread."""
    test_users: int = Field(default=50_000, ge=1)
    """Accounts that users are drawn from."""
    products: int = Field(default=10_000, ge=1)
    """Products that are looked at."""
    popularity: float = Field(default=0.0, ge=0, le=10)
    """Exponent of Zipf's law for how often a product is looked at; 0: each alike."""
    coupons: int = Field(default=500, ge=1)
    """Coupon codes in use."""
    cookies: bool = False
    """Whether users keep the cookies that services set, for a session."""
    redirects: int = Field(default=0, ge=0, le=10)
    """How many a request follows within its service; one more, or one out of it, has failed."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a user asks again for what got no answer, or an error that may pass."""
    retry_key: Literal["same", "new"] = "same"
    """The idempotency key of a charge that is asked for again; with a new one it is another."""
    retry_backoff: DurationS = Field(default=0.5, gt=0)
    """The longest wait before the first retry; it doubles with each. Waits are drawn below it."""


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
    def _locustfile_can_be(self, info: ValidationInfo) -> Self:
        own, known = self.scenario, (JOURNEY, ORDERS, ORDERS_DB)
        if info.context != BY_HAND:
            return self
        if own.service in known:
            raise ValueError(f"scenario.service: {', '.join(known)} mean something else already")
        if self.target.host and not own.locustfile:
            raise ValueError("target.host is for a scenario.locustfile: name one, or give urls")
        if own.locustfile and self.target.urls and not self.target.host:
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
        theirs = "[target]'s urls" if self.target.urls else "[arm]"
        if self.faults and not self.starts_mocks:
            raise ValueError(f"faults strike the mocks that a run starts: leave out {theirs}")
        if self.load.tells_services and not self.starts_mocks:
            raise ValueError(f"phases tell the mocks that a run starts: leave out {theirs}")
        if self.target.urls and self.arm is not None:
            raise ValueError("[arm] starts services, and those at [target]'s urls run already")
        if self.arm is not None and info.context == BY_HAND:
            self.arm.check_reached(self.flow)
        check_timetable(self.faults, self.load.duration_s, info)
        return self

    @property
    def flow(self) -> Services:
        """Whom its users ask, and in which steps; those of a locustfile only a run knows."""
        if not self.scenario.locustfile:
            return FLOW
        return Services((Service(key=HOST, subject=self.scenario.service),), ())

    @property
    def starts_mocks(self) -> bool:
        """Whether the services are loadgate's own mocks: nobody named others."""
        return self.arm is None and not self.target.urls

    @property
    def measured_s(self) -> float:
        """Planned length of the measured phases, s."""
        return sum(phase.duration for phase in self.load.phases if phase.measured)
