"""What the gate's statistic was chosen over: the same simulated runs, judged in other ways.

One endpoint, p99, one-sided tests at 1 %: false alarms on equal arms, power at +10 % of the tail,
and the spread of the estimated log ratio. The methods are deliberately plain readings of what
other tools do.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import ttest_1samp, wilcoxon

from analysis.calibration.simulated import HOSTS, Injection, Shape, simulate
from analysis.regression.data import GateData
from analysis.regression.estimates import estimated, prepare
from analysis.regression.latency import LatencyRow
from analysis.regression.rows import Stakes
from analysis.statistics import tails
from analysis.statistics.looks import LookPlan
from analysis.statistics.percentiles import quantile

Floats = NDArray[np.float64]
Judged = tuple[float, bool]  # estimated log ratio, alarm
LEVEL: Final = 0.01
STAKES: Final = Stakes(LEVEL, pass_error=0.05, confidence=0.95, tests=1)
P99: Final = 0.99


def pooled_z(data: GateData) -> Judged:
    """All requests of each arm together, as if they were independent."""
    arms = [arm[:, 0].sum(axis=0) for arm in (data.base, data.head)]
    ratio = float(np.diff([np.log(quantile(data.values_us, arm, P99)) for arm in arms])[0])
    around = 0.005
    variance = 0.0
    for arm in arms:
        outer = quantile(data.values_us, arm, P99 + around / 2)
        inner = quantile(data.values_us, arm, P99 - around / 2)
        slope = np.log(outer / inner) / around
        variance += P99 * (1 - P99) / arm.sum() * slope**2
    return ratio, bool(ratio > -ndtri(LEVEL) * np.sqrt(variance))


def _slot_ratios(data: GateData) -> Floats:
    slots = [
        [np.log(quantile(data.values_us, slot, P99)) for slot in arm[:, 0]]
        for arm in (data.base, data.head)
    ]
    return np.asarray(np.diff(slots, axis=0)[0])


def slot_t(data: GateData) -> Judged:
    """Paired t-test of the slots' own p99s."""
    ratios = _slot_ratios(data)
    p = ttest_1samp(ratios, 0, alternative="greater").pvalue
    return float(ratios.mean()), bool(p < LEVEL)


def slot_rank(data: GateData) -> Judged:
    """Signed-rank test of the slots' own p99s."""
    ratios = _slot_ratios(data)
    p = wilcoxon(ratios, alternative="greater").pvalue
    return float(np.median(ratios)), bool(p < LEVEL)


def tail_counts(data: GateData, levels: tuple[float, ...]) -> Judged:
    """The gate's tail counts, at these multiples of the tail's mass."""
    chosen, tails.LEVELS = tails.LEVELS, levels
    try:
        paired = prepare(data, np.array([0]), np.array([1 - P99]))
        p = paired.p_values((data.rounds,), 0)[0]
        (row,) = estimated(paired, [LatencyRow("e0", "p99", "ms", STAKES)])
        return row.raw.effect, bool(p <= LEVEL)
    finally:
        tails.LEVELS = chosen


METHODS: Final = MappingProxyType[str, Callable[[GateData], Judged]](
    {
        "pooled requests, z": pooled_z,
        "slot p99s, paired t": slot_t,
        "slot p99s, signed rank": slot_rank,
        "tail counts, 1 level": lambda data: tail_counts(data, (1.0,)),
        "tail counts, 3 levels": lambda data: tail_counts(data, tails.LEVELS),
    }
)


def main() -> None:
    """Print one line for each method and host."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=400)
    parser.add_argument("--requests", type=int, default=20_000, help="per arm, over 40 rounds")
    arguments = parser.parse_args()
    gates = arguments.gates
    print(f"{'method':24} {'host':13} {'order':15} {'alarms %':>8} {'power %':>8} {'sd':>7}")
    shape = Shape(1, arguments.requests, LookPlan((40,)))
    for host in HOSTS:
        equal = [simulate(HOSTS[host], shape, seed) for seed in range(gates)]
        worse = [simulate(HOSTS[host], shape, s, Injection(1.1, "tail")) for s in range(gates)]
        for name, method in METHODS.items():
            null, power = ([method(data) for data in runs] for runs in (equal, worse))
            report(name, host, "random", null, power)
    for host in ("drift", "steps", "ar1-0.8"):
        equal = [one_then_the_other(simulate(HOSTS[host], shape, s)) for s in range(gates)]
        for name, method in METHODS.items():
            report(name, host, "base, then head", [method(data) for data in equal], [])


def report(name: str, host: str, order: str, null: list[Judged], power: list[Judged]) -> None:
    """One line."""
    alarms, found = ([100 * alarm for _, alarm in runs] for runs in (null, power))
    spread = np.std([ratio for ratio, _ in null])
    print(
        f"{name:24} {host:13} {order:15} {np.mean(alarms):8.1f}"
        f" {f'{np.mean(found):8.1f}' if found else '-':>8} {spread:7.4f}",
        flush=True,
    )


def one_then_the_other(data: GateData) -> GateData:
    """Equal arms, as if base had been loaded in the first half of all slots, head in the rest."""
    turn = data.head_first[:, np.newaxis, np.newaxis]
    slots = np.stack(
        [np.where(turn, data.head, data.base), np.where(turn, data.base, data.head)], axis=1
    ).reshape(-1, *data.base.shape[1:])
    return replace(data, base=slots[: data.rounds], head=slots[data.rounds :])


if __name__ == "__main__":
    main()
