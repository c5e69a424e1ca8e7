"""``[scenario]`` of a profile: whose users make the load."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.json_schema import SkipJsonSchema

from recording.durations import BY_HAND
from recording.flow import Service, Services
from recording.tables import Section, Share, Table


class AskedStep(Section):
    """A step of a module: the key of the service that it asks, and the share of users who take it,
    of those who took the one before."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    service: str
    share: float = 1.0
    optional: bool = False
    order: bool = False
    """Whether its answer names an order."""


class Outline(Section):
    """What a module was found to have, before any load."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    services: Mapping[str, str]
    """What reports call them, by key."""
    steps: tuple[AskedStep, ...]
    log_in: AskedStep | None = None
    rows: int | None = None
    """Of its data's file; None where it has none."""
    unique: bool = False
    """Whether no two users may share a row."""
    sha256: str = ""
    """Of the module's file."""

    @property
    def every(self) -> tuple[AskedStep, ...]:
        """All steps, the log-in first."""
        return (self.log_in, *self.steps) if self.log_in else self.steps

    @property
    def flow(self) -> Services:
        """As the judge knows it."""
        own = {key: tuple(s.name for s in self.every if s.service == key) for key in self.services}
        services = (
            Service(key=key, subject=name, steps=own[key]) for key, name in self.services.items()
        )
        return Services(tuple(services), tuple(step.name for step in self.every))

    def per_journey(self, shares: Mapping[str, float]) -> dict[str, float]:
        """Mean requests of each step but the log-in, in a journey in which nothing fails."""
        found, left = {}, 1.0
        for step in self.steps:
            taken = left * shares.get(step.name, step.share)
            found[step.name] = taken
            left = left if step.optional else taken
        return found


class Scenario(Table):
    """Whose users make the load; without it they are those of the shipped checkout flow."""

    module: str = Field(default="", exclude_if=lambda module: not module)
    """A scenario of one's own, a Python module relative to the profile's file: its steps, asked of
    its services at `[target.urls]` or as `[arm]` starts them."""
    shares: Mapping[str, Share] = Field(default_factory=dict, exclude_if=lambda own: not own)
    """Share of users who go on to a step of the module, in place of its own."""
    outline: SkipJsonSchema[Outline | None] = Field(
        default=None, exclude_if=lambda outline: outline is None
    )
    """What the module was found to have: nobody writes it."""
    locustfile: str = ""
    """A locustfile of one's own, relative to the profile's file: its users, its requests by name,
    at `target.host`."""
    service: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = "shop"
    """What reports call the service that a locustfile loads."""

    @field_validator("outline", mode="before")
    @classmethod
    def _is_found(cls, outline: object, info: ValidationInfo) -> object:
        if outline is not None and info.context == BY_HAND:
            raise ValueError("this is read from the module: leave it out")
        return outline

    @property
    def own(self) -> str:
        """The file of somebody's own that makes the load; "" for the shipped flow."""
        return self.module or self.locustfile

    @property
    def per_journey(self) -> Mapping[str, float]:
        """Mean requests of each step of a module but its log-in."""
        return self.outline.per_journey(self.shares) if self.outline else {}
