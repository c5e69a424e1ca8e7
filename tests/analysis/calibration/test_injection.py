"""What a known slow-down makes of an endpoint's latency curve."""

from statistics import NormalDist

import numpy as np
import pytest

from analysis.calibration.injection import Curve, Slowdown, parse_slowdowns, slowed
from mock_services.cart.settings import CartSettings
from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit.quantiles import LatencyCurve
from mock_services.kit.settings import Quantiles
from mock_services.payment.settings import PaymentSettings
from recording.errors import ConfigError

PUBLISHED = {
    **CheckoutSettings.DEFAULT_LATENCY,
    **PaymentSettings.DEFAULT_LATENCY,
    **CartSettings.DEFAULT_LATENCY,
}
TAIL = Slowdown("p99", 0.2)


def curve(q: Quantiles) -> Curve:
    return Curve(q.p50_ms, q.p95_ms, q.p99_ms, q.max_ms, q.mean_ms)


def drawn(c: Curve) -> LatencyCurve:
    """What a mock told of these percentiles draws from."""
    return LatencyCurve(
        Quantiles(p50_ms=c.p50, p95_ms=c.p95, p99_ms=c.p99, max_ms=c.top, mean_ms=c.mean)
    )


def value_ms(curve: LatencyCurve, q: float) -> float:
    """Latency at quantile `q`."""
    return float(np.exp(curve.log_ms(np.array([NormalDist().inv_cdf(q)])))[0])


def test_one_option_holds_several_amounts() -> None:
    """As in the examples of --help."""
    assert parse_slowdowns("p99=+10%,+20%") == [Slowdown("p99", 0.1), Slowdown("p99", 0.2)]


def test_a_slowdown_reads_back_as_it_was_written() -> None:
    """It is the key under which gates are counted."""
    assert [str(s) for s in parse_slowdowns("all=+12.5%")] == ["all=+12.5%"]


@pytest.mark.parametrize(
    "text", ["", "p99", "p98=+20%", "p99=20", "p99=20%", "p99=-5%", "p99=+0%", "p99=+2e3%"]
)
def test_anything_else_is_an_error_with_the_allowed_forms(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ConfigError, match=r"--inject"):
        parse_slowdowns(text)


@pytest.mark.parametrize("step", list(PUBLISHED))
@pytest.mark.parametrize("mean", [True, False])
def test_a_slow_tail_leaves_the_half_below_the_median(step: str, mean: bool) -> None:
    """Of every step, with a published mean and without, as the mock really draws it."""
    old = curve(PUBLISHED[step])
    old = old if mean else Curve(old.p50, old.p95, old.p99, old.top)
    before, after = drawn(old), drawn(slowed(old, TAIL))
    for q in (0.05, 0.25, 0.5):
        assert value_ms(after, q) == pytest.approx(value_ms(before, q), rel=1e-3)


@pytest.mark.parametrize("step", list(PUBLISHED))
def test_a_slow_tail_is_slower_by_that_much(step: str) -> None:
    """p95, p99 and the maximum, as the mock really draws them."""
    old = curve(PUBLISHED[step])
    before, after = drawn(old), drawn(slowed(old, TAIL))
    for q in (0.95, 0.99, 0.99999):
        assert value_ms(after, q) == pytest.approx(1.2 * value_ms(before, q), rel=1e-3)


def test_all_slows_every_request_alike() -> None:
    """The whole curve moves, its shape stays."""
    old = curve(PUBLISHED["charge"])
    before, after = drawn(old), drawn(slowed(old, Slowdown("all", 0.1)))
    for q in (0.05, 0.25, 0.5, 0.95, 0.99):
        assert value_ms(after, q) == pytest.approx(1.1 * value_ms(before, q), rel=1e-3)
