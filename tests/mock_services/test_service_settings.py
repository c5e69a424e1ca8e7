"""The one schema of what services can be told."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from pydantic import ValidationError

from mock_services.checkout.settings import CheckoutSettings
from mock_services.kit.settings import Quantiles
from mock_services.payment.settings import PaymentSettings
from mock_services.table import SERVICES, Service


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
    given = {"latency": {"browse": {"p50_ms": 10, "mean_ms": 41}}}
    assert moved.latency["browse"].mean_ms is None
    assert CheckoutSettings.model_validate(given).latency["browse"].mean_ms == 41


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


EVERY = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))


@EVERY
def test_every_field_says_what_it_means(service: Service) -> None:
    """Each setting has a description."""
    assert all(field.description for field in service.settings.model_fields.values())


@EVERY
def test_a_service_goes_by_its_row(service: Service) -> None:
    """Its package is its key, and /healthz calls it what the table does."""
    app = importlib.import_module(f"mock_services.{service.key}.service").app
    assert app.state.service.name == service.subject
    assert type(app.state.service.settings) is service.settings


def test_ports_and_subjects_are_of_one_service_each() -> None:
    """No two listen on the same port or are called the same."""
    assert len({service.port for service in SERVICES.values()}) == len(SERVICES)
    assert len({service.subject for service in SERVICES.values()}) == len(SERVICES)


def test_the_table_is_light() -> None:
    """Who asks which services there are loads none of them."""
    code = "import mock_services.table, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"fastapi", "uvicorn", "numpy", "aiohttp", "prometheus_client"}
