"""Run PROFILE (a name in profiles/ or a TOML file), record it, and judge it.

Ctrl-C stops in good order and judges what was recorded; a second one stops at once.

Workers on other machines need the run's token: the command that starts them is printed.

Examples:

- `loadgate run smoke`
- `loadgate run release --set services.cart.eviction=lazy --set services.cart.session_bytes=65536`
- `loadgate run smoke --set load.phases.sustained.users=200 --json`
- `loadgate run release --label shop=1.4.2`
- `loadgate run bf2025 --workers-expected 3 --bind 0.0.0.0`  (see `loadgate worker`)
"""

from typing import Annotated

import typer

from harness import options
from harness.generator.generator import MASTER_PORT, Workers
from harness.generator.handshake import PLAN_PORT_OFFSET, check_can_listen
from harness.generator.token import Token, given_token, made_token
from harness.run.conduct import conduct
from harness.scene.seeds import drawn
from harness.screen.judged import finish
from harness.screen.live import LiveView
from harness.screen.plain import Screen, styled
from harness.system.paths import find_profile
from recording.durations import format_duration
from recording.labels import parse_labels
from recording.profile import Profile
from recording.profile_file import load_profile

Expected = Annotated[
    int,
    typer.Option(
        "--workers-expected", min=0, metavar="N", help="Wait for N workers on other machines."
    ),
]
Port = Annotated[
    int,
    typer.Option("--port", min=1, max=options.MOST_PORT, help="Port for them; the next one too."),
]


def run(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Name or TOML file.")],
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    labels: options.Labels = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    inconclusive: options.Inconclusive = None,
    as_json: options.Json = False,
    workers_expected: Expected = 0,
    bind: Annotated[
        str, typer.Option("--bind", metavar="HOST", help="Address to listen on for them.")
    ] = "127.0.0.1",
    port: Port = MASTER_PORT,
    wait_s: options.WaitS = 600.0,
    token: options.TokenText = None,
    token_file: options.TokenFile = None,
) -> None:
    """Record and judge."""
    workers = _workers(workers_expected, bind, port, given_token(token, token_file), wait_s)
    named = parse_labels(labels or [])
    limits = options.read_limits(thresholds)
    path = find_profile(profile)
    plan = load_profile(path, overrides or [])
    console = Screen(stderr=as_json)
    _announce(console, plan)
    if workers.remote:
        console.print(f"start {workers_expected} worker(s), each with:")
        console.print(f"  {workers.command}", soft_wrap=True)
    with LiveView(console, f"loadgate {plan.name}") as view:
        seed = drawn(seed)
        recorded = conduct(plan, str(path), overrides or [], runs, view, workers, seed, named)
    finish(recorded, limits, as_json=as_json, inconclusive=inconclusive)


def _workers(expected: int, host: str, port: int, token: Token | None, within_s: float) -> Workers:
    if not expected:
        return Workers()
    check_can_listen(host, port)
    check_can_listen(host, port + PLAN_PORT_OFFSET)
    return Workers(expected, host, port, token or made_token(), within_s)


def _announce(console: Screen, plan: Profile) -> None:
    spans = map(format_duration, (plan.load.duration_s, plan.measured_s))
    what = ": {}, {} ({} measured)".format(_load(plan), *spans)
    why = f" — {plan.description}" if plan.description else ""
    console.print(styled(plan.name, "bold"), what + why, sep="", soft_wrap=True)


def _load(profile: Profile) -> str:
    if profile.load.model == "users":
        return f"{profile.load.peak_users} users"
    rate = max(phase.arrivals_per_s or 0.0 for phase in profile.load.phases)
    return f"{rate:g} arrivals/s"
