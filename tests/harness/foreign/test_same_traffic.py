"""What our recorder and another tool's file say of the very same requests."""

import csv
import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from benchmarks.figures import k6
from benchmarks.figures.wiremock import UnavailableError
from harness.foreign.reading import read_foreign
from harness.foreign.steps import Steps
from harness.system.paths import environment_of
from locustfiles.intervals import EvenIntervals
from locustfiles.named import NamedRequests
from locustfiles.recorder import Recorder, unpack
from recording.arrays import Floats
from recording.histogram import Histogram, merge
from recording.hlog import AT_MOST, LATENCY, Interval
from recording.outcomes import OK
from tests.harness.foreign import files
from tests.harness.small_shop import small_shop
from tests.hlog_file import read_hlog

WIDTH = 0.001
"""Of a bucket, as a share of its values."""
USERS_FILE = Path(__file__).with_name("recorded_users.py")
K6_SCRIPT = Path(__file__).with_name("k6_told.js")
SUMMED_UP = "count,min,med,p(95),p(99),max"
QUANTILES = {"min": 0.0, "med": 0.5, "p(95)": 0.95, "p(99)": 0.99, "max": 1.0}
STEPS = ("GET /browse", "GET /missing")
BY_NAME = Steps({step.removeprefix("GET "): step for step in STEPS})
WRITTEN: dict[str, tuple[Callable[[Sequence[files.Request]], str], float]] = {
    "k6-csv": (files.k6_csv, 1.0),
    "jtl": (lambda of: files.jtl(of, ("timeStamp", "elapsed", "label", "success")), 1000.0),
    "vegeta-csv": (files.vegeta_csv, 1.0),
    "vegeta-json": (files.vegeta_json, 1.0),
}
"""How a file is written, and to how many µs its format has a latency."""


def latencies_us(intervals: Sequence[Interval], step: str, kind: str = LATENCY) -> Floats:
    """Every request's, in order."""
    of_step = (i.histogram for i in intervals if (i.tag.step, i.tag.kind) == (step, kind))
    kept = merge([Histogram.from_values([]), *of_step])
    return np.repeat(kept.values_us, kept.counts)


def failures(intervals: Sequence[Interval], step: str) -> int:
    """How many requests of a step failed."""
    found = (i for i in intervals if i.tag.step == step and i.tag.kind == LATENCY)
    return sum(i.histogram.n for i in found if i.tag.outcome != OK)


def agree(found: Sequence[Interval], own: Sequence[Interval], step: str, grain_us: float) -> None:
    """As many requests and failures, and each rank's latency within a bucket and the grain."""
    theirs, ours = latencies_us(found, step), latencies_us(own, step)
    assert failures(found, step) == failures(own, step)
    assert theirs.size == ours.size
    assert (np.abs(theirs - ours) <= WIDTH * ours + grain_us).all()


@pytest.mark.live
def test_locusts_files_and_each_request_agree_with_our_recorder(tmp_path: Path) -> None:
    """Locust's own CSVs by bounds, and the same requests as other tools write them by rank."""
    own = run_locust(tmp_path)
    rows = each_request(tmp_path / "requests.csv")
    for name, (write, grain_us) in WRITTEN.items():
        path = tmp_path / name
        path.write_text(write(rows))
        found = list(read_foreign(path, Steps()).tally.intervals())
        for step in STEPS:
            agree(found, own, step, grain_us)
    found = list(read_foreign(tmp_path / "shop_stats.csv", BY_NAME).tally.intervals())
    for step in STEPS:
        within_bounds(found, own, step)


@pytest.mark.long
@pytest.mark.live
def test_k6s_files_agree_with_our_recorder_its_summary_and_the_server(tmp_path: Path) -> None:
    """By rank with what k6's script is told of each; none is faster than the server had it."""
    told = run_k6(tmp_path)
    own = recorded(told)
    summary = json.loads((tmp_path / "summary.json").read_text())["metrics"]
    for name in ("k6.csv", "k6.json"):
        found = list(read_foreign(tmp_path / name, BY_NAME).tally.intervals())
        for step in STEPS:
            agree(found, own, step, grain_us=1.0)
            path = step.removeprefix("GET ")
            as_summed_up(found, step, summary[f"http_req_duration{{name:{path}}}"])
            server_us = sorted(1000 * t.server_ms for t in told if t.name == path)
            assert (latencies_us(found, step) * (1 + WIDTH) >= server_us).all()


class Told(NamedTuple):
    """What k6's script is told of an answer."""

    name: str
    status: int
    ms: float
    server: str

    @property
    def server_ms(self) -> float:
        """What the server says that it took."""
        return float(self.server.removesuffix("ms"))


def run_k6(folder: Path) -> list[Told]:
    """One run, which leaves its files there."""
    try:
        binary = k6.install(folder)
    except UnavailableError as error:
        pytest.skip(str(error))
    with small_shop() as url:
        words = ["run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0"]
        words += ["--env", f"URL={url}", "--out", "csv=k6.csv", "--out", "json=k6.json"]
        words += ["--summary-export=summary.json", "--summary-trend-stats", SUMMED_UP]
        words += ["--console-output", "told", "--log-format", "raw", str(K6_SCRIPT)]
        subprocess.run([binary, *words], cwd=folder, capture_output=True, timeout=90, check=True)
    return [Told(*json.loads(line)) for line in (folder / "told").read_text().splitlines()]


def recorded(told: Sequence[Told]) -> list[Interval]:
    """The same in our recorder."""
    recorder, intervals = Recorder(lambda: 0.0, EvenIntervals(1.0)), []
    requests = NamedRequests(recorder, "k6", lambda: None)
    for name, status, ms, server in told:
        answer = SimpleNamespace(
            status_code=status, headers={"X-Response-Time": server}, content=b""
        )
        requests.on_request(
            request_type="GET", name=name, response_time=ms, response=answer,
            exception=None if status == 200 else ValueError(f"HTTP {status}"),
        )  # fmt: skip
    for _, packed in recorder.take(final=True)["intervals"]:
        intervals += [Interval(tag, 0.0, 1.0, histogram) for tag, histogram in unpack(packed)]
    return intervals


def as_summed_up(found: Sequence[Interval], step: str, summary: dict[str, float]) -> None:
    """Each of k6's percentiles lies between the two ranks that it is interpolated from."""
    values_us = latencies_us(found, step)
    assert values_us.size == summary["count"]
    for name, q in QUANTILES.items():
        rank = q * (values_us.size - 1)
        low, high = values_us[[math.floor(rank), math.ceil(rank)]]
        assert low * (1 - WIDTH) <= 1000 * summary[name] <= high * (1 + WIDTH)


def run_locust(folder: Path) -> Sequence[Interval]:
    """One run of its own command; what our recorder, a listener in it, has."""
    with small_shop() as url:
        words = ["--headless", "-u", "6", "-r", "6", "-t", "6s", "--host", url]
        words += ["--csv", "shop", "--csv-full-history", "--exit-code-on-error", "0"]
        subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(USERS_FILE), *words],
            cwd=folder, env={**environment_of(), "HOME": str(folder), "RECORDED": str(folder)},
            capture_output=True, timeout=90, check=True,
        )  # fmt: skip
    return read_hlog(folder / "latency.hlog").intervals


def each_request(path: Path) -> list[files.Request]:
    """As the locustfile wrote them."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    return [files.Request(name, int(begin), int(us), ok == "True") for name, begin, us, ok in rows]


def within_bounds(found: Sequence[Interval], own: Sequence[Interval], step: str) -> None:
    """Rank by rank; Locust's ranks may be one higher, and it may lack what came in last."""
    lows, highs = latencies_us(found, step), latencies_us(found, step, AT_MOST)
    ours = latencies_us(own, step)
    lacking = ours.size - lows.size
    assert 0 <= lacking < ours.size / 2
    assert lows.size == highs.size
    assert failures(own, step) - lacking <= failures(found, step) <= failures(own, step)
    most = [*ours, math.inf][lacking + 1 :]
    assert (lows * (1 - WIDTH) <= most).all()
    assert (highs * (1 + WIDTH) >= ours[: lows.size]).all()
