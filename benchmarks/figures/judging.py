"""(e) Judging a 48-hour recording: seconds and peak memory, in a process of its own.

python -m benchmarks.figures.judging RUN     # what the child does: judge RUN, print JSON
"""

import json
import resource
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks.figures.child import PROJECT, ask
from benchmarks.figures.figure import Figure, Peer, at_most
from benchmarks.figures.long_recording import write_long_recording
from recording.profile_file import load_profile

PART = "e"
LIMIT_S = 10.0
LIMIT_MB = 500.0
_PEER_SAMPLE = 3000
_MB = 2.0**20


def measure(scratch: Path | None = None) -> list[Figure]:
    """The figures of part (e)."""
    with tempfile.TemporaryDirectory(prefix="loadgate-bench-", dir=scratch) as folder:
        profile = load_profile(PROJECT / "profiles" / "bf2025.toml")
        run = write_long_recording(Path(folder) / "48h", profile)
        size_mb = sum(f.stat().st_size for f in run.root.rglob("*") if f.is_file()) / _MB
        ours = ask("benchmarks.figures.judging", str(run.root))
        lines = run.latency.read_bytes().count(b"\nTag=")
        peer_s = _hdrhistogram_s(run.latency, lines)
    note = f"{ours['verdict']}; {lines} histograms, {size_mb:.0f} MB of files"
    seconds, peak_mb = ours["seconds"], ours["peak_mb"]
    peer = Peer("hdrhistogram decodes them, extrapolated", peer_s)
    return [
        Figure(PART, "judge 48 h", seconds, "s", **at_most(seconds, LIMIT_S, "s"), peer=peer,
               note=note),
        Figure(PART, "judge 48 h, CPU", ours["cpu_s"], "s"),
        Figure(PART, "judge 48 h, peak memory", peak_mb, "MB", **at_most(peak_mb, LIMIT_MB, "MB")),
    ]  # fmt: skip


def _hdrhistogram_s(log: Path, lines: int) -> float:
    """Seconds the hdrhistogram package takes to decode all lines, from a sample of them."""
    from hdrh.histogram import HdrHistogram

    with log.open("rb") as file:
        tagged = (line for line in file if line.startswith(b"Tag="))
        texts = [line.rstrip().rsplit(b",", 1)[1] for line in islice(tagged, _PEER_SAMPLE)]
    before_s = time.perf_counter()
    for text in texts:
        HdrHistogram.decode(text)
    return (time.perf_counter() - before_s) / len(texts) * lines


def _judge(path: Path) -> dict[str, object]:
    """Import and judge, as ``loadgate analyze`` does; peak memory is that of this process."""
    before_s = time.perf_counter()
    from analysis.judge import judge
    from analysis.limits.thresholds import load_thresholds
    from recording.rundir import open_run_dir

    verdict = judge(open_run_dir(path), load_thresholds(PROJECT / "thresholds.toml"))
    return {
        "seconds": time.perf_counter() - before_s,
        "cpu_s": time.process_time(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "verdict": verdict.verdict.value,
    }


if __name__ == "__main__":
    print(json.dumps(_judge(Path(sys.argv[1]))))
