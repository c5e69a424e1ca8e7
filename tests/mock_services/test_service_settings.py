"""The one schema of what services can be told."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mock_services.settings import (
    DEFAULT_PORTS,
    MODELS,
    SUBJECTS,
    CheckoutSettings,
    PaymentSettings,
    Quantiles,
)


def test_naming_one_percentile_leaves_all_others() -> None:
    """A table for one percentile of one endpoint is laid over the defaults."""
    settings = CheckoutSettings.model_validate({"latency": {"browse": {"p99_ms": 400}}})
    default = CheckoutSettings()
    assert settings.latency["browse"].p99_ms == 400
    assert settings.latency["browse"].p95_ms == default.latency["browse"].p95_ms
    assert settings.latency["browse"].mean_ms == default.latency["browse"].mean_ms
    assert settings.latency["detail"] == default.latency["detail"]


def test_a_new_median_drops_the_mean_that_belonged_to_the_old_one() -> None:
    """The default mean does not survive another p50 or p95; one that is given does."""
    moved = CheckoutSettings.model_validate({"latency": {"browse": {"p50_ms": 10}}})
    given = {"latency": {"browse": {"p50_ms": 10, "mean_ms": 50}}}
    assert moved.latency["browse"].mean_ms is None
    assert CheckoutSettings.model_validate(given).latency["browse"].mean_ms == 50


def test_updated_lays_latency_over_what_is_in_force() -> None:
    """A second partial change keeps the first."""
    first = CheckoutSettings().updated({"latency": {"browse": {"p99_ms": 400}}})
    second = first.updated({"latency": {"browse": {"max_ms": 900}}, "pool_max": 5})
    assert second.latency["browse"].p99_ms == 400
    assert (second.latency["browse"].max_ms, second.pool_max) == (900, 5)


@pytest.mark.parametrize(
    ("partial", "words"),
    [
        ({"latency": {"brows": {"p99_ms": 1}}}, "known: browse, detail"),
        ({"latency": {"browse": {"p99_ms": 100}}}, "must not decrease"),
        ({"latency": {"browse": {"p98_ms": 100}}}, "p98_ms"),
        ({"pool_mx": 1}, "pool_mx"),
        ({"error_share": 1.5}, "less than or equal to 1"),
        ({"pool_max": 0}, "greater than or equal to 1"),
        ({"inventory_lock_url": "ftp://x"}, "inventory_lock_url"),
    ],
)
def test_what_is_not_allowed_is_named(partial: dict[str, object], words: str) -> None:
    """Unknown keys and endpoints and values outside their limits are refused by name."""
    with pytest.raises(ValidationError, match=words):
        CheckoutSettings.model_validate(partial)
    with pytest.raises(ValidationError, match=words):
        CheckoutSettings().updated(partial)


def test_defaults_are_appendix_a() -> None:
    """charge: mean 342, p50 298, p95 612, p99 890, max 2,104 ms."""
    seed = Quantiles(mean_ms=342, p50_ms=298, p95_ms=612, p99_ms=890, max_ms=2104)
    assert PaymentSettings().latency["charge"] == seed


def test_settings_are_frozen() -> None:
    """Settings are values."""
    with pytest.raises(ValidationError, match="frozen"):
        CheckoutSettings().pool_max = 3  # type: ignore[misc]


@pytest.mark.parametrize("key", MODELS)
def test_every_field_says_what_it_means(key: str) -> None:
    """Each setting has a description, and each service a port and a subject."""
    assert all(field.description for field in MODELS[key].model_fields.values())
    assert DEFAULT_PORTS[key]
    assert SUBJECTS[key]
