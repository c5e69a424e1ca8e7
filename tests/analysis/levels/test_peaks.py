"""analysis/levels/peaks.py: spread and peak of what slots sampled, where both are known."""

import numpy as np
import pytest

from analysis.levels.peaks import peak_over_mean, spread_about
from benchmarks.studies.tune import MEAN, in_use


def test_the_spread_of_samples_that_are_alike_is_found_from_short_slots() -> None:
    """On average over 300 searches of ten slots; within them alone it would be much too small."""
    rng = np.random.default_rng(3)
    of_searches, within = [], []
    for _ in range(300):
        slots = list(in_use(rng, 10, 10))
        line = np.full(10, np.mean([own.mean() for own in slots]))
        of_searches.append(spread_about(slots, line) ** 2)
        within.append(np.mean([np.var(own / MEAN) for own in slots]))
    assert np.mean(within) < 0.8 / MEAN
    assert np.mean(of_searches) == pytest.approx(1 / MEAN, rel=0.06)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_a_peak_is_exceeded_as_seldom_as_was_asked(confidence: float) -> None:
    """Of 4,000 runs of 120 samples, a little more seldom as they are alike."""
    peaks = in_use(np.random.default_rng(4), 4000, 120).max(axis=1)
    bound = MEAN * peak_over_mean(MEAN**-0.5, 120, confidence)
    assert confidence - 0.02 < np.mean(peaks <= bound) < confidence + 0.2
