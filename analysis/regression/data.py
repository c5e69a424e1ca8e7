"""What the paired gate is given, and what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class GateVerdict(StrEnum):
    """What the gate can say of one row, and of the whole."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class RegressionSettings:
    """Which change matters, and how sure the gate must be. Ratios as fractions: 0.05 is 5 %.

    `alpha` is the chance of any FAIL at all when the arms are equal; `confidence` that of the
    shown (two-sided) intervals and of the (one-sided) bound a PASS needs. `seed` draws the
    orders that the p-values are counted over. Raises ValueError for numbers out of range.
    """

    metrics: tuple[str, ...] = ("p95", "p99")
    min_effect: float = 0.05
    tolerated: float = 0.10
    floor_ms: float = 5.0
    alpha: float = 0.005
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.metrics or len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics: at least one percentile, each once")
        self.tails()
        if not 0 < self.min_effect <= self.tolerated:
            raise ValueError("need 0 < min_effect <= tolerated")
        if not (self.floor_ms >= 0 and 0 < self.alpha < 0.5 and 0.5 < self.confidence < 1):
            raise ValueError("need floor_ms >= 0, alpha in (0, 0.5), confidence in (0.5, 1)")

    def tails(self) -> tuple[float, ...]:
        """The share of requests beyond each metric: 0.01 for p99."""
        return tuple(tail_of(metric) for metric in self.metrics)


def tail_of(metric: str) -> float:
    """``"p99"`` → 0.01. Percentiles from p50 up to below p100, else ValueError."""
    if not re.fullmatch(r"p[5-9]\d(\.\d+)?", metric):
        raise ValueError(f"metric {metric!r}: need a percentile from p50 up, such as p95 or p99.9")
    return 1 - float(metric[1:]) / 100


@dataclass(frozen=True, slots=True)
class GateData:
    """The histograms of a paired run: one base and one head slot in every round.

    `values_us` are the ascending midpoints of the k buckets; `base` and `head` count requests,
    [round, endpoint, k]; `head_first[r]` is True where round r loaded head before base.
    `control` names endpoints that no change touches: measured, not judged. `derived` names
    sums of other endpoints (the journey): judged, never taken as evidence about the host.

    Raises ValueError when shapes, counts or names do not fit together.
    """

    endpoints: tuple[str, ...]
    values_us: Floats
    base: Ints
    head: Ints
    head_first: Bools
    control: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rounds, shape = len(self.head_first), self.base.shape
        expected = (rounds, len(self.endpoints), len(self.values_us))
        if not (shape == self.head.shape == expected and min(expected) > 0):
            raise ValueError(
                f"base {shape} and head {self.head.shape} need (rounds, endpoints, buckets) ="
                f" {expected}, none of them 0"
            )
        if self.values_us[0] <= 0 or np.any(np.diff(self.values_us) <= 0):
            raise ValueError("values_us must be positive and ascending")
        if self.base.min() < 0 or self.head.min() < 0:
            raise ValueError("counts must not be negative")
        self._check_names()

    def _check_names(self) -> None:
        unknown = ({*self.control} | {*self.derived}) - {*self.endpoints}
        if unknown or len(set(self.endpoints)) < len(self.endpoints):
            raise ValueError(f"endpoints need unique names; not among them: {sorted(unknown)}")
        if not self.judged:
            raise ValueError("every endpoint is a control: nothing is left to judge")

    @property
    def rounds(self) -> int:
        """How many rounds were run."""
        return len(self.head_first)

    @property
    def judged(self) -> tuple[str, ...]:
        """The endpoints that get a verdict."""
        return tuple(name for name in self.endpoints if name not in self.control)


@dataclass(frozen=True, slots=True)
class GateRow:
    """One endpoint and metric. Ratios are head/base; None where nothing could be measured.

    `ratio` has the host's share taken out where a control allowed it, `raw_ratio` has not.
    `ci_low`, `ci_high`: two-sided interval of `ratio`; `raw_low`, `raw_high` of `raw_ratio`.
    `p_value` is one-sided (slower) and `p_holm` corrects it for all rows; it is compared with the
    look's share of alpha. `proven`: head is slower at all, by p and by the raw interval.
    `smallest_detectable` is the regression (0.08 = +8 %) this run would have called FAIL with
    80 % probability. `because` says in a few words what the verdict stands on.
    """

    endpoint: str
    metric: str
    verdict: GateVerdict
    because: str
    n_base: int
    n_head: int
    base_ms: float | None = None
    shift_ms: float | None = None
    ratio: float | None = None
    raw_ratio: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    raw_low: float | None = None
    raw_high: float | None = None
    p_value: float | None = None
    p_holm: float | None = None
    proven: bool = False
    smallest_detectable: float | None = None
    host_removed: bool = False


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's answer at one look.

    `alpha_spent` is this look's share of alpha. When INCONCLUSIVE, `more_rounds_needed` and
    `more_requests_needed` (all endpoints, both arms) estimate what a verdict with 80 %
    probability would take if the true ratios are the observed ones.
    """

    verdict: GateVerdict
    rows: tuple[GateRow, ...]
    rounds: int
    alpha_spent: float
    more_rounds_needed: int | None = None
    more_requests_needed: int | None = None
