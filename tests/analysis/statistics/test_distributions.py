"""analysis/statistics/distributions.py against scipy.stats, which it replaces."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.statistics.distributions import (
    binomial_quantile,
    normal_quantile,
    share_interval,
    t_quantile,
)

SHARES = st.floats(0.001, 0.999)


@given(st.integers(1, 10**8), st.data())
def test_share_intervals_are_those_of_scipy(n: int, data: st.DataObject) -> None:
    """Clopper and Pearson's interval, from no success to nothing but successes (scipy searches
    it to six digits)."""
    k = data.draw(st.integers(0, n) | st.just(0) | st.just(n))
    expected = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
    assert share_interval(k, n) == pytest.approx((expected.low, expected.high), rel=1e-5, abs=1e-15)


@given(SHARES, st.integers(1, 10**6), SHARES)
def test_binomial_quantiles_are_the_smallest_that_reach_the_share(
    p: float, n: int, share: float
) -> None:
    """P(at most k) reaches p, and P(at most k - 1) does not."""
    k = binomial_quantile(p, n, share)
    assert stats.binom.cdf(k, n, share) >= p * (1 - 1e-9)
    assert k == 0 or stats.binom.cdf(k - 1, n, share) < p * (1 + 1e-9)


@given(SHARES, st.floats(1.0, 200.0))
def test_continuous_quantiles_are_those_of_scipy(p: float, degrees: float) -> None:
    """Normal and Student's t."""
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-9, abs=1e-9)
    assert t_quantile(p, degrees) == pytest.approx(stats.t.ppf(p, degrees), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_an_impossible_share_is_refused(successes: int, n: int) -> None:
    """No trials give no interval, least of all a narrow one."""
    with pytest.raises(ValueError, match="no share"):
        share_interval(successes, n)


def test_the_judge_does_not_import_what_takes_longer_than_judging() -> None:
    """scipy.stats alone takes half a second to import."""
    code = "import sys, analysis.judge; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
