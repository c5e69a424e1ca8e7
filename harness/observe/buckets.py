"""Histograms with few bounds, as Prometheus has them, and where those bounds have to lie."""

from collections.abc import Iterable, Sequence

import numpy as np

from analysis.limits.rules import Rule
from recording.histogram import Histogram

RUNBOOK_P99_S = 2.0
"""RB-QA-005, "Alert thresholds during load test"."""
_COARSE_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The default of Prometheus' client libraries."""
_AROUND = (0.8, 0.9, 1.0, 1.1, 1.25)


def latency_bounds_s(rules: Iterable[Rule], timeout_s: float) -> tuple[float, ...]:
    """Bounds for latencies, s, ascending: each limit is one, with others around it.

    A percentile that is compared with its limit is then exact: Prometheus interpolates only
    between bounds.
    """
    limits_s = {rule.limit / 1000 for rule in rules if rule.metric.kind == "latency"}
    return _around({*limits_s, RUNBOOK_P99_S}, {*_COARSE_S, timeout_s})


def harness_bounds_s(limit_s: float) -> tuple[float, ...]:
    """Bounds for what the harness itself adds, s."""
    return _around({limit_s}, {0.001, 0.002, 0.005, 0.01, 0.02, 0.1, 0.5, 2.0})


def _around(limits_s: Iterable[float], coarse_s: Iterable[float]) -> tuple[float, ...]:
    fine = {limit * factor for limit in limits_s for factor in _AROUND}
    return tuple(sorted({float(f"{bound:.4g}") for bound in (*fine, *coarse_s) if bound > 0}))


class Buckets:
    """How many values were at most each bound, s, and their sum. Only ever grows."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_s = np.asarray(bounds_s)
        self._labels = [*map(str, bounds_s), "+Inf"]
        self._counts = np.zeros(len(bounds_s) + 1, np.int64)
        self.sum_s = 0.0

    def add(self, values: Histogram) -> None:
        """Values in µs."""
        values_s = values.values_us / 1e6
        np.add.at(self._counts, np.searchsorted(self._bounds_s, values_s), values.counts)
        self.sum_s += float(values_s @ values.counts)

    @property
    def cumulative(self) -> list[tuple[str, float]]:
        """(bound, count up to it), the last one +Inf."""
        return list(zip(self._labels, np.cumsum(self._counts).tolist(), strict=True))
