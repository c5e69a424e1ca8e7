"""A known slow-down, written as ``p99=+20%``, and what it makes of an endpoint's latency curve."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import exp, sqrt
from statistics import NormalDist

import numpy as np
import scipy  # its parts load when they are used

from recording.errors import ConfigError

_NORMAL = NormalDist()
_MAX_AT = 1 - 1e-5  # the quantile at which the mocks place max_ms
_FORMS = "p99=+20% (the tail: p95, p99 and max; the half below the median stays) or all=+20%"


@dataclass(frozen=True, slots=True)
class Slowdown:
    """`where`: ``p99``, the tail alone, or ``all``, the whole distribution; `by` as fraction."""

    where: str
    by: float

    def __str__(self) -> str:
        return f"{self.where}={100 * self.by:+g}%"


@dataclass(frozen=True, slots=True)
class Curve:
    """Published percentiles of an endpoint, ms; `mean` None when none was published."""

    p50: float
    p95: float
    p99: float
    top: float
    mean: float | None = None


def parse_slowdowns(text: str) -> list[Slowdown]:
    """``p99=+10%,+20%`` as two slow-downs. Raises ConfigError naming the allowed forms."""
    where, equals, amounts = text.partition("=")
    found = []
    for amount in amounts.split(","):
        number = re.fullmatch(r"\s*\+(\d+(?:\.\d+)?)\s*%\s*", amount)
        if where.strip() not in ("p99", "all") or not equals or not number:
            raise ConfigError(f"--inject {text}: write {_FORMS}; more amounts with commas")
        by = float(number[1]) / 100
        if not 0 < by <= 10:
            raise ConfigError(f"--inject {text}: {amount.strip()} is not within 0 % and 1000 %")
        found.append(Slowdown(where.strip(), by))
    return found


def slowed(curve: Curve, slowdown: Slowdown) -> Curve:
    """The curve after a slow-down.

    ``p99``: p95, p99 and max grow together, p50 and all below it stay as they are. The mean is
    raised by what the upper half gained: a mock shapes its lower half so that the mean comes out,
    and an old (or no) mean would make the fast requests faster, which nobody injected.
    """
    times = 1 + slowdown.by
    raised = Curve(curve.p50, times * curve.p95, times * curve.p99, times * curve.top)
    if slowdown.where == "all":
        mean = None if curve.mean is None else times * curve.mean
        return replace(raised, p50=times * curve.p50, mean=mean)
    mean = _mean(curve) if curve.mean is None else curve.mean
    return replace(raised, mean=mean + _upper(raised) - _upper(curve))


def _upper(curve: Curve) -> float:
    """Share of the mean from above the median: log latency over the normal score, monotone cubic
    (as the mocks draw it), integrated with the normal density."""
    knots = [0.0, *(_NORMAL.inv_cdf(q) for q in (0.95, 0.99, _MAX_AT))]
    logs = np.log([curve.p50, curve.p95, curve.p99, curve.top])
    z = np.linspace(0.0, knots[-1], 4001)
    density = np.exp(-z * z / 2) / sqrt(2 * np.pi)
    area = float(
        np.trapezoid(np.exp(scipy.interpolate.PchipInterpolator(knots, logs)(z)) * density, z)
    )
    return area + curve.top * (1 - _MAX_AT)


def _mean(curve: Curve) -> float:
    """Mean where none was published: below the median the line from p50 to p95 goes on."""
    slope = float(np.log(curve.p95 / curve.p50)) / _NORMAL.inv_cdf(0.95)
    return _upper(curve) + curve.p50 * exp(slope**2 / 2) * _NORMAL.cdf(-slope)
