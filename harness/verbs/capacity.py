"""Find the largest load at which every rule holds, with its interval and what gives first.

Short slots of load: doubling, then at random around the border; a run of a minute at the lower end
of the interval ends the search. Of any profile the journey and the services are kept, and the load
becomes arrivals (or users, with `--users`). PASS: the profile's own load, or `--require`, fits.

Ctrl-C gives the interval so far.

Examples:

- `loadgate capacity`
- `loadgate capacity release --require 30`
- `loadgate capacity --users --set services.inventory_lock.pool_max=128`
"""

from typing import Annotated

import typer

from harness import options
from harness.run.conduct import record
from harness.run.searches import WITHIN_S, Limits, capacity_order
from harness.scene.own_file import with_own_file
from harness.scene.seeds import drawn
from harness.screen.judged import finish
from harness.screen.live import LiveView
from harness.screen.plain import Screen, styled
from harness.system.paths import OWN_FOLDER, OWN_PROFILE, find_profile, own_profile_or
from recording.durations import format_duration
from recording.labels import parse_labels
from recording.profile_file import load_profile

Users = Annotated[
    bool, typer.Option("--users", help="Search users of the closed model, not arrivals.")
]
Require = Annotated[
    float | None,
    typer.Option("--require", metavar="LOAD", help="The load that must fit [the profile's own]."),
]
Within = Annotated[
    float,
    typer.Option("--within", metavar="SECONDS", min=90, max=86_400, help="The longest search."),
]


def capacity(
    profile: Annotated[
        str | None,
        typer.Argument(
            metavar="PROFILE",
            help=f"Name or TOML file [{OWN_PROFILE}, where {OWN_FOLDER}/ has one; else capacity].",
        ),
    ] = None,
    users: Users = False,
    require: Require = None,
    within_s: Within = WITHIN_S,
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    labels: options.Labels = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    inconclusive: options.Inconclusive = None,
    as_json: options.Json = False,
    everything: options.All = False,
) -> None:
    """Search and judge."""
    named = parse_labels(labels or [])
    limits = options.read_limits(thresholds)
    path = find_profile(profile or own_profile_or("capacity"))
    plan, notes = with_own_file(load_profile(path, overrides or []))
    asked = Limits(users, require, within_s)
    told = overrides or []
    order = capacity_order(plan, str(path), told, limits, asked, drawn(seed), named)
    console = Screen(stderr=as_json)
    span = format_duration(round(within_s))
    what = f": the largest load within {span}; seed {order.seed}"
    console.print(styled(plan.name, "bold"), what, sep="", soft_wrap=True)
    for note in notes:
        console.print(note, soft_wrap=True)
    with LiveView(console, f"loadgate capacity {plan.name}") as view:
        recorded = record(order, runs, view)
    finish(recorded, limits, as_json=as_json, everything=everything, inconclusive=inconclusive)
