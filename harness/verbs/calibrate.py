"""Run gates whose right answer is known, on this host, and count how often the gate is wrong.

A/A gates compare this tree with itself: every FAIL is a false alarm. A/B gates slow one step of
head down (the seven take turns): `p99=+20%` is its tail (p95, p99 and max; nothing below the
median moves), `all=+20%` all its requests. Each is a `loadgate gate` of some minutes. Simulated
gates, on hosts that drift, step and jitter, are counted beside them. Results are kept per host
class as each gate ends: Ctrl-C loses nothing and the next call adds to them.

Exit code 0 when all gates were run, 5 when stopped early.

Examples:

- `loadgate calibrate --aa 30 --inject p99=+10%,+20%`  (90 real gates: hours)
- `loadgate calibrate --aa 10 --same-draws`  (for changes of code)
- `loadgate calibrate --aa 10 --inject p99=+20% --gates 7`
- `loadgate calibrate --simulate 100 --inject p99=+20%`  (no load)
- `loadgate calibrate`  (only print what is known of this host)
- `loadgate calibrate --aa 5 --gate "loadgate gate --base . --head ."`
"""

import hashlib
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from analysis.calibration.injection import Slowdown, parse_slowdowns
from analysis.calibration.record import (
    Calibration,
    Draws,
    GateRecord,
    calibration_file,
    last_calibration,
    read_records,
)
from analysis.evidence.host import host_class
from analysis.limits.regression import GateSettings, RegressionSettings
from analysis.report.calibrated import calibration_document
from analysis.words.units import counted
from analysis.words.values import Outcome
from harness import options
from harness.run.calibrate import Planned, Series, plan, run_gate, simulate_gates
from harness.scene.inject import latencies_in_force, overrides
from harness.scene.seeds import derived, drawn
from harness.screen.plain import Screen
from harness.screen.terminal import answer
from harness.system import git
from harness.system.host import host_facts
from harness.system.paths import COMMAND, find_profile
from recording.errors import ConfigError, StorageError
from recording.exitcodes import ExitCode
from recording.flow import STEPS
from recording.given_files import check_folder
from recording.jsonl import JsonLinesWriter
from recording.profile_file import read_toml

SIMULATED = 100
"""Simulated gates of each kind, when nobody says otherwise: about ten seconds."""
SIMULATED_PER_LINE = 50


Aa = Annotated[int, typer.Option("--aa", min=0, metavar="N", help="Real A/A gates.")]
Inject = Annotated[
    list[str] | None,
    typer.Option("--inject", metavar="WHAT=+X%", help="Slow-downs of head; repeatable."),
]
Gates = Annotated[
    int | None,
    typer.Option("--gates", min=0, metavar="N", help="A/B gates per slow-down [as --aa]."),
]
Simulate = Annotated[
    int | None,
    typer.Option(
        "--simulate",
        min=0,
        metavar="N",
        help=f"Simulated gates of each kind [{SIMULATED} in all, before the first real ones].",
    ),
]
Command = Annotated[str, typer.Option("--gate", metavar="COMMAND", help="How one gate is run.")]
ProfileName = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="The gate's; its latencies are slowed.")
]
Folder = Annotated[Path, typer.Option("--folder", metavar="DIR", help="Where results are kept.")]


def calibrate(
    aa: Aa = 0,
    inject: Inject = None,
    gates: Gates = None,
    simulate: Simulate = None,
    gate: Command = "loadgate gate --base . --head . --profile {profile}",
    profile: ProfileName = "gate",
    folder: Folder = options.CALIBRATIONS,
    seed: options.Seed = None,
    same_draws: options.SameDraws = False,
    as_json: options.Json = False,
) -> None:
    """Run, keep, print."""
    slowdowns = _slowdowns(inject or (), aa=aa, gates=gates, simulate=simulate)
    check_folder(folder, "--folder")
    words = _words(gate, profile)
    console, path = Screen(stderr=as_json), _file(folder)
    settings = options.read_limits().gate
    draws: Draws = "same" if same_draws else "independent"
    series = _series(path, gate, find_profile(profile), settings, drawn(seed), draws)
    done = [record for record in read_records(path)[0] if record.setup == series.setup]
    real = [record for record in done if record.kind == "real"]
    ahead = plan(aa, slowdowns, aa if gates is None else gates, real, series.seed)
    kinds = list(_kinds(slowdowns, done, simulate, SIMULATED if ahead else 0))
    stopped = False
    try:
        _simulate(console, series, kinds, settings.latency)
        log = path.with_suffix(".log")
        if ahead:
            text = f"{counted(len(ahead), 'gate')} of some minutes each; what they print: {log}"
            console.print(text, soft_wrap=True)
        one = partial(run_gate, words, log, series)
        seeds = (derived(series.seed, "gate", str(number)) for number in count(len(real)))
        _run(console, one, ahead, seeds, find_profile(profile))
    except KeyboardInterrupt:
        stopped = True
        console.print("stopped; what ended before is kept")
    found = last_calibration(folder, path.stem)
    answer(calibration_document(found, path), found and _facts(found), as_json=as_json)
    raise typer.Exit(int(ExitCode.INCONCLUSIVE if stopped else ExitCode.PASS))


def _slowdowns(
    inject: Sequence[str], *, aa: int, gates: int | None, simulate: int | None
) -> list[Slowdown]:
    """Raises ConfigError for gates of none, and for slow-downs of no gate."""
    slowdowns = [found for text in inject for found in parse_slowdowns(text)]
    if gates and not slowdowns:
        raise ConfigError("--gates counts A/B gates: say how head is slowed, --inject p99=+20%")
    if slowdowns and not (aa or gates or simulate):
        raise ConfigError("--inject: say of how many gates head is slowed, --gates 7")
    return slowdowns


def _facts(found: Calibration) -> dict[str, Any]:
    """For JSON."""
    return {
        "host_class": found.host_class,
        "text": found.text(),
        "setup": found.setup,
        "draws": found.draws,
        "last_utc": found.last_utc,
        "rows": [row.table() for row in found.rows],
        "left_out": found.left_out,
        "unreadable": found.unreadable,
    }


def _file(folder: Path) -> Path:
    check_folder(folder, "--folder")
    here = host_class(host_facts())
    if not here.known:
        raise ConfigError("this host does not say what it is (processor, cores, memory, kernel)")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be created: {error.strerror}") from error
    return calibration_file(folder, here.name)


def _series(
    path: Path, gate: str, profile: Path, settings: GateSettings, seed: int, draws: Draws
) -> Series:
    """What the gates of this call share; gates count together while their setup is the same."""
    told = (gate, read_toml(profile), repr(settings), draws)
    setup = hashlib.sha256(orjson.dumps(told, default=str, option=orjson.OPT_SORT_KEYS))
    here = git.facts()
    revision = str(here.get("revision", ""))[:10] + ("+" if here.get("dirty") else "")
    return Series(path.stem, setup.hexdigest()[:12], revision, seed, draws, partial(_keep, path))


def _keep(path: Path, record: GateRecord) -> None:
    try:
        with JsonLinesWriter(path) as records:
            records.write(record.model_dump(mode="json"))
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


_Kind = tuple[Planned, int, int]
"""Simulated gates of one kind: how many were kept before, and how many are to come."""


def _kinds(
    slowdowns: Sequence[Slowdown], done: Sequence[GateRecord], asked: int | None, least: int
) -> Iterator[_Kind]:
    """As many of each kind as were asked for, or else those that are missing to the least."""
    for planned in (Planned(), *(Planned(slowdown, STEPS[0]) for slowdown in slowdowns)):
        kept = sum(r.kind == "simulated" and r.injection == planned.injection for r in done)
        yield planned, kept, max(0, least - kept) if asked is None else asked


def _simulate(
    console: Screen, series: Series, kinds: Sequence[_Kind], settings: RegressionSettings
) -> None:
    """Only their table is worth a look."""
    total = sum(ahead for _, _, ahead in kinds)
    records = (simulate_gates(series, each, ahead, kept, settings) for each, kept, ahead in kinds)
    for number, _ in enumerate(chain.from_iterable(records), start=1):
        if number % SIMULATED_PER_LINE == 0 or number == total:
            console.print(f"{number} of {counted(total, 'gate')} simulated")


def _run(
    console: Screen,
    one: Callable[[Planned, list[str], int], GateRecord],
    ahead: Sequence[Planned],
    seeds: Iterator[int],
    profile: Path,
) -> None:
    """Real gates; a line for each as it ends."""
    in_force = latencies_in_force(profile)
    for number, (each, seed) in enumerate(zip(ahead, seeds, strict=False), start=1):
        slower = overrides(each.step, each.slowdown, in_force) if each.slowdown else []
        record = one(each, slower, seed)
        what = f"{record.injection} on {record.endpoint}" if record.injection else "A/A"
        named = f" naming {', '.join(record.blamed)}" if record.blamed else ""
        line = f"{what}: {record.verdict}{named}, {record.wall_s:.1f} s"
        if record.verdict in (Outcome.INVALID, Outcome.INCONCLUSIVE) and record.summary:
            line += f": {record.summary}"
        console.print(f"gate {number} of {len(ahead)}  {line}", soft_wrap=True)


def _words(gate: str, profile: str) -> list[str]:
    """`loadgate` is this very installation, wherever the shell would find another.

    Raises ConfigError for what cannot be a gate's command.
    """
    try:
        words = [word.replace("{profile}", profile) for word in shlex.split(gate)]
    except ValueError as error:
        raise ConfigError(f"--gate {gate}: {error}") from None
    if not words or (words[0] == "loadgate" and words[1:2] != ["gate"]):
        raise ConfigError(f"--gate {gate!r}: write `loadgate gate ...`, or a command like it")
    if words[0] != "loadgate" and shutil.which(words[0]) is None:
        raise ConfigError(f"--gate {gate}: no command {words[0]!r} is found here")
    if words[0] != "loadgate":
        return words
    return [sys.executable, str(COMMAND), *words[1:], "--allow-equal"]  # A/A on purpose
