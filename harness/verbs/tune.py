"""Find the least of a setting that keeps thresholds.toml: load at one level after the other, in one
stack that is told a new value between slots, and a minute at the answer that is judged as a run is.

Any number a mock can be told: inventory_lock.pool_max, replicas, wait_timeout_s,
scale_threshold_percent, checkout.lock_ttl_s, … Of a shop that `[arm]` starts any variable that it
reads: it is started anew between slots. Of others what `[tune] apply` of the profile can set. Two
at once are tried as a small grid. With `--replicas 2..5 --max-connections 400` also the largest
pool that all replicas can have. Exit code 0: what is in force today is fine; 3: it is not, and the
answer is printed.

Examples:

- `loadgate tune inventory_lock.pool_max --range 50..400`
- `loadgate tune inventory_lock.pool_max --range 50..400 --at 1.5x`
- `loadgate tune inventory_lock.pool_max --range 50..400 --from RUN`
- `loadgate tune shop.POOL_SIZE --range 2..40 --today 10`
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from analysis.limits.thresholds import Thresholds
from analysis.report.document import Document
from analysis.tuning.asked import Asked, Budget, Setting
from harness import options
from harness.run.applying import Commanding, Restarting, Telling
from harness.run.conduct import Order, checked, record
from harness.run.foretold import by_the_mechanism, by_the_twin
from harness.run.search import Search
from harness.run.searches import Limits, own_load, searchable
from harness.run.tuning import Pace, Tuner
from harness.scene.lock_plan import is_slow
from harness.scene.own_file import Noted, with_own_file
from harness.scene.scene import single
from harness.scene.seeds import drawn, seeded_load, seeded_services
from harness.scene.tunable import (
    budget_of,
    full_settings,
    key_of,
    multiples,
    settings_of,
    share,
    their_settings,
)
from harness.screen.judged import finish
from harness.screen.live import LiveView
from harness.screen.plain import Screen, styled
from harness.screen.terminal import answer
from harness.system.paths import OWN_FOLDER, OWN_PROFILE, find_profile, own_profile_or
from recording.durations import format_duration, parse_duration_s
from recording.errors import ConfigError, RunFailedError
from recording.labels import parse_labels
from recording.manifest import Searched, read_manifest
from recording.profile import Profile
from recording.profile_file import load_profile
from recording.rundir import RunDir, open_run_dir

SLOT_S, CUT_S = 8.0, 3.0
LONGEST_SETTLE_S = 30.0
"""Of locks that keep a connection until they expire; what takes longer no slot sees."""
SHORTEST_S = 150.0
"""Of a search: a slot at each level of the range, and the confirmation."""
SPARE_S = 60.0
"""Beyond the search's own time and what any search has: a second confirmation."""
SURGE, WITHIN = "25%", "200s"

Ranges = Annotated[
    list[str] | None,
    typer.Option("--range", metavar="LOW..HIGH", help="Of each setting, in their order."),
]
Loaded = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help=f"Name or TOML file [{OWN_PROFILE}, where {OWN_FOLDER}/ has one; else tune].",
    ),
]
Today = Annotated[
    list[float] | None,
    typer.Option(
        "--today", metavar="VALUE", help="In force now, of each setting that loadgate cannot know."
    ),
]
At = Annotated[
    list[str] | None,
    typer.Option("--at", metavar="1.5x", help="Also at so many times the load; repeatable."),
]
Headroom = Annotated[
    str, typer.Option("--headroom", metavar="SHARE", help="Of every limit, to be left over.")
]
Replicas = Annotated[
    str | None, typer.Option("--replicas", metavar="MIN..MAX", help="Of the autoscaler.")
]
Connections = Annotated[
    int | None,
    typer.Option("--max-connections", min=1, metavar="N", help="That all replicas share."),
]
Surge = Annotated[
    str, typer.Option("--surge", metavar="SHARE", help="Kubernetes' maxSurge, rounded up.")
]
FromRun = Annotated[
    Path | None,
    typer.Option("--from", metavar="RUN", help="Predict from this recording, without load."),
]
Within = Annotated[
    str, typer.Option("--within", metavar="TIME", help="For the whole search, per load.")
]


def tune(
    setting: Annotated[list[str], typer.Argument(metavar="SERVICE.SETTING")],
    ranges: Ranges = None,
    profile: Loaded = None,
    today: Today = None,
    at: At = None,
    headroom: Headroom = "10%",
    replicas: Replicas = None,
    max_connections: Connections = None,
    surge: Surge = SURGE,
    within: Within = WITHIN,
    from_run: FromRun = None,
    overrides: options.Overrides = None,
    seed: options.Seed = None,
    labels: options.Labels = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    inconclusive: options.Inconclusive = None,
    as_json: options.Json = False,
    everything: options.All = False,
) -> None:
    """Search, and judge what was found."""
    named, limits = parse_labels(labels or []), options.read_limits(thresholds)
    searching = _searching(at, replicas, max_connections, labels, surge, within, seed, runs)
    if from_run is not None:
        _from_a_run(setting, {**searching, "--profile": profile, "--set": overrides})
    path, (plan, notes) = _profile(profile, from_run, overrides or [])
    budget, left = _budget(replicas, max_connections, surge), share("--headroom", headroom)
    told = full_settings(plan.services, str(path)) if plan.starts_mocks else {}
    if from_run is None and plan.starts_mocks and is_slow(plan, map(key_of, setting)):
        _no_load(f"{plan.name} fills for minutes, and is played without load", searching)
        _foretold(by_the_mechanism(plan, left, limits), inconclusive, as_json)
    tuned = _tuned(setting, ranges or [], today or [], plan, told)
    load, loads = (0.0 if from_run else _constant_load(plan)), multiples(at or [])
    asked = Asked(tuned, load, loads, left, budget=budget, services=told)
    if from_run is not None:
        _foretold(by_the_twin(from_run, asked, limits), inconclusive, as_json)
    order = Ordered(plan, notes, path, asked, limits, overrides or [], drawn(seed), within, named)
    recorded = _record(order, runs, Screen(stderr=as_json))
    finish(recorded, limits, as_json=as_json, everything=everything, inconclusive=inconclusive)


def _profile(
    name: str | None, from_run: Path | None, overrides: Sequence[str]
) -> tuple[Path, Noted]:
    """Of a recording its own."""
    if from_run is not None:
        return from_run, (read_manifest(open_run_dir(from_run).manifest).profile, ())
    path = find_profile(name or own_profile_or("tune"))
    return path, with_own_file(load_profile(path, overrides))


def _tuned(
    names: Sequence[str],
    ranges: Sequence[str],
    today: Sequence[float],
    plan: Profile,
    told: Mapping[str, Mapping[str, Any]],
) -> tuple[Setting, ...]:
    if not plan.starts_mocks:
        return their_settings(names, ranges, today, plan)
    if today:
        raise ConfigError("--today: the profile says what the mocks are told: --set services.…")
    return settings_of(names, ranges, told)


def _foretold(said: Document, inconclusive: options.Inconclusive, as_json: bool) -> NoReturn:
    """Raises typer.Exit with the exit code of a prediction."""
    assert said.outcome is not None
    answer(said, {"verdict": said.outcome, "summary": said.summary}, as_json=as_json)
    options.exit_with(said.outcome.exit_code, inconclusive)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The command line, read."""

    plan: Profile
    notes: Sequence[str]
    path: Path
    asked: Asked
    limits: Thresholds
    overrides: Sequence[str]
    seed: int
    within: str
    labels: Mapping[str, str]

    @property
    def within_s(self) -> float:
        """Of the whole search. Raises ConfigError where that is too little."""
        return len(self.asked.loads) * _within_s(self.within)


def _record(of: Ordered, runs: Path, console: Screen) -> RunDir:
    plan, asked = of.plan, of.asked
    settings = seeded_services(checked(plan, str(of.path)), of.seed)
    most = Limits(users=False, require=None, within_s=of.within_s + SPARE_S)
    plan = searchable(plan, str(of.path), most, asked.load * max(asked.loads))
    searched = seeded_load(plan, of.seed)
    apply = _applying(plan, of.path)
    _announce(console, of)
    with LiveView(console, f"loadgate tune {plan.name}") as view:
        service = asked.setting.key.partition(".")[0]
        tuner = Tuner(
            asked,
            of.limits,
            Pace(SLOT_S + _settle_s(asked), CUT_S + _settle_s(asked), of.within_s),
            next(one.subject for one in plan.flow.all if one.key == service),
            of.seed,
            view.say,
        )
        if plan.starts_mocks:
            searched = searched.model_copy(update={"services": settings})
        search = Search(Searched(kind="tune", asked=asked.told()), tuner, tuner.tight, apply)
        scene = single(searched, settings, "127.0.0.1")
        order = Order(searched, scene, of.overrides, seed=of.seed, search=search, labels=of.labels)
        try:
            return record(order, runs, view)
        finally:
            if isinstance(apply, Commanding) and plan.arm is None:
                _put_back(apply, asked, console)


def _put_back(apply: Commanding, asked: Asked, console: Screen) -> None:
    """Leave services that go on running as they were."""
    try:
        apply.put_back(
            {setting.key: setting.written(setting.present) for setting in asked.settings}
        )
    except RunFailedError as error:
        console.print(f"not put back to what it was: {error}", soft_wrap=True)


def _applying(plan: Profile, path: Path) -> Commanding | Restarting | Telling:
    if plan.starts_mocks:
        return Telling(full_settings(plan.services, str(path)))
    if plan.tune is not None:
        return Commanding(plan, plan.tune)
    if plan.arm is not None:
        return Restarting()
    raise ConfigError(
        f'{path}: services at urls are told by a command: [tune] apply = "… {{value}}"'
    )


def _constant_load(plan: Profile) -> float:
    """Journeys/s; bursts are left out. What users of a closed model make is rounded."""
    load = plan.load.model_copy(update={"bursts": ()})
    found = own_load(plan.model_copy(update={"load": load}), "arrivals/s")
    return found if load.model == "arrivals" else float(f"{found:.3g}")


def _settle_s(asked: Asked) -> float:
    """How long what keeps a connection beyond its request does so."""
    if not asked.services or asked.services["inventory_lock"]["hold"] == "transaction":
        return 0.0
    ttls = [setting.high for setting in asked.settings if setting.key.endswith("lock_ttl_s")]
    return min(LONGEST_SETTLE_S, *ttls, float(asked.services["checkout"]["lock_ttl_s"]))


def _announce(console: Screen, of: Ordered) -> None:
    asked, plan = of.asked, of.plan
    ranges = " and ".join(f"{s.key} {s.low:g}..{s.high:g} (today {s.present:g})"
                          for s in asked.settings)  # fmt: skip
    loads = ", ".join(f"{load * asked.load:g}" for load in asked.loads)
    span = format_duration(round(of.within_s))
    console.print(styled(ranges, "bold"), f": profile {plan.name}, {loads} journeys/s, ",
                  f"about {span}", sep="", soft_wrap=True)  # fmt: skip
    for note in of.notes:
        console.print(note, soft_wrap=True)


def _within_s(text: str) -> float:
    """Raises ConfigError for less than a few slots and the confirmation take."""
    seconds = _seconds("--within", text)
    if seconds < SHORTEST_S:
        raise ConfigError(f"--within {text}: a search takes {SHORTEST_S:g} s at least")
    return seconds


def _budget(replicas: str | None, max_connections: int | None, surge: str) -> Budget | None:
    """Raises ConfigError for a surge of no replicas."""
    if surge != SURGE and replicas is None:
        raise ConfigError("--surge is of replicas: add --replicas 2..5 --max-connections N")
    return budget_of(replicas, max_connections, share("--surge", surge))


def _searching(
    at: At, replicas: Replicas, most: Connections, labels: options.Labels, *has_default: object
) -> Mapping[str, object]:
    """Options that only a search with load hears, and whether they were given."""
    usual = {"--surge": SURGE, "--within": WITHIN, "--seed": None, "--runs": options.RUNS}
    own = {"--at": at, "--replicas": replicas, "--max-connections": most, "--label": labels}
    pairs = zip(usual.items(), has_default, strict=True)
    return own | {name: given != default for (name, default), given in pairs}


def _no_load(why: str, given: Mapping[str, object]) -> None:
    """Of a prediction: raises ConfigError for what it has no use for."""
    if unused := [name for name, value in given.items() if value]:
        raise ConfigError(f"{why}: {unused[0]} is for a search with load: leave it out")


def _from_a_run(setting: Sequence[str], given: Mapping[str, object]) -> None:
    """Raises ConfigError for what no recording can say more of."""
    _no_load("--from", given)
    if len(setting) > 1:
        raise ConfigError("--from: a second setting is for a search with load: leave it out")
    if not setting[0].endswith(".pool_max"):
        raise ConfigError(f"--from: {setting[0]}: without load only a pool_max can be predicted")


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration_s(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text}: {error}") from None
