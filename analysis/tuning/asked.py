"""What `loadgate tune` was asked: stored in the manifest, and all that its judge needs beside the
recording.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

CONNECTIONS = "connections"
"""The unit of settings that say how large a pool is."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is tuned. ``key`` is ``inventory_lock.pool_max``, as `--set services.` takes it.

    ``cheaper``: which direction costs less, as fewer connections do, or a longer time to live,
    which leaves customers more time to pay.
    """

    key: str
    low: float
    high: float
    present: float
    unit: str = ""
    whole: bool = True
    cheaper: Literal["less", "more"] = "less"

    def text(self, value: float) -> str:
        """A value of it for people: ``120 connections``."""
        unit = self.unit[:-1] if value == 1 and len(self.unit) > 2 else self.unit
        return f"{value:.{0 if self.whole else 3}{'f' if self.whole else 'g'}} {unit}".strip()

    def written(self, value: float) -> float | int:
        """A value as a profile has it."""
        return round(value) if self.whole else float(f"{value:.4g}")


@dataclass(frozen=True, slots=True)
class Budget:
    """Connections that a database gives, and the replicas that share them.

    ``surge`` is the share of replicas that a rolling update starts beside the others.
    """

    replicas_min: int
    replicas_max: int
    max_connections: int
    surge: float


@dataclass(frozen=True, slots=True)
class Asked:
    """``load`` is the profile's, journeys begun per second; ``loads`` are multiples of it.

    ``headroom`` is the share of each limit that is to be left. ``services`` is what each service
    was told, by its key, defaults included.
    """

    settings: tuple[Setting, ...]
    load: float
    loads: tuple[float, ...] = (1.0,)
    headroom: float = 0.1
    confirm_s: float = 60.0
    budget: Budget | None = None
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """From a manifest. Raises TypeError or KeyError for a table that no search wrote."""
        budget = table.get("budget")
        read = {
            "settings": tuple(Setting(**row) for row in table["settings"]),
            "loads": tuple(map(float, table["loads"])),
            "budget": Budget(**budget) if budget else None,
        }
        return cls(**{**table, **read})

    def told(self) -> dict[str, Any]:
        """The table of it."""
        return asdict(self)

    @property
    def setting(self) -> Setting:
        """The first one; most searches have no other."""
        return self.settings[0]


CONFIRMATION = "confirmation"
"""Why a level is tried: to be judged as a run is."""
PRESENT = "present"
"""Why a level is tried: it is what is in force today."""
