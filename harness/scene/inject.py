"""A slow-down of one step, as overrides of the profile in force."""

from __future__ import annotations

from pathlib import Path

from analysis.calibration.injection import Curve, Slowdown, slowed
from harness.scene.services import service_settings
from mock_services.settings import MODELS, Quantiles
from recording.profile_file import read_toml


def latencies_in_force(profile: Path) -> dict[str, tuple[str, Quantiles]]:
    """For every step, which service answers it and with which quantiles under this profile.

    Only the profile's [services] tables are read, laid over the mocks' own defaults.
    Raises ConfigError naming what is wrong in them.
    """
    tables = service_settings(read_toml(profile).get("services", {}), str(profile))
    return {
        step: (service, quantiles)
        for service, model in MODELS.items()
        for step, quantiles in model.model_validate(tables[service]).latency.items()
    }


def overrides(
    step: str, slowdown: Slowdown, in_force: dict[str, tuple[str, Quantiles]]
) -> list[str]:
    """``services.payment.latency.charge.p99_ms=1068`` and so on: the whole slowed curve."""
    service, old = in_force[step]
    curve = slowed(Curve(old.p50_ms, old.p95_ms, old.p99_ms, old.max_ms, old.mean_ms), slowdown)
    values = {
        "p50_ms": curve.p50,
        "p95_ms": curve.p95,
        "p99_ms": curve.p99,
        "max_ms": curve.top,
        "mean_ms": curve.mean,
    }
    at = f"services.{service}.latency.{step}"
    return [f"{at}.{key}={value:.6g}" for key, value in values.items() if value is not None]
