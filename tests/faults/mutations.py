"""Mutations of recordings: whatever becomes of a file, the judge neither lies nor falls.

`run(count, seed)` returns what went wrong, in words. A changed byte of a file that a verdict reads
is INVALID in a closed recording; what was no PASS is none afterwards; a changed log, exemplar or
derived file changes no verdict; nothing is a traceback, whichever verb looks at it.

Examples::

    python -m tests.faults.mutations 5000          # this many
    python -m tests.faults.mutations 1 8 1234      # the one with number 1234 of seed 8
"""

import contextlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from analysis.judge import judge
from analysis.words.values import Outcome
from recording.exitcodes import ExitCode
from recording.rundir import RunDir
from tests.faults.in_process import loadgate
from tests.faults.mutants import BYTES, LOOP, PLACES, UNREADABLE
from tests.faults.mutated_bases import DECIDES_NOTHING, LIMITS, LIMITS_TOML, Base, bases, names_of

SEED = 8
PROCESSES = 2
VERB_EVERY = 12
"""Each so many mutations a verb looks at the recording, the next one every time."""
NOBODY = 65534


def run(count: int, seed: int = SEED, first: int = 0) -> list[str]:
    """What went wrong in so many mutations; the same for the same seed."""
    with tempfile.TemporaryDirectory(prefix="loadgate-mutations-") as folder:
        Path(folder).chmod(0o755)
        return list(_wrong(Path(folder), range(first, first + count), seed))


def run_in_parallel(count: int, seed: int = SEED) -> list[str]:
    """The same in two processes, started anew: a fork would lack the threads of polars."""
    part = count // PROCESSES
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        found = pool.map(partial(run, part, seed), range(0, part * PROCESSES, part))
        return [wrong for part in found for wrong in part]


def _wrong(folder: Path, numbers: range, seed: int) -> Iterator[str]:
    limits = folder / "limits.toml"
    limits.write_text(LIMITS_TOML)
    known = bases(folder / "kept")
    for number in numbers:
        rng = random.Random(f"{seed} {number}")
        base = rng.choices(known, [base.often for base in known])[0]
        mutant = RunDir(folder / "runs" / f"m{number}")
        shutil.copytree(base.run.root, mutant.root)
        name = rng.choice(names_of(mutant))
        what = _mutate(mutant.root / name, base.other.root / name, rng)
        if what and (wrong := _judged_wrong(base, mutant, name, what)):
            yield f"mutation {number}: {base.name}: {name} {what}: {wrong}"
        if what and not number % VERB_EVERY:
            yield from _shown_wrong(base, mutant, limits, number // VERB_EVERY)
        _remove(mutant.root)


def _mutate(path: Path, other: Path, rng: random.Random) -> str:
    """What was done to the file; "" where it is as it was."""
    before = path.read_bytes() if path.is_file() else b""
    if before and rng.random() < 0.8:
        change = rng.choice(BYTES)
        path.write_bytes(change(before, rng))
        return change.__name__ if path.read_bytes() != before else ""
    was_there = path.exists()
    how = rng.choice(list(PLACES))
    if how == "another run's" and (not other.is_file() or other.read_bytes() == before):
        return ""
    PLACES[how](path, other)
    is_there = path.exists() or how == LOOP
    return how if was_there or is_there else ""


def _judged_wrong(base: Base, run: RunDir, name: str, what: str) -> str:
    try:
        with as_nobody() if what == UNREADABLE else contextlib.nullcontext():
            verdict = judge(run, LIMITS)
        verdict.to_json()
    except Exception as error:  # noqa: BLE001 - which is what must not happen
        return f"{type(error).__name__}: {error}"
    said = verdict.verdict
    if name in DECIDES_NOTHING:
        return "" if said == base.sound else f"{said}, not {base.sound}"
    if base.closed and said is not Outcome.INVALID:
        return f"{said}, not INVALID"
    return f"{said}, was {base.sound}" if said is Outcome.PASS is not base.sound else ""


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Root reads everything."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(mine)


def _shown_wrong(base: Base, run: RunDir, limits: Path, number: int) -> Iterator[str]:
    """Each verb in its turn: no internal error, and no success for what is none."""
    words = _verbs(base, run)[number % len(_verbs(base, run))]
    if words[0] != "runs":
        words = (*words, "--thresholds", str(limits))
    seen = loadgate(*words)
    if seen.exit_code == ExitCode.INTERNAL_ERROR or "internal error" in seen.text:
        yield f"loadgate {' '.join(words)}: {seen.text[-600:]}"
    elif words[0] in ("analyze", "compare") and seen.exit_code == 0 and base.sound != "PASS":
        yield f"loadgate {' '.join(words)}: success of a recording that is {base.sound}"
    elif words[0] in ("runs", "report") and seen.exit_code not in (0, ExitCode.USAGE_ERROR):
        yield f"loadgate {' '.join(words)}: exit {seen.exit_code}"


def _verbs(base: Base, run: RunDir) -> tuple[tuple[str, ...], ...]:
    where, sound = str(run.root), str(base.run.root)
    kept = str(run.root.parent.parent / "baselines")
    return (
        ("analyze", where), ("analyze", where, "--json"), ("report", where),
        ("compare", where, "--baselines", kept), ("compare", sound, where),
        ("baseline", "add", where, "--baselines", kept), ("runs", "--runs", str(run.root.parent)),
    )  # fmt: skip


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def main(words: list[str]) -> int:
    """0 where nothing went wrong."""
    count, seed, first = (int(word) for word in (*words, "300", str(SEED), "0")[:3])
    wrong = run(count, seed, first)
    sys.stdout.write("\n".join([*wrong, f"{count} mutations: {len(wrong)} wrong", ""]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
