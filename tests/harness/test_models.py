"""Open against closed: a stall that the closed model hides, and load that was not delivered."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.generator.generator import free_port
from harness.scene.services import Services, start_services
from recording.clock import RunClock
from tests.harness.conftest import LIMIT_S, Run, StartRun, repeated_when_starved

pytestmark = pytest.mark.live

QUICK = {"latency_scale": 0.1}
SETTINGS = {"checkout": QUICK, "payment": QUICK, "cart": QUICK}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """The four mocks, so that a test can stall one in the middle of a run."""
    found = start_services(SETTINGS, RunClock.start(), logs=tmp_path)
    yield found
    found.stop()


def targets(services: Services) -> list[str]:
    """Overrides that send the load to these services."""
    pairs = (f"target.{name}={url}" for name, url in services.urls.items())
    return [word for pair in pairs for word in ("--set", pair)]


def stall(services: Services, seconds: float) -> None:
    """Every request that checkout gets in the next seconds waits until they are over."""
    answer = httpx.post(
        f"{services.urls['checkout']}/admin/behaviour",
        headers={"X-Admin-Token": services.admin_token},
        json={"stall_s": seconds},
    )
    assert answer.status_code == 200, answer.text


def value(verdict: dict[str, Any], subject: str, metric: str) -> float:
    return float(
        next(
            m["value"]
            for m in verdict["measurements"]
            if (m["subject"], m["metric"]) == (subject, metric)
        )
    )


CLOSED = ("load.phases.sustained.duration=12s", "load.phases.sustained.users=2")
CLOSED += (
    "load.phases.ramp-up.users=2",
    "load.processes=1",
    'journey.think={min="10ms",max="20ms"}',
)
OPEN = (
    "load.model=arrivals",
    "load.processes=1",
    "load.max_concurrent=100",
    "load.phases.ramp-up.arrivals_per_s=20",
    "load.phases.sustained.arrivals_per_s=20",
    "load.phases.sustained.duration=12s",
    "load.phases.ramp-down.arrivals_per_s=0",
)


def answered(services: Services) -> float:
    """How many requests checkout has answered."""
    page = httpx.get(f"{services.urls['checkout']}/metrics").text
    found = (line for line in page.splitlines() if line.startswith("http_requests_total{"))
    return sum(float(line.rpartition(" ")[2]) for line in found)


def run_with_stall(
    start_run: StartRun, services: Services, overrides: tuple[str, ...]
) -> dict[str, Any]:
    words = [word for pair in overrides for word in ("--set", pair)]
    run = start_run(*targets(services), *words)
    run.wait_for(lambda: any(e.get("measured") for e in run.events()))
    before = answered(services)
    run.wait_for(lambda: answered(services) > before + 20)  # all users are at it
    stall(services, 2.0)
    run.finish()
    return run.verdict()


@repeated_when_starved
def test_a_stall_shows_in_the_open_models_p99_and_not_in_the_closed_ones(
    start_run: StartRun, services: Services
) -> None:
    """Two seconds stand still: closed users wait and send nothing, arrivals keep coming."""
    closed = run_with_stall(start_run, services, CLOSED)
    opened = run_with_stall(start_run, services, OPEN)
    assert value(closed, "journey", "p99") < 500
    assert value(closed, "journey", "max") > 1500
    assert value(opened, "journey", "p99") > 1000
    assert opened["context"]["requests_measured"] > 100


def test_arrivals_without_a_free_user_are_counted_and_make_the_run_invalid(
    start_run: StartRun,
) -> None:
    """Twenty journeys a second, each of a second or more, on two users: most never begin."""
    overrides = [*OPEN, "load.max_concurrent=2", "journey.think={min='500ms',max='600ms'}"]
    words = [word for pair in overrides for word in ("--set", pair)]
    run = start_run(*words, "--set", "load.phases.sustained.duration=6s")
    assert run.finish() == 4
    reasons = " ".join(run.verdict()["invalid_reasons"])
    assert "arrivals not delivered" in reasons


@repeated_when_starved
def test_an_open_run_reports_latency_from_the_intended_start(start_run: StartRun) -> None:
    """Undisturbed, due and sent are the same moment to within a few ms; both are reported."""
    words = [word for pair in OPEN for word in ("--set", pair)]
    run = start_run(*words, "--set", "load.phases.sustained.duration=6s")
    assert run.finish() == 0, run.process.stdout.read() if run.process.stdout else ""
    verdict = run.verdict()
    due, sent = (value(verdict, "browse", m) for m in ("p50", "p50_from_send"))
    assert 0 <= due - sent < 20


@repeated_when_starved
def test_workers_of_other_processes_merge_to_the_union_of_their_raw_values(
    start_run: StartRun, tmp_path: Path
) -> None:
    """A master and two `loadgate worker` processes: the log holds exactly what both saw."""
    raw = tmp_path / f"raw{len(start_run.started)}"
    raw.mkdir()
    port = str(free_port(neighbours=1))
    run = start_run("--workers-expected", "2", "--port", port)
    with two_workers(f"127.0.0.1:{port}", raw) as workers:
        assert run.finish() == 0, run.process.stdout.read() if run.process.stdout else ""
        assert [worker.wait(LIMIT_S) for worker in workers] == [0, 0]
    assert_union(run, raw)


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Master and workers of these tests know each other."""
    monkeypatch.setenv("LOADGATE_TOKEN", "token-of-these-tests")


@contextlib.contextmanager
def two_workers(
    master: str, raw: Path, prefix: tuple[str, ...] = ()
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Two `loadgate worker` processes; none is left afterwards."""
    command = [*prefix, sys.executable, "-m", "harness.cli", "worker", "--master", master]
    started = [
        subprocess.Popen(
            command,
            env={**os.environ, "LOADGATE_RAW": str(raw)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    try:
        yield started
    finally:
        for worker in started:
            if worker.poll() is None:
                worker.terminate()
            worker.wait(10)


def can_make_namespaces() -> bool:
    """Whether this user may create network namespaces, and has the tool to."""
    if shutil.which("ip") is None:
        return False
    name = f"lgp{os.getpid()}"  # every process of a parallel test run asks at the same time
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True)
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return made.returncode == 0


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network of its own, joined to ours by a pair of virtual interfaces."""
    name, ours, theirs = f"lg{os.getpid()}", f"lgo{os.getpid()}", f"lgt{os.getpid()}"
    for words in (
        f"ip netns add {name}",
        f"ip link add {ours} type veth peer name {theirs}",
        f"ip link set {theirs} netns {name}",
        f"ip addr add 10.203.7.1/30 dev {ours}",
        f"ip link set {ours} up",
        f"ip -n {name} addr add 10.203.7.2/30 dev {theirs}",
        f"ip -n {name} link set {theirs} up",
        f"ip -n {name} link set lo up",
    ):
        subprocess.run(words.split(), check=True)
    yield name
    subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.mark.skipif(not can_make_namespaces(), reason="network namespaces are not allowed here")
@repeated_when_starved
def test_workers_in_another_network_merge_as_well(
    start_run: StartRun, tmp_path: Path, namespace: str
) -> None:
    """Master and services here, both workers behind another interface: nothing is lost."""
    raw = tmp_path / f"raw{len(start_run.started)}"
    raw.mkdir()
    run = start_run("--workers-expected", "2", "--bind", "10.203.7.1", "--port", "15557")
    inside = ("ip", "netns", "exec", namespace)
    with two_workers("10.203.7.1:15557", raw, inside) as workers:
        assert run.finish() == 0, run.process.stdout.read() if run.process.stdout else ""
        assert [worker.wait(LIMIT_S) for worker in workers] == [0, 0]
    assert_union(run, raw)


def assert_union(run: Run, raw: Path) -> None:
    """Percentiles of the merged log equal those of all workers' raw values within 0.1 %."""
    from analysis.statistics.percentiles import quantile
    from recording.histogram import merge
    from recording.hlog import LATENCY
    from tests.hlog_file import read_hlog

    texts = [path.read_text().split() for path in raw.iterdir()]
    assert len(texts) == 2
    assert all(texts)
    values = sorted(float(text) for lines in texts for text in lines)
    merged = merge(
        i.histogram
        for i in read_hlog(run.root / "latency.hlog").intervals
        if i.tag.kind == LATENCY and i.tag.step != "generator"
    )
    assert merged.n == len(values)
    for q in (0.5, 0.95, 0.99, 1.0):
        exact = values[max(0, -(-int(q * 1000) * len(values) // 1000) - 1)]
        found = quantile(merged.values_us, merged.counts, q)
        assert found == pytest.approx(exact, rel=1e-3, abs=1)
