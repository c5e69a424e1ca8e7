"""Run PROFILE (a name in profiles/ or a TOML file), record it, and judge it.

Ctrl-C stops in good order and judges what was recorded; a second one stops at once.

Workers on other machines need the run's token: the command that starts them is printed.

Examples:

- `loadgate run smoke`
- `loadgate run`  (in a shop's repository: what `loadgate init` wrote)
- `loadgate run release --set services.cart.eviction=lazy --seed 7`
- `loadgate run smoke --set load.phases.sustained.users=200 --json`
- `loadgate run release --label shop=1.4.2`
- `loadgate run release --open`  (in the browser, while it lasts)
- `loadgate run bf2025-peak --dry-run`  (what it would take)
- `loadgate run bf2025 --workers-expected 3 --bind 0.0.0.0`
- `loadgate run soak --metrics-port 9646`  (for Prometheus)
- `loadgate run shop.toml --locustfile locustfile.py`  (users of your own)
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from analysis.limits.thresholds import Thresholds
from analysis.report.document import Document
from analysis.report.story import time_table, told
from harness import options
from harness.generator.generator import MASTER_PORT, Workers
from harness.generator.handshake import LOOPBACK, PLAN_PORT_OFFSET, check_can_listen
from harness.generator.token import Token, given_token, made_token
from harness.observe.exporter import exporting
from harness.page.live_page import LivePage
from harness.run.conduct import checked, conduct
from harness.run.forecast import answer_forecast, forecast
from harness.scene.own_file import with_own_file
from harness.scene.seeds import drawn
from harness.screen.judged import finish
from harness.screen.live import Follow, LiveView
from harness.screen.plain import Screen, styled
from harness.screen.terminal import show
from harness.system.paths import OWN_FOLDER, OWN_PROFILE, find_profile, own_profile
from mock_services.table import SERVICES
from recording.durations import format_duration
from recording.errors import ConfigError
from recording.given_files import check_folder
from recording.labels import parse_labels
from recording.profile import Profile
from recording.profile_file import read_profile

OwnProfile = Annotated[
    str | None,
    options.profile_argument(
        help=f"Name or TOML file [{OWN_PROFILE}, where {OWN_FOLDER}/ has one: loadgate init]."
    ),
]
OpenPage = Annotated[
    bool,
    typer.Option("--open", help="Show the run in the browser while it lasts, then its report."),
]
LivePort = Annotated[
    int | None,
    typer.Option(
        "--live-port",
        min=0,
        max=options.MOST_PORT,
        metavar="N",
        help=f"Serve that page on this port of {LOOPBACK}; 0: any that is free.",
    ),
]
Expected = Annotated[
    int,
    typer.Option(
        "--workers-expected", min=0, metavar="N", help="Wait for N workers on other machines."
    ),
]
Bind = Annotated[
    str | None,
    typer.Option("--bind", metavar="HOST", help=f"Address to listen on for them [{LOOPBACK}]."),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        min=1,
        max=options.MOST_PORT - len(SERVICES),
        metavar="N",
        help=f"Port for them; the next five too [{MASTER_PORT}].",
    ),
]
StopWhenInvalid = Annotated[
    bool,
    typer.Option("--stop-when-invalid", help="End a run that is no evidence any more."),
]

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        min=1,
        max=65_535,
        metavar="N",
        help="Serve /metrics of the run on this port, for Prometheus.",
    ),
]
MetricsHost = Annotated[
    str | None,
    typer.Option("--metrics-host", metavar="HOST", help=f"Address to serve it on [{LOOPBACK}]."),
]


def run(
    profile: OwnProfile = None,
    overrides: options.Overrides = None,
    locustfile: options.Locustfile = None,
    seed: options.Seed = None,
    labels: options.Labels = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    inconclusive: options.Inconclusive = None,
    everything: options.All = False,
    as_json: options.Json = False,
    workers_expected: Expected = 0,
    bind: Bind = None,
    port: Port = None,
    wait_s: options.WaitS = 600.0,
    token: options.TokenText = None,
    token_file: options.TokenFile = None,
    stop_when_invalid: StopWhenInvalid = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = None,
    open_page: OpenPage = False,
    live_port: LivePort = None,
    dry_run: options.DryRun = False,
) -> None:
    """Record and judge."""
    workers = _workers(workers_expected, bind, port, given_token(token, token_file), wait_s)
    named, limits = parse_labels(labels or []), options.read_limits(thresholds)
    plan, settings, told, notes = _read(profile, overrides, locustfile, runs, workers)
    if dry_run:
        answer_forecast(forecast(plan, limits, runs, workers), as_json=as_json)
    console, guards = Screen(stderr=as_json), limits.guards.stopping(when_invalid=stop_when_invalid)
    with (
        exporting(metrics_host, metrics_port, limits) as exporter,
        _live_page(console, limits, live_port, browser=open_page) as follow,
    ):
        _announce(console, plan, workers, notes)
        with LiveView(console, f"loadgate {plan.name}", follow) as view:
            asked = (told, runs, view, workers, drawn(seed), named, guards, exporter)
            recorded = conduct(plan, settings, *asked)
        finish(recorded, limits, as_json=as_json, everything=everything, inconclusive=inconclusive)


class _Asked(NamedTuple):
    """What is to be run, what its services and its profile are told, and what is to be said."""

    plan: Profile
    settings: dict[str, dict[str, Any]]
    told: list[str]
    notes: tuple[str, ...]


def _read(
    profile: str | None,
    overrides: list[str] | None,
    locustfile: str | None,
    runs: Path,
    workers: Workers,
) -> _Asked:
    """Raises ConfigError or RefusedError."""
    check_folder(runs, "--runs")
    told = options.told(overrides, locustfile)
    plan, written = read_profile(find_profile(profile or own_profile()), told)
    plan, notes = with_own_file(plan, workers=workers.expected)
    if plan.starts_mocks:
        for each in workers.ports_for_services.values():
            check_can_listen(workers.host_for_services, each)
    return _Asked(plan, checked(plan, written), told, notes)


@contextmanager
def _live_page(
    console: Screen, limits: Thresholds, port: int | None, *, browser: bool
) -> Iterator[Follow | None]:
    """None where nobody asked for it. Raises ConfigError where nothing can listen there."""
    if port is None and not browser:
        yield None
        return
    with LivePage(limits.source, port or 0, browser=browser) as page:
        console.print(f"live page: {page.url}", soft_wrap=True)
        yield page.follow


def _workers(
    expected: int, bind: str | None, asked: int | None, token: Token | None, within_s: float
) -> Workers:
    """Raises ConfigError where nothing can listen, and for an address that nobody would use."""
    host, port = bind or LOOPBACK, asked or MASTER_PORT
    if expected or bind is not None or asked is not None:
        check_can_listen(host, port)
        check_can_listen(host, port + PLAN_PORT_OFFSET)
    if not expected and (bind is not None or asked is not None):
        option = f"--bind {bind}" if bind is not None else f"--port {asked}"
        raise ConfigError(f"{option}: is for workers of other machines: add --workers-expected N")
    return Workers(expected, host, port, token or made_token(), within_s) if expected else Workers()


def _announce(console: Screen, plan: Profile, workers: Workers, notes: Iterable[str]) -> None:
    spans = map(format_duration, (plan.load.duration_s, plan.measured_s))
    what = ": {}, {} ({} measured)".format(_load(plan), *spans)
    why = f" — {plan.description}" if plan.description else ""
    console.print(styled(plan.name, "bold"), what + why, sep="", soft_wrap=not console.is_terminal)
    if phases := told(plan.load):
        show(console, Document((time_table(phases),)))
    for note in notes:
        console.print(note, soft_wrap=True)
    if workers.remote:
        where = f", where {plan.scenario.own} is the same file" if plan.scenario.own else ""
        console.print(f"start {workers.expected} worker(s){where}, each with:", soft_wrap=True)
        console.print(f"  {workers.command}", soft_wrap=True)


def _load(profile: Profile) -> str:
    if profile.load.model == "users":
        return f"{profile.load.peak_users} users"
    rate = max(phase.arrivals_per_s or 0.0 for phase in profile.load.phases)
    return f"{rate:g} arrivals/s"
