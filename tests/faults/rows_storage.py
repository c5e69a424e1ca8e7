"""Storing, showing and damage: what becomes of a recording and of the screen (points 9 to 12)."""

import json
import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from recording.closing import close_run
from recording.files import read_regular
from recording.manifest import read_manifest
from recording.rundir import EVIDENCE, RunDir
from tests.analysis.recordings import SMALL, Recording
from tests.faults.fault import ROOT, Fault, Seen, environment, judged
from tests.faults.in_process import loadgate
from tests.faults.mutated_bases import DECIDES_NOTHING, KINDS, LIMITS, LIMITS_TOML
from tests.faults.mutations import as_nobody
from tests.faults.terminals import closed_terminal
from tests.recording.test_closing import SPOIL, killed_shop
from tests.recording.test_files import DAMAGED_ORDERS
from tests.recording.test_manifest import UNKNOWN

VERBS: dict[str, tuple[str, ...]] = {
    "analyze": ("analyze", "RUN"),
    "analyze --json": ("analyze", "RUN", "--json"),
    "report": ("report", "RUN"),
    "runs": ("runs", "--runs", "RUNS"),
    "compare": ("compare", "OTHER", "RUN"),
}
CODES = {"analyze": 3, "analyze --json": 3, "report": 0, "runs": 0, "compare": 5}
"""Of a recording that FAILs."""
SCREENS = {
    "a reader that leaves": "| head -1 > /dev/null",
    "a full disk": "> /dev/full",
    "everything closed": "<&- >&- 2>&-",
    "errors on a full disk": "2> /dev/full",
    "ASCII only": "> /dev/null",
}
EDITED = ("latency.hlog", "load.csv", "resources.csv", "events.jsonl", "ledger/confirmed.csv")
WRITTEN = (*EDITED, "ledger/orders.sqlite")


def small(folder: Path, kind: str = "FAIL", **more: Any) -> RunDir:
    """A small recording of one outcome, and the limits that it is judged by."""
    (folder / "limits.toml").write_text(LIMITS_TOML)
    run = Recording(**{**SMALL, **KINDS[kind], **more}).write(folder / "runs" / "run")
    run.logs.mkdir(exist_ok=True)
    return run


def words_of(verb: str, run: RunDir) -> list[str]:
    """The command line, by the limits of the recording where the verb takes some."""
    where = {"RUN": str(run.root), "RUNS": str(run.root.parent)}
    if "OTHER" in VERBS[verb]:
        other = Recording(**{**SMALL, **KINDS["PASS"]}).write(run.root.parent.with_name("other"))
        where["OTHER"] = str(other.root)
    words = [where.get(word, word) for word in VERBS[verb]]
    limits = run.root.parent.parent / "limits.toml"
    return words if words[0] == "runs" else [*words, "--thresholds", str(limits)]


def in_a_shell(folder: Path, verb: str, screen: str, **env: str) -> Seen:
    """A verb on a FAIL, with something done to what it prints; what was stored is its text."""
    run = small(folder)
    line = shlex.join([sys.executable, "-m", "harness.cli", *words_of(verb, run)])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line} {screen}"], cwd=ROOT, env=environment(env),
        capture_output=True, text=True, errors="replace", timeout=60, check=False,
    )  # fmt: skip
    return stored(run, done.returncode, done.stdout + done.stderr)


def stored(run: RunDir, exit_code: int, said: str = "") -> Seen:
    """What is on disk afterwards."""
    found = [path.name for path in (run.verdict, run.report) if path.exists()]
    kept = str(json.loads(read_regular(run.verdict))["verdict"]) if run.verdict.exists() else ""
    return Seen(exit_code, f"{said}\nstored: {', '.join(found)}", kept)


def shown() -> Iterator[Fault]:
    """Whatever becomes of the screen, the verdict is on disk and the exit code is its own."""
    for verb in VERBS:
        keeps = "stored: verdict.json, report.md" if verb.startswith(("an", "rep")) else "stored: $"
        for name, screen in SCREENS.items():
            env = {"PYTHONIOENCODING": "ascii", "LANG": "C"} if name == "ASCII only" else {}
            yield Fault(
                f"{verb}: {name}", 10, f"{verb} {screen}".replace("&-", ""),
                partial(in_a_shell, verb=verb, screen=screen, **env),
                exit_code=CODES[verb], says=keeps, fast=False,
            )  # fmt: skip
        yield Fault(
            f"{verb}: a closed terminal", 10, "the master side of its pty is closed at once",
            partial(on_a_closed_terminal, verb=verb),
            exit_code=CODES[verb], says=keeps, fast=False,
        )  # fmt: skip


def on_a_closed_terminal(folder: Path, verb: str) -> Seen:
    """A verb whose terminal is gone before it prints."""
    run = small(folder)
    words = [sys.executable, "-m", "harness.cli", *words_of(verb, run)]
    return stored(run, closed_terminal(words, ROOT, environment()))


def spoilt(folder: Path, name: str, how: str) -> Seen:
    """A closed recording that PASSes, and one of its files is not what it was."""
    run = small(folder, "PASS")
    SPOIL[how][0](run.root / name)
    return judged(run, LIMITS)


def damage() -> Iterator[Fault]:
    """Each file a verdict reads, and everything that may stand in its place."""
    for name in (*WRITTEN, "manifest.json"):
        for how in SPOIL:
            yield Fault(
                f"{name}: {how}", 12, "in a closed recording that PASSes",
                partial(spoilt, name=name, how=how), verdict="INVALID", exit_code=4,
                says=Path(name).name, fast=how in ("a pipe", "cut in half"), limit_s=20,
            )  # fmt: skip
    for name in sorted(set(EVIDENCE) - set(WRITTEN) - {"exemplars.jsonl"}):
        yield Fault(
            f"{name}: came later", 12, "a file of another run beside the sound ones",
            partial(with_file, name=name), verdict="INVALID", exit_code=4,
            says="was not there when the run was closed", fast=False, limit_s=20,
        )  # fmt: skip
    for name in DECIDES_NOTHING:
        yield Fault(
            f"{name}: changed", 12, "a file that decides nothing",
            partial(with_file, name=name), verdict="PASS", exit_code=0, fast=False, limit_s=20,
        )  # fmt: skip


def with_file(folder: Path, name: str) -> Seen:
    """The file holds what nobody recorded."""
    run = small(folder, "PASS")
    (run.root / name).write_bytes(b"\xff\0nan\n")
    return judged(run, LIMITS)


def as_format_1(run: RunDir) -> None:
    """Rewrite the manifest as the code before digests did."""
    table = json.loads(read_regular(run.manifest))
    del table["digest"], table["files"]
    run.manifest.write_text(json.dumps(table | {"format": 1}))


def edited(folder: Path, name: str) -> Seen:
    """A recording without digests that lost the second half of a file."""
    run = small(folder, "PASS")
    as_format_1(run)
    path = run.root / name
    os.truncate(path, path.stat().st_size // 2)
    return judged(run, LIMITS)


def order_line(folder: Path, line: bytes) -> Seen:
    """A line that is no order in an otherwise sound recording of format 1."""
    run = small(folder, "PASS")
    as_format_1(run)
    with run.confirmed.open("ab") as file:
        file.write(line)
    return judged(run, LIMITS)


def formats() -> Iterator[Fault]:
    """What a manifest says of its format, and what counts and not digests can find."""
    for said in UNKNOWN:
        yield Fault(
            f"manifest format {said!r}", 9, "manifest.json", partial(of_format, said=said),
            verdict="INVALID", exit_code=4, says="this loadgate reads 1, 2, 3 and 4", limit_s=20,
            fast=said in (99, 0, -3),
        )  # fmt: skip
    yield Fault(
        "manifest without a format", 9, "manifest.json", of_format, verdict="INVALID",
        exit_code=4, says="format missing", fast=False, limit_s=20,
    )  # fmt: skip
    yield Fault(
        "manifest of format 1", 9, "digests left out", of_format_1, verdict="PASS", exit_code=0,
        says="recorded in format 1: it does not say", limit_s=20,
    )  # fmt: skip
    for name in EDITED:
        yield Fault(
            f"{name} of format 1: cut in half", 12, "no digests, but counts", fast=False,
            do=partial(edited, name=name), verdict="INVALID", exit_code=4, limit_s=20,
        )  # fmt: skip
    for line in DAMAGED_ORDERS:
        yield Fault(
            f"confirmed.csv of format 1: {line!r}", 12, "a line that is no order", fast=False,
            do=partial(order_line, line=line), verdict="INVALID", exit_code=4, limit_s=20,
        )  # fmt: skip


NOTHING = object()


def of_format(folder: Path, said: Any = NOTHING) -> Seen:
    """A sound recording whose manifest says so."""
    run = small(folder, "PASS")
    table = json.loads(read_regular(run.manifest))
    del table["format"], table["digest"]
    run.manifest.write_text(json.dumps(table | ({} if said is NOTHING else {"format": said})))
    return judged(run, LIMITS)


def of_format_1(folder: Path) -> Seen:
    """As it was recorded before there were digests."""
    run = small(folder, "PASS")
    as_format_1(run)
    return judged(run, LIMITS)


def unstorable(folder: Path, name: str) -> Seen:
    """A folder has the name of what is to be stored."""
    run = small(folder)
    (run.root / name).mkdir()
    return loadgate(*words_of("analyze", run))


def order_ids(folder: Path, order: str) -> Seen:
    """Both sides know an order by an id that CSV would quote."""
    orders = ("ord-1", order)
    return judged(small(folder, "PASS", orders=orders, ledger=((2.0, "ord-1"), (3.0, order))),
                  LIMITS)  # fmt: skip


def killed_writer(folder: Path) -> Seen:
    """The last order is only in the log beside the ledger, which may not be written."""
    run = small(folder, "PASS", orders=("ord-1",), ledger=None)
    killed_shop(run.orders)
    close_run(run, read_manifest(run.manifest))
    before = {path.name: read_regular(path) for path in run.ledger.iterdir()}
    seen = judged(run, LIMITS)
    after = {path.name: read_regular(path) for path in run.ledger.iterdir()}
    return Seen(seen.exit_code, f"evidence {'as it was' if after == before else 'changed'}",
                seen.verdict)  # fmt: skip


def as_another_user(folder: Path) -> Seen:
    """Whoever judges may read the recording and not write to it."""
    folder.chmod(0o755)
    run = small(folder)
    words = words_of("analyze --json", run)
    ours = loadgate(*words)
    for path in (run.verdict, run.report):
        path.unlink()
    run.root.chmod(0o555)
    with as_nobody():
        theirs = loadgate(*words)
    same = "the same bytes" if ours.text in theirs.text else "other bytes"
    return Seen(theirs.exit_code, f"{theirs.text}\n{same}")


def of_a_spoilt_one(folder: Path, words: tuple[str, ...], how: str) -> Seen:
    """A verb that keeps or compares, on a recording whose histograms are not what they were."""
    run = small(folder, "PASS")
    SPOIL[how][0](run.latency)
    limits = str(folder / "limits.toml")
    return loadgate(*words, str(run.root), "--baselines", str(folder), "--thresholds", limits)


def refused() -> Iterator[Fault]:
    """What is no evidence is none to compare with."""
    for how in SPOIL:
        for words in (("compare",), ("baseline", "add")):
            yield Fault(
                f"{' '.join(words)}: latency.hlog {how}", 12, "in a closed recording",
                partial(of_a_spoilt_one, words=words, how=how), exit_code=4,
                says="INVALID, no evidence to compare", fast=False, limit_s=20,
            )  # fmt: skip


def evidence() -> Iterator[Fault]:
    """Judging changes nothing, and what it cannot store is a warning."""
    for name in ("verdict.json", "report.md"):
        yield Fault(
            f"{name} cannot be stored", 11, "a folder has its name",
            partial(unstorable, name=name), exit_code=3, says=f"{name} could not be stored",
            limit_s=20,
        )  # fmt: skip
    yield Fault(
        "another user's recording", 11, "may be read and not written", as_another_user,
        exit_code=3, says="could not be stored: Permission denied.*the same bytes", limit_s=20,
    )  # fmt: skip
    yield Fault(
        "a killed shop's ledger", 11, "its last order is in orders.sqlite-wal", killed_writer,
        verdict="PASS", exit_code=0, says="evidence as it was", limit_s=20,
    )  # fmt: skip
    yield Fault(
        "a ledger of another program", 12, "a sound SQLite file without orders", strange_ledger,
        verdict="INVALID", exit_code=4, limit_s=20,
    )  # fmt: skip
    for order in ('ord,"2"', "ord\n2", "ord'; DROP", "ör-2", " ord-2 ", "=1+1", "x" * 10_000):
        yield Fault(
            f"order id {order[:12]!r}", 16, "confirmed by the client, and in the ledger",
            partial(order_ids, order=order), verdict="PASS", exit_code=0, fast=False, limit_s=20,
        )  # fmt: skip


def strange_ledger(folder: Path) -> Seen:
    """It replaced the shop's before the run was closed."""
    run = small(folder, "PASS", ledger=None)
    with sqlite3.connect(run.orders) as connection:
        connection.execute("CREATE TABLE bookmarks(id TEXT)")
    connection.close()
    close_run(run, read_manifest(run.manifest))
    return judged(run, LIMITS)


ELSE: dict[str, Callable[[Path], object]] = {
    "no manifest but a pipe": lambda root: (root.mkdir(), os.mkfifo(root / "manifest.json")),
    "a link to itself": lambda root: root.symlink_to(root),
    "a file": lambda root: root.write_bytes(b"x"),
    "a manifest that links to itself": lambda root: (
        root.mkdir(), (root / "manifest.json").symlink_to("manifest.json"),
    ),
    "a manifest of a terabyte": lambda root: (
        root.mkdir(), (root / "manifest.json").touch(),
        os.truncate(root / "manifest.json", 2**40),
    ),
}  # fmt: skip


def beside(folder: Path, make: Callable[[Path], object]) -> Seen:
    """`runs` of a folder with a sound recording and something else."""
    run = small(folder)
    make(run.root.with_name("zzz"))
    began_s = time.monotonic()
    seen = loadgate("runs", "--runs", str(run.root.parent), "--json")
    listed = f"{Path(str(run.root)).name}" in seen.text and time.monotonic() - began_s < 10
    return Seen(seen.exit_code, f"{seen.text}\n{'sound one listed' if listed else ''}")


def neighbours() -> Iterator[Fault]:
    """One bad run hides no other."""
    for name, make in ELSE.items():
        yield Fault(
            f"runs: beside {name}", 12, "loadgate runs", partial(beside, make=make),
            exit_code=0, says="sound one listed", fast=False, limit_s=20,
        )  # fmt: skip


def of_another(folder: Path, name: str) -> Seen:
    """Whole and sound, but another run's."""
    run = small(folder, "PASS")
    other = Recording(**SMALL, rate=90.0, orders=("o-8", "o-9"), cpu={"locust": 0.4}).write(
        folder / "other"
    )
    shutil.copy(other.root / name, run.root / name)
    return judged(run, LIMITS)


FOREIGN = [
    Fault(
        f"{name} of another run", 12, "copied over this one's", partial(of_another, name=name),
        verdict="INVALID", exit_code=4, says=Path(name).name, fast=False, limit_s=20,
    )
    for name in ("latency.hlog", "load.csv", "events.jsonl", "ledger/confirmed.csv")
]  # fmt: skip
ROWS = (*shown(), *damage(), *formats(), *evidence(), *refused(), *neighbours(), *FOREIGN)
