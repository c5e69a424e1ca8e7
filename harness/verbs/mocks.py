"""Start the mock services and keep them up until Ctrl-C.

Examples:

- `loadgate mocks`  then  `locust -f locustfiles/checkout_flow.py`
- `loadgate mocks --port-base 9000 --set services.inventory_lock.pool_max=50`
- `loadgate mocks --profile release`
"""

import signal
import threading
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from pydantic import Field

from harness import options
from harness.scene.seeds import drawn, seeded_services
from harness.scene.services import service_settings, start_services
from harness.screen.plain import Screen
from harness.system.paths import find_profile
from harness.system.scratch import scratch, sweep
from mock_services.table import SERVICES
from recording.clock import RunClock
from recording.errors import RunFailedError
from recording.profile_file import apply_override, build, load_profile
from recording.tables import Table

_POLL_S = 0.5


class OnlyServices(Table):
    """What can be set without a profile."""

    services: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)


def mocks(
    profile: Annotated[
        str | None, typer.Option("--profile", help="Take [services.*] from this profile.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="services.NAME.KEY=VALUE; repeatable."),
    ] = None,
    port_base: Annotated[
        int, typer.Option("--port-base", min=1, max=65000, help="First of the ports.")
    ] = next(iter(SERVICES.values())).port,
    seed: options.Seed = None,
) -> None:
    """Serve."""
    seed = drawn(seed)
    settings = seeded_services(_settings(profile, overrides or []), seed)
    ports = {name: port_base + i for i, name in enumerate(SERVICES)}
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    sweep()
    with scratch("mocks") as logs:
        services = start_services(settings, RunClock.start(), ports=ports, logs=logs)
        try:
            console = Screen()
            for service in services.services:
                console.print(f"{service.subject:<24}{service.url}/docs")
            console.print(
                f"seed {seed}; admin token {services.admin_token}; Ctrl-C stops", style="dim"
            )
            while not stop.wait(_POLL_S):
                if why := services.first_death():
                    raise RunFailedError(why)
        finally:
            services.stop()


def _settings(profile: str | None, overrides: list[str]) -> dict[str, dict[str, Any]]:
    """Of each service. Raises ConfigError for whatever `loadgate run` would refuse as well."""
    if profile is not None:
        path = find_profile(profile)
        return service_settings(load_profile(path, overrides).services, str(path))
    table: dict[str, Any] = {}
    for text in overrides:
        apply_override(table, text)
    return service_settings(build(OnlyServices, table, "--set").services, "--set")
