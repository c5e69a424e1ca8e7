"""(e) Judging a 48-hour recording: seconds and peak memory, in a process of its own; its page.

python -m benchmarks.figures.judging RUN     # what the child does: judge RUN, print JSON
"""

import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures.child import PROJECT, ask
from benchmarks.figures.figure import Figure, Peer, at_most
from benchmarks.figures.long_recording import write_long_recording
from recording.profile_file import load_profile

if TYPE_CHECKING:
    from analysis.judge import Judgement
    from analysis.limits.thresholds import Thresholds
    from recording.rundir import RunDir

PART = "e"
LIMIT_S = 10.0
LIMIT_MB = 500.0
PAGE_LIMIT_S, PAGE_LIMIT_MB, DRAWN_LIMIT_S = 5.0, 1.5, 1.5
_PEER_SAMPLE = 3000
_MB = 2.0**20


def measure(scratch: Path | None = None) -> list[Figure]:
    """The figures of part (e)."""
    with tempfile.TemporaryDirectory(prefix="loadgate-bench-", dir=scratch) as folder:
        profile = load_profile(PROJECT / "profiles" / "bf2025.toml")
        run = write_long_recording(Path(folder) / "48h", profile)
        size_mb = sum(f.stat().st_size for f in run.root.rglob("*") if f.is_file()) / _MB
        ours = ask("benchmarks.figures.judging", str(run.root))
        drawn_s = _drawn_s(run.page)
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
        *_of_page(ours["page_s"], ours["page_mb"], drawn_s),
    ]  # fmt: skip


def _of_page(
    made_s: float, size_mb: float, drawn_s: tuple[float, float] | None
) -> Iterator[Figure]:
    """report.html beyond judging, and how soon a browser has drawn what is in sight, and all."""
    yield Figure(PART, "its page", made_s, "s", **at_most(made_s, PAGE_LIMIT_S, "s"))
    yield Figure(PART, "its page, size", size_mb, "MB", **at_most(size_mb, PAGE_LIMIT_MB, "MB"))
    if drawn_s is not None:
        in_sight_s, all_s = drawn_s
        limit = at_most(in_sight_s, DRAWN_LIMIT_S, "s")
        note = f"charts out of sight as well: {all_s:.1f} s"
        yield Figure(PART, "its page, drawn in Chromium", in_sight_s, "s", **limit, note=note)


def _drawn_s(page: Path) -> tuple[float, float] | None:
    """Until what is in sight is drawn, and all, since it was opened; None without Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.goto(page.as_uri())
        opened.wait_for_selector("html[data-complete]", state="attached")
        names = ("data-drawn", "data-complete")
        in_sight, whole = (float(opened.get_attribute("html", name) or "nan") for name in names)
        browser.close()
    return in_sight / 1000, whole / 1000


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
    from analysis.judge import judged
    from analysis.limits.thresholds import load_thresholds
    from recording.rundir import open_run_dir

    run, limits = open_run_dir(path), load_thresholds(PROJECT / "thresholds.toml")
    found = judged(run, limits)
    answer: dict[str, object] = {
        "seconds": time.perf_counter() - before_s,
        "cpu_s": time.process_time(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "verdict": found.verdict.verdict.value,
    }
    return answer | _paged(run, found, limits)


def _paged(run: "RunDir", found: "Judgement", limits: "Thresholds") -> dict[str, object]:
    from analysis.html.page import html
    from analysis.pictures.illustrated import illustrated
    from analysis.report.single import run_document

    before_s = time.perf_counter()
    document = run_document(found.verdict)
    run.page.write_bytes(html(illustrated(document, found.verdict, found.evidence, limits)))
    return {
        "page_s": time.perf_counter() - before_s,
        "page_mb": run.page.stat().st_size / 1e6,
    }


if __name__ == "__main__":
    print(json.dumps(_judge(Path(sys.argv[1]))))
