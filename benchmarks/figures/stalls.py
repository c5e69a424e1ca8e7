"""(g) Coordinated omission: the p99 of a shop that stands still for a second every twenty.

A tool that waits with its next request for the last answer sees one request a stall in place of
all that were due (G. Tene, "How NOT to Measure Latency", 2015). The truth is the shop's own: when
each request came, and when it was answered.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.evidence.requests import judged_kind, samples
from benchmarks.figures.child import PROJECT
from benchmarks.figures.figure import Figure, Peer
from benchmarks.figures.k6 import install
from benchmarks.figures.load_run import run_profile
from benchmarks.figures.wiremock import UnavailableError

PART = "g"
SECONDS = 60
RATE_PER_S, MOST_USERS = 100, 400
USERS, THINK_MS = 50, 500
TOLERANCE = 0.05
K6_SCRIPT = Path(__file__).with_name("k6_stalls.js")
SCENARIO = """
from loadgate_scenario import Request, Scenario, Service, Step

SCENARIO = Scenario(
    services=(Service("shop"),), steps=(Step("page", "GET", Request("/")),)
)
"""
_LOAD = {
    "arrivals": f"""
model = "arrivals"
arrivals = "uniform"
max_concurrent = {MOST_USERS}
phases = [
    {{ name = "start", duration = "2s", arrivals_per_s = {RATE_PER_S} }},
    {{ name = "steady", duration = "{SECONDS}s", arrivals_per_s = {RATE_PER_S}, measured = true }},
]
""",
    "users": f"""
phases = [
    {{ name = "start", duration = "2s", users = {USERS} }},
    {{ name = "steady", duration = "{SECONDS}s", users = {USERS}, measured = true }},
]
""",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop and what it knows of its requests."""

    url: str
    log: Path

    def p99_ms(self, start_s: float, end_s: float) -> float:
        """Of the requests that came in between, Unix times."""
        came_s, took_s = np.loadtxt(self.log, ndmin=2).T
        inside = (came_s >= start_s) & (came_s < end_s)
        return float(np.quantile(took_s[inside], 0.99, method="inverted_cdf")) * 1000


@contextmanager
def shop(folder: Path) -> Iterator[Shop]:
    """One that is up, and gone afterwards."""
    log = folder / "shop.log"
    command = [sys.executable, "-m", "benchmarks.figures.stalling_server", str(log)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Shop(f"http://127.0.0.1:{int(process.stdout.readline())}", log)
        finally:
            process.kill()


def measure(scratch: Path | None = None) -> list[Figure]:
    """The figures of part (g)."""
    with tempfile.TemporaryDirectory(prefix="loadgate-bench-", dir=scratch) as name:
        return [_figure(model, Path(name)) for model in _LOAD]


def _figure(model: str, scratch: Path) -> Figure:
    """How far our p99 is from the shop's, and k6's."""
    folder = scratch / model
    folder.mkdir()
    with shop(folder) as one:
        ours_ms, truth_ms = _ours(model, one, folder)
        peer = _theirs(model, one, folder)
    error = ours_ms / truth_ms - 1
    wanted, holds = f"± {100 * TOLERANCE:g} %", abs(error) <= TOLERANCE
    note = f"p99 {ours_ms:.0f} ms, the shop's own {truth_ms:.0f} ms"
    return Figure(PART, f"p99 with stalls, {model}", 100 * error, "%", wanted, holds, peer, note)


def _ours(model: str, one: Shop, folder: Path) -> tuple[float, float]:
    """Ours and the truth, ms."""
    (folder / "stalls.py").write_text(SCENARIO)
    profile = folder / "stalls.toml"
    think = f'[journey]\nthink = {{ min = "{THINK_MS}ms", max = "{THINK_MS}ms" }}\n'
    where = f'[scenario]\nmodule = "stalls.py"\n[target.urls]\nshop = "{one.url}"\n'
    profile.write_text(f"[load]{_LOAD[model]}{think}{where}")
    run = run_profile(str(profile), folder)
    found = samples(run.evidence, judged_kind(run.evidence))["page"].measure("p99").value
    epoch_s = run.evidence.manifest.epoch_wall_s
    start_s, end_s = run.evidence.measured[0]
    return found, one.p99_ms(epoch_s + start_s, epoch_s + end_s)


def _theirs(model: str, one: Shop, folder: Path) -> Peer:
    """The same of k6, %."""
    try:
        binary = install(folder)
    except UnavailableError as why:
        return Peer(f"k6 ({why})")
    summary = folder / "k6.json"
    users = MOST_USERS if model == "arrivals" else USERS
    variables = {"MODEL": model, "URL": one.url, "SECONDS": SECONDS, "RATE": RATE_PER_S,
                 "USERS": users, "THINK_S": THINK_MS / 1000, "SUMMARY": summary}  # fmt: skip
    command = [str(binary), "run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0"]
    command += [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    began_s = time.time()
    subprocess.run([*command, str(K6_SCRIPT)], capture_output=True, timeout=180, check=False)
    if not summary.exists():
        return Peer("k6 (ended without a result)")
    theirs_ms = float(json.loads(summary.read_text())["p(99)"])
    truth_ms = one.p99_ms(began_s, time.time())
    return Peer("k6, the same way", 100 * (theirs_ms / truth_ms - 1))
