"""How often a search for a pool's size is right: simulated slots, and a fine sweep as the truth.

    python -m benchmarks.studies.tune [--searches 200]

A pool of a Poisson number of connections (random arrivals, any hold time: M/G/infinity) is seen
in slots, at the levels of a real search, and the answer is compared with a sweep of 40 levels, each
of 2,000 minutes: the smallest pool that keeps its peak within the limit in 95 % of them.
"""

import argparse
import sys

import numpy as np

from analysis.levels.margins import Fullness
from analysis.tuning.asked import Setting
from analysis.tuning.border import Border, border
from analysis.tuning.slot import Slot
from recording.arrays import Floats

MEAN, PER_S = 49.0, 2.0
SAMPLES_OF_A_SLOT, SAMPLES_OF_A_MINUTE, MINUTES = 10, 120, 2000
FORGETS = 0.54
"""Correlation of two samples 0.5 s apart, at holds of 0.8 s: exp(-0.5 / 0.82)."""
LIMIT = 0.81
"""90 %, a tenth of it left over."""
POOL = Setting("inventory_lock.pool_max", 50, 400, 64, "connections")
COARSE = (50, 64, 64, 76, 115, 175, 264, 400)
AROUND = (82, 90, 99)
TOLERANCE, COVERAGE = 0.10, 0.90


def in_use(rng: np.random.Generator, rows: int, samples: int) -> Floats:
    """Poisson numbers that are alike from sample to sample: survivors and newcomers."""
    found = np.empty((rows, samples))
    found[:, 0] = rng.poisson(MEAN, rows)
    for place in range(1, samples):
        stay = rng.binomial(found[:, place - 1].astype(int), FORGETS)
        found[:, place] = stay + rng.poisson(MEAN * (1 - FORGETS), rows)
    return found


def swept(rng: np.random.Generator) -> float:
    """The truth: of 40 levels the smallest that holds."""
    peaks = in_use(rng, MINUTES, SAMPLES_OF_A_MINUTE).max(axis=1)
    levels = np.geomspace(60, 140, 40)
    return float(next(size for size in levels if np.mean(peaks < LIMIT * size) >= 0.95))


def searched(rng: np.random.Generator) -> Border:
    """One search."""
    slots = []
    for size in (*COARSE, *AROUND):
        (wanted,) = in_use(rng, 1, SAMPLES_OF_A_SLOT)
        room, starved = LIMIT * size, bool((wanted >= size).any())
        full = Fullness(np.minimum(wanted, size) / room, PER_S, room, starved)
        slots.append(Slot((float(size),), 60.0, {}, frozenset(), {"locks": full}))
    return border(slots, POOL, SAMPLES_OF_A_MINUTE / PER_S)


def main() -> int:
    """Print how the answers lie about the truth; 0 when nine of ten are within a tenth, else 3."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2025)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    truth, found = swept(rng), [searched(rng) for _ in range(given.searches)]
    off = np.array([one.value / truth - 1 for one in found])
    within, held = (
        np.mean(np.abs(off) <= TOLERANCE),
        np.mean([one.low <= truth <= one.high for one in found]),
    )
    print(f"sweep of 40 levels: {truth:.1f} connections")
    print(f"searches: {given.searches}, off by {100 * off.mean():+.1f} % on average, "
          f"5th to 95th percentile {100 * np.quantile(off, 0.05):+.1f} to "
          f"{100 * np.quantile(off, 0.95):+.1f} %")  # fmt: skip
    print(f"within 10 %: {100 * within:.1f} %; the interval held it: {100 * held:.1f} %")
    return 0 if within >= COVERAGE else 3


if __name__ == "__main__":
    sys.exit(main())
