"""The model that the pool sweep holds a mock against, where its answer is known."""

import pytest

from benchmarks.studies import pool_sweep
from benchmarks.studies.pool_sweep import CLIENTS, ENDPOINT, SCALE, Seen, simulated, verdicts
from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit.quantiles import LatencySampler


def test_one_connection_serves_one_request_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """One over the mean latency; who asks waits for all the others."""
    monkeypatch.setattr(pool_sweep, "SIMULATED_S", 400.0)
    curve = CheckoutSettings().latency[ENDPOINT]
    found = simulated(1, LatencySampler(1, ENDPOINT, curve, SCALE))
    assert curve.mean_ms is not None
    per_s = 1000 / (SCALE * curve.mean_ms)
    assert found.per_s == pytest.approx(per_s, rel=0.03)
    assert found.p99_ms == pytest.approx(1000 * CLIENTS / per_s, rel=0.2)


def rows(*per_s: float, model: float = 100.0) -> list[tuple[int, Seen, Seen]]:
    """With a model that has its peak, and its minimum, in the middle."""
    other = [model / 2, model, model / 2]
    return [
        (pool, Seen(mine, 1000 / mine), Seen(its, 1000 / its))
        for pool, mine, its in zip((1, 2, 3), per_s, other, strict=True)
    ]


@pytest.mark.parametrize(
    ("per_s", "holds"),
    [((50, 95, 50), True), ((50, 85, 50), False), ((30, 60, 100), False), ((100, 60, 30), False)],
)
def test_a_peak_must_be_there_and_be_the_models(per_s: tuple[float, ...], holds: bool) -> None:
    """Inside the sweep, and within a tenth; so must the minimum."""
    assert [held for _, held in verdicts(rows(*per_s))] == [holds, holds]
