"""analysis/levels/peaks.py: spread and peak of what slots sampled, where both are known."""

import numpy as np
import pytest

from analysis.levels.peaks import peak_over_mean, spread_about
from recording.arrays import Floats

MEAN, FORGETS = 50.0, 0.5


def in_use(rng: np.random.Generator, slots: int, samples: int) -> Floats:
    """Poisson numbers, of which half stay from one sample to the next."""
    found = np.empty((slots, samples))
    found[:, 0] = rng.poisson(MEAN, slots)
    for place in range(1, samples):
        stay = rng.binomial(found[:, place - 1].astype(int), FORGETS)
        found[:, place] = stay + rng.poisson(MEAN * (1 - FORGETS), slots)
    return found


def test_the_spread_of_samples_that_are_alike_is_found_from_short_slots() -> None:
    """On average over 300 searches of ten slots; within them alone it would be 15 % too small."""
    rng = np.random.default_rng(3)
    of_searches = []
    for _ in range(300):
        slots = list(in_use(rng, 10, 10))
        line = np.full(10, np.mean([own.mean() for own in slots]))
        of_searches.append(spread_about(slots, line) ** 2)
    assert np.mean(of_searches) == pytest.approx(1 / MEAN, rel=0.06)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_a_peak_is_exceeded_as_seldom_as_was_asked(confidence: float) -> None:
    """Of 4,000 runs of 120 samples, a little more seldom as they are alike."""
    peaks = in_use(np.random.default_rng(4), 4000, 120).max(axis=1)
    bound = MEAN * peak_over_mean(MEAN**-0.5, 120, confidence)
    assert confidence - 0.02 < np.mean(peaks <= bound) < confidence + 0.2
