"""Recordings in which things happen for some seconds: to a pool, to the requests of a step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.judge import judge
from analysis.limits.thresholds import Thresholds, parse_thresholds
from analysis.words.values import Verdict
from recording.flow import FLOW
from recording.histogram import Histogram
from recording.hlog import LATENCY, Interval
from recording.rundir import RunDir
from recording.series import Sample
from tests.analysis.recordings import Recording

LOCKS, CHECKOUT, PAYMENTS, CARTS = (
    *("inventory-lock-service", "checkout-service"),
    *("payment-gateway", "cart-service"),
)
LIMITS = parse_thresholds(
    '[journey]\nerrors = ["error_rate < 0.1 %"]\nlatency = ["p99 < 500 ms"]\n'
    + "".join(
        f'[{subject}]\nerrors = ["error_rate < 0.1 %"]\nlatency = ["p99 < 500 ms"]\n'
        'pool = ["exhausted_windows == 0"]\nprocess = ["restarts == 0"]\n'
        for subject in (CHECKOUT, PAYMENTS, CARTS)
    )
    + f'[{LOCKS}]\npool = ["exhausted_windows == 0", "utilization < 90 %"]\n'
    '[orders]\norders = ["lost == 0"]'
)


@dataclass(frozen=True)
class Dry:
    """A pool that is exhausted, and how many of its callers time out."""

    seconds: range
    timeouts: int = 0


@dataclass(frozen=True)
class Struck:
    """All requests of a step: what they come out as, and after how long."""

    seconds: range
    outcome: str = "ok"
    took_ms: float = 100.0


@dataclass
class Incidents(Recording):
    """A healthy recording but for these, by service and by step."""

    dry: Mapping[str, Dry] = field(default_factory=dict)
    struck: Mapping[str, Struck] = field(default_factory=dict)

    def _intervals(self) -> Iterator[Interval]:
        for i in super()._intervals():
            struck = self.struck.get(i.tag.step)
            if struck and i.tag.kind == LATENCY and int(i.start_s) in struck.seconds:
                n, us = i.histogram.n, 1000 * struck.took_ms
                values = Histogram.from_values(np.rint(np.linspace(0.99, 1.01, n) * us))
                i = replace(i, tag=replace(i.tag, outcome=struck.outcome), histogram=values)
            yield i

    def _samples(self) -> Iterator[Sample]:
        for sample in super()._samples():
            name = sample.metric.removeprefix("connection_pool_").partition("/")[0]
            pool = self.dry.get(sample.subject)
            if pool and sample.metric.startswith("connection_pool_"):
                sample = replace(sample, value=_pool(pool, int(sample.t_s))[name])
            yield sample


def _pool(pool: Dry, second: int) -> dict[str, float]:
    dry = second in pool.seconds
    ended = second >= pool.seconds.start + 1
    return {
        "max": 10.0,
        "active": 10.0 if dry else 2.0,
        "waiting": 5.0 if dry else 0.0,
        "timeouts_total": float(pool.timeouts if ended else 0),
    }


def verdict_of(run: RunDir, limits: Thresholds = LIMITS) -> Verdict:
    """By rules on all of them."""
    return judge(run, limits)


def unrelated() -> list[tuple[str, str]]:
    """Pairs of services of which neither waits for the other, in this tree's shop."""
    return [
        (a, b)
        for a in FLOW.subjects
        for b in FLOW.subjects
        if a < b and b not in FLOW.called_by(a) and a not in FLOW.called_by(b)
    ]
