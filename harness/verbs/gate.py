"""Load BASE and HEAD in turn, in short slots, and say whether HEAD is slower: PASS, FAIL, or
INCONCLUSIVE with what it would take to tell.

An arm is `.` (this tree), `ref:<git ref>` (its own services are started from that revision), or
`url:<file>` (a TOML file with the urls checkout, payment, cart and, if wanted, inventory_lock).
Without --base it is the merge base of HEAD with the main branch.

In a shop's own repository the profile's `[arm]` says how the shop is started (docs/gate.md).
Without one, revisions are loadgate's own, so elsewhere arms are urls, unless --mocks says that its
mocks are meant.

Examples:

- `loadgate gate`  (this tree against where it left the main branch)
- `loadgate gate --base ref:v1.4.0 --head ref:HEAD`
- `loadgate gate --head-set services.inventory_lock.pool_max=20`
- `loadgate gate --profile loadgate/gate.toml`  (a shop, as its `[arm]` says)
- `loadgate gate --base . --head . --allow-equal`  (of equal arms)
- `loadgate gate --rounds 60`  (sharper; or `--time 10m`)
- `loadgate gate --base url:old.toml --head url:new.toml --inconclusive=fail`
- `loadgate gate --locustfile own.py --base url:old.toml --head url:new.toml`
- `loadgate gate --capacity --base ref:v1.4.0`  (is the largest load smaller?)
"""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from analysis.limits.thresholds import Thresholds
from analysis.paired.look import decided_early
from analysis.statistics.looks import LookPlan, balanced_order
from harness import options
from harness.run.capacity_gate import Arms, AskedOfArms, search_both
from harness.run.conduct import Order, record, unloaded
from harness.run.early_look import EarlyLooks
from harness.run.forecast import answer_forecast, gate_forecast
from harness.run.searches import NARROW_OF_GATE, WITHIN_S, Limits
from harness.scene import preflight
from harness.scene.arms import (
    are_equal,
    check_differ,
    only_ignored,
    open_arms,
    prepared,
    seeded,
)
from harness.scene.own_file import Noted, with_own_file
from harness.scene.rounds import resized
from harness.scene.seeds import drawn, seeded_load
from harness.scene.shop import repository
from harness.screen.judged import finish, finish_both
from harness.screen.live import LiveView
from harness.screen.plain import Screen, styled
from harness.system import git
from harness.system.paths import PROJECT, find_profile, own_profile_or
from harness.system.scratch import sweep
from recording.durations import format_duration
from recording.errors import ConfigError
from recording.given_files import check_folder
from recording.labels import parse_labels
from recording.manifest import ArmFacts, PairedRun
from recording.profile import Gate, Profile
from recording.profile_file import load_profile, read_profile
from recording.rundir import RunDir
from recording.slots import BASE, HEAD
from recording.written import Written

SLOWEST_REQUEST_S = 2.5
"""Requests still in flight this long after their slot do not wait for an early look."""
SAMPLES_PER_SLOT = 4
"""Two in the later half of the other arm's slot: what a service takes when idle is taken off."""
_SEARCH = Limits(users=False, require=None, within_s=WITHIN_S, narrow=NARROW_OF_GATE)


BaseArm = Annotated[
    str | None, typer.Option("--base", metavar="ARM", help="Yardstick [the merge base].")
]
BaseSet = Annotated[
    list[str] | None,
    typer.Option("--base-set", metavar="KEY=VALUE", help="services.* of base; repeatable."),
]
HeadSet = Annotated[
    list[str] | None,
    typer.Option("--head-set", metavar="KEY=VALUE", help="services.* of head; repeatable."),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="Name or TOML file [gate, or capacity].",
        autocompletion=options.profiles_beginning,
    ),
]
Capacity = Annotated[
    bool, typer.Option("--capacity", help="Compare the largest loads: two whole searches.")
]
Rounds = Annotated[
    int | None, typer.Option("--rounds", metavar="N", help="How many at most [the profile's].")
]
OfMocks = Annotated[
    bool, typer.Option("--mocks", help="Arms are loadgate's own mocks, wherever this is called.")
]
AllowEqual = Annotated[
    bool, typer.Option("--allow-equal", help="Load equal revisions too, to calibrate.")
]
Time = Annotated[
    str | None,
    typer.Option("--time", metavar="10m", help="As many rounds as fit into this time."),
]


def gate(
    base: BaseArm = None,
    head: Annotated[str, typer.Option("--head", metavar="ARM", help="What is judged.")] = ".",
    base_set: BaseSet = None,
    head_set: HeadSet = None,
    overrides: options.Overrides = None,
    locustfile: options.Locustfile = None,
    profile: ProfileName = None,
    capacity: Capacity = False,
    mocks: OfMocks = False,
    allow_equal: AllowEqual = False,
    rounds: Rounds = None,
    time: Time = None,
    seed: options.Seed = None,
    same_draws: options.SameDraws = False,
    labels: options.Labels = None,
    thresholds: options.Thresholds = None,
    runs: options.Runs = options.RUNS,
    inconclusive: options.Inconclusive = None,
    everything: options.All = False,
    as_json: options.Json = False,
    dry_run: options.DryRun = False,
) -> None:
    """Record a paired run and judge it."""
    check_folder(runs, "--runs")
    named, limits = parse_labels(labels or []), options.read_limits(thresholds)
    told = options.told(overrides, locustfile)
    (plan, notes), written = _read(profile, told, capacity, mocks, rounds, time)
    base = _base(base, head, plan, mocks)
    arms: Arms = {BASE: (base, base_set or []), HEAD: (head, head_set or [])}
    load = seeded_load(plan, seed := drawn(seed))
    asked = AskedOfArms(load, written, arms, told, seed, same_draws, named, allow_equal)
    if dry_run:
        _rehearse(asked, limits, runs, capacity, as_json)
    console = _told(Screen(stderr=as_json), notes)
    if capacity:
        both = search_both(asked, limits, _SEARCH, runs, console)
        finish_both(both[BASE], both[HEAD], limits, as_json=as_json, inconclusive=inconclusive)
    recorded = _record(asked, limits, runs, console)
    finish(recorded, limits, as_json=as_json, everything=everything, inconclusive=inconclusive)


def _read(
    name: str | None,
    told: list[str],
    capacity: bool,
    mocks: bool,
    rounds: int | None,
    time: str | None,
) -> tuple[Noted, Written]:
    """The profile, as long as it was asked for, which ``told`` then has; where mocks are meant,
    without its shop; and what is to be said of its users' file. Raises ConfigError.
    """
    path = find_profile(name or (own_profile_or("capacity") if capacity else "gate"))
    told += _length(load_profile(path, told), capacity, rounds, time)
    plan, written = read_profile(path, told)
    plan = plan.model_copy(update={"arm": None}) if mocks else plan
    return with_own_file(plan, arms=True), written


def _told(console: Screen, notes: Sequence[str]) -> Screen:
    for note in notes:
        console.print(note, soft_wrap=True)
    return console


def _base(base: str | None, head: str, plan: Profile, mocks: bool) -> str:
    """Raises ConfigError where there is none, or an arm would not be what is here."""
    if not mocks and plan.arm is None:
        _not_elsewhere(base, head)
    return base if base is not None else f"ref:{git.merge_base(repository(plan))}"


def _not_elsewhere(base: str | None, head: str) -> None:
    """Raises ConfigError where an arm would be a revision of loadgate and not of what is here."""
    here = Path.cwd().resolve()
    of_urls = base is not None and all(arm.startswith("url:") for arm in (base, head))
    if of_urls or here.is_relative_to(PROJECT):
        return
    if base is None or git.repository_of(here):
        raise ConfigError(
            f"{here}: `.` and `ref:` are revisions of loadgate's own mocks in {PROJECT}, not of "
            "what is here: say in [arm] of the profile how your shop is started, name services "
            "that run with --base url:FILE --head url:FILE, or compare the mocks with --mocks"
        )


def _length(plan: Profile, capacity: bool, rounds: int | None, time: str | None) -> list[str]:
    """Overrides that make the gate as long as it was asked for. Raises ConfigError."""
    if capacity and (rounds is not None or time is not None):
        raise ConfigError("--rounds and --time: --capacity searches, and has no rounds")
    return resized(plan, rounds, time)


def _rehearse(
    asked: AskedOfArms, limits: Thresholds, runs: Path, capacity: bool, as_json: bool
) -> NoReturn:
    """Raises ConfigError or RefusedError for what a gate would refuse, else typer.Exit."""
    if capacity:
        raise ConfigError("--dry-run: not of a search: what it will load is not known beforehand")
    plan = asked.profile
    _gate(plan, asked.written.name)
    preflight.check_safety(plan)
    sweep()
    with ExitStack() as arms:
        ready = [
            arms.enter_context(prepared(arm, what, settings, plan, asked.written))
            for arm, (what, settings) in asked.arms.items()
        ]
        base, head = (each.facts for each in ready)
        check_differ(base, head, allowed=asked.equal_allowed)
        facts = [f"{arm}: {_arm(each)}" for arm, each in ((BASE, base), (HEAD, head))]
        if ignored := only_ignored(base, head, plan):
            facts.append(
                f"nothing would be loaded: gate.ignore has all {len(ignored)} that changed"
            )
    answer_forecast(gate_forecast(plan, limits, runs, facts), as_json=as_json)


def _record(asked: AskedOfArms, limits: Thresholds, runs: Path, console: Screen) -> RunDir:
    plan = asked.profile
    gate = _gate(plan, asked.written.name)
    preflight.check_safety(plan)
    sweep()
    with ExitStack() as arms:
        ready = [
            (arm, arms.enter_context(prepared(arm, what, settings, plan, asked.written)))
            for arm, (what, settings) in asked.arms.items()
        ]
        base, head = (
            seeded(one, asked.seed, "both" if asked.same_draws else arm) for arm, one in ready
        )
        paired = _paired(asked, gate, base.facts, head.facts)
        settle_s = plan.recording.interval + SLOWEST_REQUEST_S
        order = Order(
            plan,
            open_arms(base, head, plan.target.access),
            overrides=asked.overrides,
            seed=asked.seed,
            paired=paired,
            labels=asked.labels,
            enough=EarlyLooks(gate, paired, settle_s, partial(decided_early, limits)).enough,
        )
        if paired.ignored:
            return unloaded(order, runs)
        console.print(_headline(plan, gate, paired), soft_wrap=not console.is_terminal)
        with LiveView(console, f"loadgate {plan.name}") as view:
            if doubt := _doubt(plan, gate):
                view.note(doubt)
            return record(order, runs, view)


def _paired(asked: AskedOfArms, gate: Gate, base: ArmFacts, head: ArmFacts) -> PairedRun:
    """Raises ConfigError for equal arms."""
    check_differ(base, head, allowed=asked.equal_allowed)
    commits, left = _commits(base, head, repository(asked.profile))
    return PairedRun(
        base=base,
        head=head,
        seed=asked.seed,
        head_first=balanced_order(LookPlan(gate.looks), asked.seed),
        same_draws=asked.same_draws,
        ignored=only_ignored(base, head, asked.profile),
        commits=tuple(commits),
        commits_left=left,
    )


def _commits(base: ArmFacts, head: ArmFacts, project: Path) -> tuple[list[str], int]:
    """What head has that base has not."""
    known = base.revision and head.revision
    if not known:
        return [], 0
    return git.commits_between(base.revision, head.revision, project=project)


def _gate(profile: Profile, path: str) -> Gate:
    """Its rounds and looks. Raises ConfigError for a profile that cannot be gated."""
    if profile.gate is None:
        raise ConfigError(f"{path}: no [gate] section, so it cannot be gated; try --profile gate")
    if profile.target.reached:
        raise ConfigError(f"{path}: name services by --base url:<file> and --head, not in [target]")
    if profile.faults:
        raise ConfigError(
            f"{path}: [[faults]] are for `loadgate run`: a gate compares arms as they are"
        )
    if profile.metrics.sources:
        raise ConfigError(
            f"{path}: [[metrics.sources]] are for `loadgate run`: a gate reads /metrics of each arm"
        )
    if profile.load.tells_services:
        raise ConfigError(
            f"{path}: phases that tell services are for `loadgate run`: a gate compares arms as "
            "they are"
        )
    if profile.load.model != "users":
        raise ConfigError(f"{path}: load.model = {profile.load.model!r}: a gate needs 'users'")
    return profile.gate


def _doubt(profile: Profile, gate: Gate) -> str:
    every_s, most_s = profile.sampling.interval, gate.slot / SAMPLES_PER_SLOT
    if every_s <= most_s:
        return ""
    return (
        f"CPU per request may stay unknown: sampling.interval = {every_s:g} s is more than "
        f"a quarter of gate.slot ({most_s:g} s)"
    )


def _headline(profile: Profile, gate: Gate, paired: PairedRun) -> Text:
    arms = " against ".join(_arm(facts) for facts in (paired.head, paired.base))
    equal = ", equal arms" if are_equal(paired.base, paired.head) else ""
    longest = format_duration(round(profile.load.duration_s))
    return styled(profile.name, "bold") + styled(
        f": {arms}{equal}; {' or '.join(map(str, gate.looks))} rounds of 2 x {gate.slot:g} s, "
        f"at most {longest}; seed {paired.seed}{', same draws' if paired.same_draws else ''}",
        "",
    )


def _arm(facts: ArmFacts) -> str:
    what = facts.what
    if facts.revision:
        what += f" ({facts.revision[:10]}{', changed' if facts.dirty else ''})"
    return " ".join([what, *facts.overrides])
