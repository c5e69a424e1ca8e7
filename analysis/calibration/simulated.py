"""Paired runs on hosts that misbehave in known ways, drawn from a seed, and gates on them.

Latencies are lognormal (sigma 0.6: p99 four times the median), recorded in histogram buckets of
1 % width. The host multiplies all latencies of a slot; the arms differ only where a regression
is injected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import scipy  # its parts load when they are used
from numpy.typing import NDArray

from analysis.limits.regression import RegressionSettings
from analysis.regression.data import GateData
from analysis.regression.judge import GateResult, judge_looks
from analysis.statistics.looks import LookPlan, random_orders
from analysis.words.values import Outcome
from recording.arrays import Bools, Floats
from recording.flow import STEPS

Where = Literal["all", "tail"]
Draw = Callable[[np.random.Generator, int], Floats]

BUCKET: Final = 0.01
MEDIAN_MS: Final = 150.0
SIGMA: Final = 0.6
SLOWEST: Final = 1.881  # normal score that 3 % of the requests exceed


@dataclass(frozen=True, slots=True)
class Host:
    """How the host disturbs a run.

    `slots` draws the log slow-down of each of n consecutive slots; `spread` lets endpoints feel
    it differently (their loadings lie within 1 ± spread); `phi` correlates the latencies of
    consecutive requests of an endpoint.
    """

    what: str
    slots: Draw
    spread: float = 0.0
    phi: float = 0.0


@dataclass(frozen=True, slots=True)
class Injection:
    """A true change of some endpoints: of all their requests, or of the slowest 3 % only."""

    factor: float
    where: Where = "all"
    endpoints: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a gate: `requests` is per endpoint and arm, over all rounds of the plan."""

    endpoints: int
    requests: int
    plan: LookPlan


def _noise(sd: float) -> Draw:
    def draw(rng: np.random.Generator, slots: int) -> Floats:
        return rng.normal(0.0, sd, slots)

    return draw


def _drift(rng: np.random.Generator, slots: int) -> Floats:
    return np.linspace(0.0, rng.choice([-0.3, 0.3]), slots)


def _steps(rng: np.random.Generator, slots: int) -> Floats:
    """A neighbour comes and goes: 25 % slower, switching in one slot of twelve."""
    switches = np.cumsum(rng.random(slots) < 1 / 12)
    return np.asarray(0.25 * ((switches + rng.integers(2)) % 2), dtype=np.float64)


def _ar1(phi: float, sd: float) -> Draw:
    def draw(rng: np.random.Generator, slots: int) -> Floats:
        shocks = rng.normal(0.0, sd * np.sqrt(1 - phi**2), slots)
        shocks[0] = rng.normal(0.0, sd)
        return np.asarray(scipy.signal.lfilter([1.0], [1.0, -phi], shocks))

    return draw


HOSTS: Final = MappingProxyType(
    {
        "iid": Host("nothing but the requests' own spread", _noise(0.0)),
        "ar1-0.8": Host("slots AR(1), phi 0.8, 10 %", _ar1(0.8, 0.10)),
        "requests-0.8": Host("requests AR(1), phi 0.8", _noise(0.0), phi=0.8),
        "drift": Host("linear drift of 30 % over the run", _drift),
        "steps": Host("25 % steps, one slot in twelve", _steps),
        "slot-noise": Host("each slot its own 5 %", _noise(0.05)),
        "uneven": Host("slots AR(1), phi 0.8, 10 %, felt unevenly", _ar1(0.8, 0.10), spread=0.7),
    }
)
# As in docs/statistics.md: 20,000 requests per endpoint and arm, looks at 24 and 40 rounds.
SHAPE: Final = Shape(len(STEPS), 20_000, LookPlan((24, 40)))


def simulate(host: Host, shape: Shape, seed: int, *injections: Injection | None) -> GateData:
    """One paired run."""
    rng = np.random.default_rng(seed)
    rounds = shape.plan.rounds[-1]
    order = random_orders(shape.plan.stretches(), 1, int(rng.integers(2**31)))[0]
    z = _normal(rng, (shape.endpoints, rounds, 2, shape.requests // rounds), host.phi)
    loading = 1 + host.spread * rng.uniform(-1, 1, (shape.endpoints, 1, 1, 1)).astype(np.float32)
    slots = host.slots(rng, 2 * rounds).reshape(rounds, 2).astype(np.float32)
    # Time order within the round -> (base, head).
    by_arm = np.where(order[:, np.newaxis], slots[:, ::-1], slots)
    logs = SIGMA * z + loading * by_arm[np.newaxis, ..., np.newaxis]
    for injection in filter(None, injections):
        changed = list(injection.endpoints)
        hit = (injection.where == "all") | (z[changed, :, 1] > SLOWEST)
        logs[changed, :, 1] += np.float32(np.log(injection.factor)) * hit
    return _recorded(logs, order)


def host_models(first: int) -> Iterator[str]:
    """Names of the simulated hosts in turn, from the `first`-th on, for ever."""
    names = list(HOSTS)
    return (names[number % len(names)] for number in count(first))


def simulated_gate(
    host: str, injection: Injection | None, settings: RegressionSettings, seed: int, number: int
) -> GateResult:
    """Gate `number` of a series: looks as declared and stops at the first verdict."""
    draw = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return judge_looks(simulate(HOSTS[host], SHAPE, draw, injection), settings, SHAPE.plan)


def blamed(result: GateResult) -> tuple[str, ...]:
    """The steps that a simulated gate calls slower; its endpoints stand for the flow's steps."""
    names = {f"e{number}": step for number, step in enumerate(STEPS)}
    failed = (row.subject for row in result.rows if row.verdict is Outcome.FAIL)
    return tuple(dict.fromkeys(names[endpoint] for endpoint in failed))


def _normal(rng: np.random.Generator, size: tuple[int, ...], phi: float) -> NDArray[np.float32]:
    z = rng.standard_normal(size, dtype=np.float32)
    if phi:
        z[..., 1:] *= np.float32(np.sqrt(1 - phi**2))
        z = scipy.signal.lfilter([1.0], [1.0, -phi], z, axis=-1).astype(np.float32)
    return z


def _recorded(logs: NDArray[np.float32], order: Bools) -> GateData:
    """Histograms [round, endpoint, bucket] around MEDIAN_MS."""
    endpoints, rounds, _, _ = logs.shape
    bucket = np.floor(logs / np.float32(BUCKET)).astype(np.int32)
    low, high = int(bucket.min()), int(bucket.max())
    k = high - low + 1
    slot = np.arange(endpoints * rounds * 2, dtype=np.int32).reshape(endpoints, rounds, 2, 1)
    flat = np.bincount((bucket - low + slot * k).ravel(), minlength=slot.size * k)
    counts = flat.reshape(endpoints, rounds, 2, k)
    return GateData(
        endpoints=tuple(f"e{i}" for i in range(endpoints)),
        values_us=1000 * MEDIAN_MS * np.exp(BUCKET * (np.arange(low, high + 1) + 0.5)),
        base=np.ascontiguousarray(counts[:, :, 0].swapaxes(0, 1)),
        head=np.ascontiguousarray(counts[:, :, 1].swapaxes(0, 1)),
        head_first=order,
    )
