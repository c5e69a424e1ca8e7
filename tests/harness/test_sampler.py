"""harness/sampling/sampler.py: what it writes, and that its own troubles are on record."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.sampling import sampler as module
from harness.sampling.sampler import Sampler
from harness.scene.scene import with_metrics
from recording.clock import RunClock
from recording.jsonl import read_json_lines
from recording.rundir import RunDir
from recording.sampling import Sampling
from recording.series_reader import read_series
from tests.faults.hostile_shop import HostileShop, Quirk

PAGE = (
    b'connection_pool_active{pool="locks",replica="0"} 7\n'
    b'connection_pool_max{pool="locks",replica="0"} 9\n'
)
SUBJECTS = {"cart": "cart-service", "payment": "payment-gateway"}


@pytest.fixture
def page() -> Iterator[str]:
    """A service that has a metrics page; its base url."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if self.path.startswith("/none") else 200)
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def sampled(run: RunDir, urls: dict[str, str], passes: int) -> Sampler:
    """A sampler that made at least this many passes."""
    run.root.mkdir(exist_ok=True)
    sampler = Sampler(
        run, {SUBJECTS[k]: v for k, v in urls.items()}, Sampling(interval=0.1), RunClock.start()
    )
    sampler.start()
    deadline = time.monotonic() + 10
    while sampler.passes < passes and time.monotonic() < deadline:
        time.sleep(0.01)
    sampler.stop()
    return sampler


def test_values_are_sampled_and_constants_written_once(tmp_path: Path, page: str) -> None:
    """Gauges at every pass, a pool's size only when it changes, the machine itself too."""
    run = RunDir(tmp_path / "run")
    sampled(run, {"cart": page}, 3)
    series = read_series(run.resources)
    assert series.get("cart-service", "connection_pool_active/locks/0")[1].tolist()[:3] == [7.0] * 3
    assert series.get("cart-service", "connection_pool_max/locks/0")[1].tolist() == [9.0]
    assert series.get("host", "cpu_busy_seconds_total")[0].size >= 3


def test_a_constant_that_is_told_no_more_is_on_record(
    tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and written anew when it comes back; else it would be taken for unchanged."""
    run = RunDir(tmp_path / "run")
    run.root.mkdir()
    clock, kept = RunClock.start(), Sampling(interval=0.1)
    sampler = Sampler(run, {"cart-service": page}, kept, clock)
    sampler.start()

    def wait(passes: int) -> None:
        aim, deadline = sampler.passes + passes, time.monotonic() + 10
        while sampler.passes < aim and time.monotonic() < deadline:
            time.sleep(0.01)

    wait(2)
    monkeypatch.setattr("tests.harness.test_sampler.PAGE", PAGE.partition(b"\n")[0] + b"\n")
    wait(4)
    monkeypatch.undo()
    wait(2)
    sampler.stop()
    rows, _ = read_json_lines(run.events)
    (gone,) = [row for row in rows if row["event"] == "metrics_vanished"]
    name = "connection_pool_max/locks/0"
    assert (gone["subject"], gone["metrics"]) == ("cart-service", [name])
    t_s, values = read_series(run.resources).get("cart-service", name)
    assert values.tolist() == [9.0, 9.0]
    assert t_s[0] < gone["from_s"] < t_s[1]


def test_a_service_that_does_not_answer_is_on_record(tmp_path: Path, page: str) -> None:
    """up = 0, an event with the reason, and the closing event counts the failures."""
    run = RunDir(tmp_path / "run")
    sampler = sampled(run, {"cart": page, "payment": "http://127.0.0.1:9"}, 2)
    assert sampler.failures >= 2
    series = read_series(run.resources)
    assert set(series.get("payment-gateway", "up")[1].tolist()) == {0.0}
    assert set(series.get("cart-service", "up")[1].tolist()) == {1.0}
    rows, _ = read_json_lines(run.events)
    failed = [row for row in rows if row["event"] == "sample_failed"]
    assert failed[0]["subject"] == "payment-gateway"
    assert "ConnectError" in failed[0]["error"]
    assert rows[-1] | {"failures": 0} == rows[-1] | {"failures": 0, "event": "sampling_ended"}


def test_a_jump_of_the_wall_clock_is_an_event(
    tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour forward: noticed, and the samples' own times do not move."""
    real, started = time.time, time.monotonic()

    def jumping() -> float:
        return real() + (3600.0 if time.monotonic() - started > 0.3 else 0.0)

    monkeypatch.setattr(module.time, "time", jumping)
    run = RunDir(tmp_path / "run")
    sampled(run, {"cart": page}, 8)
    rows, _ = read_json_lines(run.events)
    (jump,) = [row for row in rows if row["event"] == "clock_jumped"]
    assert jump["by_s"] == pytest.approx(3600, abs=1)
    t_s, _ = read_series(run.resources).get("cart-service", "up")
    assert t_s[-1] < 60


def test_only_services_that_export_metrics_are_sampled(page: str) -> None:
    """A real service may have no such page; one that does not answer is seen to be down."""
    urls = {"cart": page, "payment": f"{page}/none", "checkout": "http://127.0.0.1:9"}
    sampled_urls, without = with_metrics(urls)
    assert set(sampled_urls) == {"cart", "checkout"}
    assert without == ("payment",)


def test_a_page_that_drips_costs_no_other_service_its_samples(tmp_path: Path, page: str) -> None:
    """Each byte is quick, the page never ends: its own samples fail in time, and nobody else's."""
    run = RunDir(tmp_path / "run")
    run.root.mkdir()
    with HostileShop(Quirk("drip", "metrics")) as shop:
        urls = {"cart-service": page, "payment-gateway": shop.url}
        sampler = Sampler(run, urls, Sampling(interval=0.1, timeout=0.3), RunClock.start())
        sampler.start()
        deadline = time.monotonic() + 10
        while sampler.failures < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        sampler.stop()
    series = read_series(run.resources)
    assert set(series.get("payment-gateway", "up")[1].tolist()) == {0.0}
    t_s, up = series.get("cart-service", "up")
    assert set(up.tolist()) == {1.0}
    assert t_s.size >= 6  # the page's three deadlines are nine intervals
