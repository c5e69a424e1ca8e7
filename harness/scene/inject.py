"""A slow-down of one step, as overrides of the profile in force."""

from dataclasses import astuple
from pathlib import Path

from analysis.calibration.injection import Curve, Slowdown, slowed
from harness.scene.services import service_settings
from mock_services.table import SERVICES
from recording.profile_file import read_toml

KEYS = ("p50_ms", "p95_ms", "p99_ms", "max_ms", "mean_ms")
"""What the mocks' settings call the fields of a Curve, in its order."""


def latencies_in_force(profile: Path) -> dict[str, tuple[str, Curve]]:
    """For every step, which service answers it and with which latency under this profile.

    Only the profile's [services] tables are read, laid over the mocks' own defaults.
    Raises ConfigError naming what is wrong in them.
    """
    tables = service_settings(read_toml(profile).get("services", {}), str(profile))
    return {
        step: (service, Curve(*(getattr(q, key) for key in KEYS)))
        for service, mock in SERVICES.items()
        for step, q in mock.settings.model_validate(tables[service]).latency.items()
    }


def overrides(step: str, slowdown: Slowdown, in_force: dict[str, tuple[str, Curve]]) -> list[str]:
    """``services.payment.latency.charge.p99_ms=1068`` and so on: the whole slowed curve."""
    service, old = in_force[step]
    slower = zip(KEYS, astuple(slowed(old, slowdown)), strict=True)
    at = f"services.{service}.latency.{step}"
    return [f"{at}.{key}={value:.6g}" for key, value in slower if value is not None]
