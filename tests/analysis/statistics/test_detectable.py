"""What one run says it could have seen, another of its kind sees with 80 % probability and more."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.statistics.detectable import AIM, Hurdle, smallest_found

PAIRS = 4_000


@pytest.mark.parametrize(("degrees", "critical"), [(21, 5.4), (38, 2.9), (4, 8.0)])
def test_a_proof_is_repeated_as_promised(degrees: int, critical: float) -> None:
    """One run's error names the effect, another's own error and noise must prove it."""
    rng = np.random.default_rng(1)
    k = smallest_found((Hurdle(1.0, critical),), degrees)
    here, there = np.sqrt(rng.chisquare(degrees, (2, PAIRS)) / degrees)
    seen = k * here + rng.standard_normal(PAIRS) >= critical * there
    assert seen.mean() == pytest.approx(AIM, abs=0.025)


@pytest.mark.parametrize(("host", "least"), [(0.0, 4.5), (0.7, 4.5), (2.0, 9.0)])
def test_two_proofs_and_a_size_are_met_together(host: float, least: float) -> None:
    """The wider estimate holds the narrow one and `host` beside it; each must clear its hurdle."""
    rng = np.random.default_rng(2)
    own, shared = rng.normal(0, 1, (2, 400, 40)), rng.normal(0, host, (2, 400, 40))
    narrow, wide = own, own + shared
    errors = [part.std(axis=2, ddof=1) / 40**0.5 for part in (narrow, wide)]
    least_of = least / 40**0.5
    said = np.array(
        [
            smallest_found((Hurdle(a, 3.7), Hurdle(b, 3.1)), 39, least_of)
            for a, b in zip(errors[0][0], errors[1][0], strict=True)
        ]
    )
    found = [said + part[1].mean(axis=1) for part in (narrow, wide)]
    proven = (found[0] >= 3.7 * errors[0][1]) & (found[1] >= 3.1 * errors[1][1])
    seen = proven & (np.minimum(*found) >= least_of)
    assert seen.mean() == pytest.approx(AIM, abs=0.06)


def test_a_size_that_counts_alone_takes_the_noise_of_the_effect() -> None:
    """Far beyond any doubt, only the effect's own noise can put it below the least that counts."""
    found = smallest_found((Hurdle(1.0, 3.0),), 1000.0, least=100.0)
    assert found == pytest.approx(100.92, abs=0.03)
