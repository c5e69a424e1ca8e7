"""Mutations of closed recordings: whatever becomes of a file, the judge neither lies nor falls.

`run(count, seed)` returns what went wrong, in words. A changed byte of a file that a verdict reads
is INVALID; a changed log, exemplar or derived file changes no verdict; nothing is a traceback.
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from analysis.judge import judge
from analysis.thresholds import load_thresholds
from recording.rundir import EVIDENCE, RunDir, list_runs
from tests.analysis.gate.paired_recordings import PairedRecording
from tests.analysis.recordings import Recording

LIMITS = load_thresholds(Path(__file__).parents[2] / "thresholds.toml")
DECIDES_NOTHING = ("exemplars.jsonl", "verdict.json", "report.md", "logs/locust.log")
NUMBERS = (b"nan", b"inf", b"1e309", b"-1", b"9" * 40, b"true", b"null", b'"x"', b"\xff", b"[]")
Bytes = Callable[[bytes, random.Random], bytes]
Place = Callable[[Path, Path], object]


def _flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randint(1, 9)) + data[at:]


def _number(data: bytes, rng: random.Random) -> bytes:
    """A number becomes none, or one that nothing measures."""
    starts = [i for i, byte in enumerate(data[:20_000]) if chr(byte).isdigit()]
    at = rng.choice(starts) if starts else 0
    return data[:at] + rng.choice(NUMBERS) + data[at + 1 :]


def _lines(data: bytes, rng: random.Random) -> bytes:
    """A line is left out, there twice, or another's neighbour."""
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines))
    other = rng.randrange(len(lines))
    kind = rng.randrange(3)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(other, lines[at])
    else:
        lines[at], lines[other] = lines[other], lines[at]
    return b"".join(lines)


BYTES: tuple[Bytes, ...] = (_flip, _cut, _insert, _number, _lines, lambda data, rng: b"")
PLACES: dict[str, Place] = {
    "gone": lambda path, other: path.unlink(),
    "a folder": lambda path, other: (path.unlink(), path.mkdir()),
    "a pipe": lambda path, other: (path.unlink(), os.mkfifo(path)),
    "a device": lambda path, other: (path.unlink(), path.symlink_to("/dev/zero")),
    "a link to itself": lambda path, other: (path.unlink(), path.symlink_to(path)),
    "another run's": lambda path, other: shutil.copy(other, path),
}


def run(count: int, seed: int) -> list[str]:
    """What went wrong in so many mutations; the same for the same seed."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="loadgate-mutations-") as folder:
        return list(_wrong(Path(folder), count, rng))


def _wrong(folder: Path, count: int, rng: random.Random) -> Iterator[str]:
    pairs = list(_recordings(folder / "kept"))
    sound = [judge(run, LIMITS).verdict.value for run, _ in pairs]
    for number in range(count):
        which = rng.randrange(len(pairs))
        kept, other = pairs[which]
        mutant = RunDir(folder / "runs" / f"m{number}")
        shutil.copytree(kept.root, mutant.root)
        name = rng.choice(_files(mutant))
        what = _mutate(mutant.root / name, other.root / name, rng)
        if what and (wrong := _judged_wrong(mutant, name, sound[which])):
            yield f"mutation {number}: {name} {what}: {wrong}"
        shutil.rmtree(mutant.root)


def _mutate(path: Path, other: Path, rng: random.Random) -> str:
    """What was done to the file; "" where it is as it was."""
    before = path.read_bytes()
    if rng.random() < 0.8 and before:
        change = rng.choice(BYTES)
        path.write_bytes(change(before, rng))
        return change.__name__ if path.read_bytes() != before else ""
    how = rng.choice(list(PLACES))
    if how == "another run's" and (not other.is_file() or other.read_bytes() == before):
        how = "gone"
    PLACES[how](path, other)
    return how


def _judged_wrong(run: RunDir, name: str, sound: str) -> str:
    try:
        verdict = judge(run, LIMITS)
        verdict.to_json()
        list_runs(run.root.parent)
    except Exception as error:  # noqa: BLE001 - which is what must not happen
        return f"{type(error).__name__}: {error}"
    expected = sound if name in DECIDES_NOTHING else "INVALID"
    return "" if verdict.verdict.value == expected else f"{verdict.verdict}, not {expected}"


def _files(run: RunDir) -> list[str]:
    names = ("manifest.json", *EVIDENCE, *DECIDES_NOTHING)
    return [name for name in names if (run.root / name).is_file()]


def _recordings(folder: Path) -> Iterator[tuple[RunDir, RunDir]]:
    """A recording of each kind, single and paired, and another one of the same kind."""
    single = (Recording().write(folder / "a"), Recording(rate=50.0).write(folder / "b"))
    paired = tuple(PairedRecording(rounds=n).write(folder / f"p{n}") for n in (16, 18))
    for run in (*single, *paired):
        run.logs.mkdir(exist_ok=True)
        for name in DECIDES_NOTHING[1:]:
            (run.root / name).write_text("{}\n")
    yield single
    yield paired[0], paired[1]
