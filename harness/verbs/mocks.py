"""Start the mock services and keep them up until Ctrl-C; ask and change them from another terminal.

Examples:

- `loadgate mocks`  then  `locust -f locustfiles/checkout_flow.py`
- `loadgate mocks --port-base 9000 --set services.inventory_lock.pool_max=50`
- `loadgate mocks --profile release`
- `loadgate mocks set inventory_lock.pool_max=150 payment.decline_share=0.1`
- `loadgate mocks get inventory_lock.pool_max`  and  `loadgate mocks status`
"""

import json
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field

from analysis.report.document import Document, Lines
from harness import options
from harness.scene.behaviour import change_all, in_force, leaves
from harness.scene.curls import curl_lines
from harness.scene.running import noted, running_of, the_running
from harness.scene.seeds import drawn, seeded_services
from harness.scene.services import Services, named_services, service_settings, start_services
from harness.scene.vitals import vitals_document, vitals_of, vitals_table
from harness.screen.plain import Screen
from harness.screen.terminal import answer
from harness.system.paths import find_profile
from mock_services.table import SERVICES
from recording.clock import RunClock
from recording.errors import ConfigError, RunFailedError, did_you_mean
from recording.profile_file import apply_override, build, key_path, read_profile
from recording.tables import Table
from recording.written import Written

_POLL_S = 0.5
actions = typer.Typer()
Base = Annotated[
    int | None,
    typer.Option("--port-base", min=1, max=65000, help="Which, where several are running."),
]


class OnlyServices(Table):
    """What can be set without a profile."""

    services: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)


@actions.callback(invoke_without_command=True, help=__doc__)
def mocks(
    context: typer.Context,
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
    """Serve, unless there is another word."""
    if word := context.invoked_subcommand:
        sources = map(context.get_parameter_source, context.params)
        if any(source is not None and source.name != "DEFAULT" for source in sources):
            raise ConfigError(f"loadgate mocks {word}: write options behind {word!r}")
        return
    seed = drawn(seed)
    settings = seeded_services(_settings(profile, overrides or []), seed)
    ports = {name: port_base + i for i, name in enumerate(SERVICES)}
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _logs() as logs:
        services = start_services(settings, RunClock.start(), ports=ports, logs=logs)
        try:
            with noted(running_of(services, port_base, seed)):
                _announce(services, seed)
                while not stop.wait(_POLL_S):
                    if why := services.first_death():
                        raise RunFailedError(why)
        finally:
            services.stop()


@actions.command("set")
def set_some(
    changes: Annotated[list[str], typer.Argument(metavar="SERVICE.KEY=VALUE...")],
    port_base: Base = None,
    as_json: options.Json = False,
) -> None:
    """Change settings of running mocks at once: all of them, or, where one is refused, none.

    Examples:

    - `loadgate mocks set inventory_lock.pool_max=150`
    - `loadgate mocks set payment.latency.charge.p99_ms=1500`
    """
    written = _without_file(
        (f"services.{text.removeprefix('services.')}" for text in changes), "set"
    )
    tables = named_services(build(OnlyServices, written.table, written).services, written)
    made = change_all(the_running(port_base), tables)
    lines = [f"{each.key}  {_text(each.before)} → {_text(each.after)}" for each in made]
    value = [{"key": each.key, "before": each.before, "after": each.after} for each in made]
    said = tuple(lines) or ("all of it is so already",)
    answer(Document((Lines(said),)), value, as_json=as_json)


@actions.command("get")
def get_some(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[SERVICE[.KEY]]...", help="[all]")
    ] = None,
    port_base: Base = None,
    as_json: options.Json = False,
) -> None:
    """Print what running mocks are told now.

    Examples:

    - `loadgate mocks get inventory_lock`
    - `loadgate mocks get payment.latency.charge cart.ttl_s --json`
    """
    running = the_running(port_base)
    tables = {key: in_force(running, key) for key in running.mocks}
    wanted = {key: value for text in keys or [""] for key, value in _named(tables, text).items()}
    lines = tuple(f"{key} = {_text(value)}" for key, value in wanted.items())
    answer(Document((Lines(lines),)), wanted, as_json=as_json)


@actions.command()
def status(port_base: Base = None, as_json: options.Json = False) -> None:
    """Print addresses, health, pools and memory of running mocks.

    Examples:

    - `loadgate mocks status`
    - `loadgate mocks status --port-base 9000 --json`
    """
    running = the_running(port_base)
    found = vitals_of(running)
    answer(vitals_document(running, found), vitals_table(running, found), as_json=as_json)


@contextmanager
def _logs() -> Iterator[Path]:
    """A folder of their logs. It is gone afterwards, unless a service failed: then it stays."""
    folder, stays = Path(tempfile.mkdtemp(prefix="loadgate-mocks-")), False
    try:
        yield folder
    except RunFailedError:
        stays = True
        raise
    finally:
        if not stays:
            shutil.rmtree(folder, ignore_errors=True)


def _announce(services: Services, seed: int) -> None:
    console = Screen(soft_wrap=True)
    for service in services.services:
        console.print(f"{service.subject:<24}{service.url}/docs")
    console.print("\ntry them (a purchase is the last four, in one shell):", style="dim")
    for line in curl_lines(services.urls):
        console.print(line)
    console.print("\nchange them: loadgate mocks set inventory_lock.pool_max=150", style="dim")
    console.print(f"seed {seed}; admin token {services.admin_token}; Ctrl-C stops", style="dim")


def _settings(profile: str | None, overrides: list[str]) -> dict[str, dict[str, Any]]:
    """Of each service. Raises ConfigError for whatever `loadgate run` would refuse as well."""
    if profile is not None:
        path = find_profile(profile)
        read, written = read_profile(path, overrides)
        return service_settings(read.services, written)
    written = _without_file(overrides, "--set")
    return service_settings(build(OnlyServices, written.table, written).services, written)


def _without_file(overrides: Iterable[str], option: str) -> Written:
    table: dict[str, Any] = {}
    made = tuple((apply_override(table, text, option), f"{option} {text}") for text in overrides)
    return Written("", table, options=made)


def _named(tables: Mapping[str, Any], text: str) -> dict[str, Any]:
    """What stands under a key, by whole keys; "" is all. Raises ConfigError for an unknown one."""
    path = key_path(f"services.{text.removeprefix('services.')}")[1:] if text else []
    at: Any = tables
    for part in path:
        if not isinstance(at, Mapping) or part not in at:
            known = at if isinstance(at, Mapping) else ()
            raise ConfigError(f"get: unknown key {text!r}{did_you_mean(part, known)}")
        at = at[part]
    return dict(leaves({".".join(path): at} if path else tables))


def _text(value: Any) -> str:
    """As it is written in a profile; what is not set, in a word."""
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
