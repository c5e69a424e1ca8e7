"""Latency drawn from published percentiles."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.interpolate import PchipInterpolator

from mock_services.kit.curve import Q_MAX, monotone_slopes
from mock_services.kit.quantiles import LatencyCurve, LatencySampler
from mock_services.kit.settings import Quantiles
from mock_services.table import SERVICES

PUBLISHED = {
    endpoint: table
    for service in SERVICES.values()
    for endpoint, table in service.settings().latency.items()
}


def value_ms(curve: LatencyCurve, q: float) -> float:
    """Latency at quantile `q`."""
    return float(np.exp(curve.log_ms(np.array([NormalDist().inv_cdf(q)])))[0])


@st.composite
def quantiles(draw: st.DrawFn) -> Quantiles:
    p50 = draw(st.floats(1.0, 1000.0))
    steps = [draw(st.floats(1.0, 5.0)) for _ in range(3)]
    p95, p99, top = p50 * np.cumprod(steps)
    return Quantiles(p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=top)


@given(quantiles())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_curve_is_monotone_and_never_above_the_maximum(table: Quantiles) -> None:
    """A higher quantile is never faster, and nothing is slower than max_ms."""
    values = np.exp(LatencyCurve(table).log_ms(np.linspace(-6, 8, 2001)))
    assert np.all(np.diff(values) >= -1e-9 * values[1:])
    assert values[-1] <= table.max_ms * (1 + 1e-12)


@given(quantiles())
@settings(max_examples=100, deadline=None, derandomize=True)
def test_curve_goes_through_every_published_percentile(table: Quantiles) -> None:
    """p50, p95, p99 and max come out as they were put in."""
    curve = LatencyCurve(table)
    seen = [value_ms(curve, q) for q in (0.5, 0.95, 0.99, Q_MAX)]
    assert seen == pytest.approx([table.p50_ms, table.p95_ms, table.p99_ms, table.max_ms])


@pytest.mark.parametrize("endpoint", PUBLISHED)
def test_slopes_equal_scipys(endpoint: str) -> None:
    """The interpolation is PCHIP: its derivatives are those of scipy's own."""
    table = PUBLISHED[endpoint]
    x = np.array([0.0, 1.6449, 2.3263, 4.2649])
    y = np.log([table.p50_ms, table.p95_ms, table.p99_ms, table.max_ms])
    assert monotone_slopes(x, y) == pytest.approx(PchipInterpolator(x, y).derivative()(x))


@pytest.mark.parametrize("endpoint", PUBLISHED)
def test_a_million_draws_have_the_published_percentiles_and_mean(endpoint: str) -> None:
    """p50, p95, p99 and mean of a million draws lie within 1 % of the published ones."""
    table = PUBLISHED[endpoint]
    drawn_ms = LatencySampler(7, endpoint, table).batch_s(1_000_000) * 1000
    wanted = [table.p50_ms, table.p95_ms, table.p99_ms]
    assert np.quantile(drawn_ms, [0.5, 0.95, 0.99]) == pytest.approx(wanted, rel=0.01)
    assert drawn_ms.max() <= table.max_ms * (1 + 1e-12)
    if table.mean_ms is not None:
        assert drawn_ms.mean() == pytest.approx(table.mean_ms, rel=0.01)


def test_analytic_mean_equals_the_published_one() -> None:
    """The slope below the median is solved for the mean, without sampling error."""
    for table in PUBLISHED.values():
        if table.mean_ms is not None:
            assert LatencyCurve(table).mean_ms() == pytest.approx(table.mean_ms, rel=1e-4)


@pytest.mark.parametrize("mean", [1.0, 130.0, 399.0])
def test_a_mean_that_no_curve_can_have_is_refused(mean: float) -> None:
    """With the means that these percentiles can have."""
    with pytest.raises(ValidationError, match=r"out of reach.* a mean is 85.57 to 121.4"):
        Quantiles(p50_ms=100, p95_ms=200, p99_ms=300, max_ms=400, mean_ms=mean)


@given(quantiles(), st.floats(0.0, 1.0))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_every_mean_within_reach_comes_out(table: Quantiles, share: float) -> None:
    """From the least to the greatest."""
    least, most = table.shape.means_ms()
    mean = least + share * (most - least)
    curve = LatencyCurve(Quantiles(**table.model_dump(exclude={"mean_ms"}), mean_ms=mean))
    assert curve.mean_ms() == pytest.approx(mean, rel=1e-6)
    z = np.random.default_rng(1).standard_normal(20_000)
    assert np.exp(curve.log_ms(z)).mean() == pytest.approx(mean, rel=0.2)


def test_draws_depend_on_seed_and_endpoint_only() -> None:
    """Same seed and endpoint: same draws. Another endpoint or seed: others."""

    def first(seed: int, endpoint: str) -> list[float]:
        sampler = LatencySampler(seed, endpoint, PUBLISHED["browse"])
        return [sampler.draw_s() for _ in range(5)]

    assert first(1, "browse") == first(1, "browse")
    assert first(1, "browse") != first(2, "browse")
    assert first(1, "browse") != first(1, "detail")


def test_scale_multiplies_every_draw() -> None:
    """latency_scale 0.5 halves the same sequence."""
    table = PUBLISHED["browse"]
    whole = LatencySampler(1, "browse", table, 1.0).batch_s(100)
    assert LatencySampler(1, "browse", table, 0.5).batch_s(100) == pytest.approx(whole / 2)


def test_equal_percentiles_give_a_constant() -> None:
    """Four equal percentiles: every draw is that value."""
    table = Quantiles(p50_ms=50, p95_ms=50, p99_ms=50, max_ms=50)
    assert LatencySampler(1, "x", table).batch_s(1000) == pytest.approx(0.05)
