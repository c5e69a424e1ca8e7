"""Faults of a profile: what goes wrong on purpose, where, when and for how long.

Below HTTP they have the names and attributes of Toxiproxy's toxics (github.com/Shopify/toxiproxy)
and strike what a service answers on its way to whoever asked; times are durations with a unit.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from recording.durations import BY_HAND, DurationS
from recording.errors import did_you_mean
from recording.flow import FLOW
from recording.tables import Share, Table

LOCKS = "inventory_lock"


class Kind(NamedTuple):
    """Attributes that a kind of fault must have, and those that it may have, with their defaults.

    A fault ``below`` HTTP is a matter of connections, any other one of a service's own answers.
    """

    needs: tuple[str, ...] = ()
    may: Mapping[str, Any] = {}
    below: bool = True


KINDS: Mapping[str, Kind] = {
    "latency": Kind(("latency",), {"jitter": 0.0}),
    "down": Kind(),
    "bandwidth": Kind(("rate",)),
    "slow_close": Kind(("delay",)),
    "timeout": Kind((), {"timeout": 0.0}),
    "reset_peer": Kind((), {"timeout": 0.0}),
    "slicer": Kind(("average_size",), {"size_variation": 0, "delay": 0.0}),
    "limit_data": Kind(("bytes",)),
    "answer_lost": Kind(),
    "malformed_body": Kind(below=False),
    "retry_after": Kind((), {"retry_after": 1.0}, below=False),
    "replica_down": Kind(below=False),
}
WHOLE = ("down", "replica_down")
"""Kinds that are there or not, without a share."""


class Fault(Table):
    """One fault: ``at`` counts from the start of the load."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    at: DurationS
    """When it begins, from the start of the load."""
    duration: DurationS = Field(alias="for", gt=0)
    """How long it lasts."""
    service: str
    """Key of the service whose answers it strikes."""
    kind: Literal[
        "latency", "down", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer",
        "limit_data", "answer_lost", "malformed_body", "retry_after", "replica_down",
    ]  # fmt: skip
    """What goes wrong."""
    toxicity: Share = 1.0
    """Share of connections that it strikes (of answers, where it is about those), dealt exactly."""
    latency: DurationS | None = None
    """Added to every piece of data."""
    jitter: DurationS | None = None
    """The most by which `latency` is longer or shorter, drawn uniformly."""
    rate: int | None = Field(default=None, ge=1)
    """KB/s of each connection."""
    delay: DurationS | None = None
    """`slow_close`: before a connection is closed; `slicer`: between two slices."""
    timeout: DurationS | None = None
    """Until the connection is closed (0: never), or reset (0: at once)."""
    average_size: int | None = Field(default=None, ge=1)
    """Bytes of a slice."""
    size_variation: int | None = Field(default=None, ge=0)
    """Bytes by which a slice may be longer or shorter."""
    bytes: int | None = Field(default=None, ge=0)
    """Passed on of each connection before it is closed."""
    retry_after: DurationS | None = Field(default=None, ge=1)
    """What a refusal says in Retry-After, in whole seconds."""

    @field_validator("service")
    @classmethod
    def _known(cls, service: str) -> str:
        keys = [known.key for known in FLOW.all]
        if service not in keys:
            raise ValueError(f"no such service{did_you_mean(service, keys)}")
        return service

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Every attribute is one of the kind's, and those that it needs are there."""
        needs, may, _ = KINDS[self.kind]
        allowed = {*needs, *may}
        given = [name for name in _ATTRIBUTES if getattr(self, name) is not None]
        wrong = [name for name in given if name not in allowed]
        missing = [name for name in needs if name not in given]
        if wrong or missing:
            takes = ", ".join([*needs, *may]) or "no attribute"
            what = f"has no {wrong[0]}" if wrong else f"needs {missing[0]}"
            raise ValueError(f"kind {self.kind!r} {what}: it takes {takes}")
        if self.kind in WHOLE and self.toxicity != 1:
            raise ValueError(f"kind {self.kind!r} has no toxicity: it is there or not")
        if self.kind == "replica_down" and self.service != LOCKS:
            raise ValueError(f"kind 'replica_down' is one of {LOCKS}, the service with replicas")
        if (self.size_variation or 0) >= (self.average_size or 1):
            raise ValueError("size_variation must be smaller than average_size")
        return self

    @property
    def attributes(self) -> dict[str, Any]:
        """Those of its kind: as given, else the default."""
        needs, may, _ = KINDS[self.kind]
        given = {name: getattr(self, name) for name in (*needs, *may)}
        return {name: may.get(name) if v is None else v for name, v in given.items()}

    @property
    def below_http(self) -> bool:
        """Whether it is a matter of connections and not of what a service says."""
        return KINDS[self.kind].below

    @property
    def ends_s(self) -> float:
        """When it is over, s since the load's start."""
        return self.at + self.duration


_ATTRIBUTES = tuple(dict.fromkeys(a for kind in KINDS.values() for a in (*kind.needs, *kind.may)))


def check_timetable(faults: Sequence[Fault], load_s: float, info: ValidationInfo) -> None:
    """Asked of profiles only: each begins before the load ends, and none of a kind meets itself.

    Raises ValueError.
    """
    if info.context != BY_HAND:
        return
    for fault in faults:
        if fault.at >= load_s:
            raise ValueError(
                f"faults: {fault.kind} of {fault.service} at {fault.at:g} s is after the end of "
                f"the load, which lasts {load_s:g} s"
            )
    for one, other in combinations(faults, 2):
        same = (one.service, one.kind) == (other.service, other.kind)
        if same and one.at < other.ends_s and other.at < one.ends_s:
            raise ValueError(f"faults: two of kind {one.kind} at {one.service} overlap")
