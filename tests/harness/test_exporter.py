"""harness/observe: what a scrape says of a recording, over a real socket."""

from __future__ import annotations

import json
import re
import tarfile
import threading
from collections import Counter
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from analysis.limits.thresholds import load_thresholds, parse_thresholds
from harness.generator.generator import free_port
from harness.observe.buckets import Buckets, latency_bounds_s
from harness.observe.exporter import Exporter, exporting
from recording.clock import RunClock
from recording.errors import ConfigError
from recording.histogram import Histogram
from recording.hlog import LATENCY, of_requests
from recording.manifest import read_manifest
from recording.outcomes import is_failure
from recording.rundir import RunDir
from tests.hlog_file import read_hlog

ROOT = Path(__file__).parents[2]
LIMITS = load_thresholds(ROOT / "thresholds.toml")
Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A smoke run that was kept."""
    folder = tmp_path_factory.mktemp("kept")
    kept = ROOT / "tests" / "fixtures" / "recordings" / "format-3-smoke.tar.xz"
    with tarfile.open(kept) as archive:
        archive.extractall(folder, filter="data")
    return RunDir(folder / "format-3-smoke")


def get(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def page(port: int) -> Page:
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(get(port, "/metrics"))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def total(seen: Page, name: str, **labels: str) -> float:
    """Summed over everything that has these labels."""
    return sum(
        value for (metric, own), value in seen.items()
        if metric == name and set(labels.items()) <= set(own)
    )  # fmt: skip


def attached(exporter: Exporter, run: RunDir, profile_of: RunDir) -> None:
    profile = read_manifest(profile_of.manifest).profile
    exporter.attach(run, RunClock.start(), profile, {"cart-service": "https://cart.example/x/"})


def test_every_request_of_a_recording_is_on_the_page(recorded: RunDir) -> None:
    """By step and outcome, with what clients waited; orders, users, phases and state beside it."""
    port = free_port()
    with exporting("127.0.0.1", port, LIMITS) as exporter:
        assert exporter is not None
        attached(exporter, recorded, recorded)
        seen = page(port)
    log = list(of_requests(read_hlog(recorded.latency).intervals, LATENCY))
    wanted = Counter[tuple[str, str]]()
    for each in log:
        wanted[each.tag.step, each.tag.outcome] += each.histogram.n
    for (step, outcome), n in wanted.items():
        labels = {"step": step, "outcome": outcome}
        assert total(seen, "loadgate_requests_total", **labels) == n
        assert total(seen, "loadgate_request_duration_seconds_count", **labels) == n
    within = sum(int(e.histogram.counts[e.histogram.values_us <= 700_000].sum()) for e in log)
    assert total(seen, "loadgate_request_duration_seconds_bucket", le="0.7") == within
    failed = sum(e.histogram.n for e in log if is_failure(e.tag.outcome))
    assert total(seen, "loadgate_failed_requests_total") == failed
    assert total(seen, "loadgate_journeys_total") == sum(wanted[key] for key in wanted
                                                         if key[0] == "browse")  # fmt: skip
    assert total(seen, "loadgate_orders_confirmed_total") == wanted["confirm", "ok"]
    assert total(seen, "loadgate_run_state", state="ended") == 1
    assert total(seen, "loadgate_run_info", run_id="format-3-smoke") == 1
    measured = total(seen, "loadgate_requests_total", measured="true")
    assert 0 < measured < sum(wanted.values())


def test_counters_never_fall_while_a_recording_grows(recorded: RunDir, tmp_path: Path) -> None:
    """Whatever piece of a line was written last; at the end nothing is missing."""
    run, port = RunDir(tmp_path), free_port()
    wholes = {name: getattr(recorded, name).read_bytes() for name in ("events", "latency", "load")}
    with exporting("127.0.0.1", port, LIMITS) as exporter:
        assert exporter is not None
        attached(exporter, run, recorded)
        before = page(port)
        assert total(before, "loadgate_run_state", state="starting") == 1
        for piece in range(1, 8):
            for name, whole in wholes.items():
                getattr(run, name).write_bytes(whole[: len(whole) * piece // 7])
            now = page(port)
            grows = (key for key in before if re.match("loadgate_.*_(total|bucket|count)", key[0]))
            assert [key for key in grows if now[key] < before[key]] == []
            before = now
    whole = sum(e.histogram.n for e in of_requests(read_hlog(recorded.latency).intervals, LATENCY))
    assert total(before, "loadgate_requests_total") == whole


def test_a_step_that_never_failed_has_a_counter_at_zero(recorded: RunDir, tmp_path: Path) -> None:
    """From the start: what a counter already has when it is first scraped is no growth."""
    port = free_port()
    with exporting("127.0.0.1", port, LIMITS) as exporter:
        assert exporter is not None
        attached(exporter, RunDir(tmp_path), recorded)
        seen = page(port)
    named = {dict(labels)["step"] for name, labels in seen if name.startswith("loadgate_failed")}
    assert named >= {"browse", "charge", "confirm"}
    assert "locust_user_count" not in {name for name, _ in seen}  # unknown is not zero


def test_prometheus_is_told_where_the_services_are(recorded: RunDir) -> None:
    """As its HTTP service discovery reads it; before there is a run, an empty list."""
    port = free_port()
    with exporting("127.0.0.1", port, LIMITS) as exporter:
        assert exporter is not None
        assert (get(port, "/targets"), get(port, "/metrics")) == ("[]", "")
        attached(exporter, recorded, recorded)
        (told,) = json.loads(get(port, "/targets"))
        with pytest.raises(HTTPError, match="404"):
            get(port, "/")
    assert told["targets"] == ["cart.example"]
    assert told["labels"] == {
        "service": "cart-service", "__scheme__": "https", "__metrics_path__": "/x/metrics",
    }  # fmt: skip


def test_a_recording_that_cannot_be_counted_is_told_no_more(
    recorded: RunDir, tmp_path: Path
) -> None:
    """Prometheus counts a 500 as down; counts that missed something would look like health."""
    run, port = RunDir(tmp_path), free_port()
    with exporting("127.0.0.1", port, LIMITS) as exporter:
        assert exporter is not None
        attached(exporter, run, recorded)
        run.events.write_text("{no json\n")
        for _ in range(2):
            with pytest.raises(HTTPError, match="500") as refused:
                get(port, "/metrics")
            assert b"cannot be counted" in refused.value.read()


def test_who_read_regularly_reads_the_verdict_as_well(recorded: RunDir, tmp_path: Path) -> None:
    """The page stays until then; nobody else is waited for."""
    run, port = RunDir(tmp_path), free_port()
    exporter = Exporter("127.0.0.1", port, LIMITS)
    attached(exporter, run, recorded)
    page(port)
    page(port)
    run.events.write_bytes(recorded.events.read_bytes())
    run.verdict.write_text('{"verdict": "PASS"}')
    closing = threading.Thread(target=exporter.close)
    closing.start()
    assert total(page(port), "loadgate_verdict", verdict="PASS") == 1
    closing.join(10)
    assert not closing.is_alive()


def test_a_port_that_is_taken_is_refused() -> None:
    """Before anything starts."""
    port = free_port()
    with (
        exporting("127.0.0.1", port, LIMITS),
        pytest.raises(ConfigError, match=f"--metrics-port {port}: cannot listen there"),
    ):
        Exporter("127.0.0.1", port, LIMITS)


def test_every_limit_is_a_bound() -> None:
    """And a value at a bound is within it."""
    limits = parse_thresholds('[journey]\nlatency = ["p99 < 1230 ms", "max < 3 s"]')
    bounds_s = latency_bounds_s((rule for _, rule in limits), 7.5)
    assert {1.23, 3.0, 2.0, 7.5} <= {*bounds_s}
    assert list(bounds_s) == sorted(bounds_s)
    buckets = Buckets((0.001, 0.002))
    buckets.add(Histogram.from_values([1000, 1001, 2000, 5000]))
    assert buckets.cumulative == [("0.001", 1), ("0.002", 3), ("+Inf", 4)]
