"""The example shop under load: what a real Prometheus scraped of it is judged as what was read
directly."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from harness.generator.generator import free_port
from recording.metric_names import POOL_TIMEOUTS, POOL_WAITING, STARTED
from recording.series import SeriesRows
from tests.harness.conftest import FIXTURES, ROOT, Run, StartRun, wait_for
from tests.harness.prometheus_server import Prometheus, configured

pytestmark = [pytest.mark.live, pytest.mark.long]
USERS, CONNECTIONS = 8, 2
SCRAPED, READ = "tea-scraped", "tea-read"
"""The one shop under two names: of Prometheus, and of its own page."""
SCRAPING = """
global: { scrape_interval: 500ms, scrape_timeout: 400ms }
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ["HOST"] }] }]
"""
SCENARIO = f"""
from loadgate_scenario import Request, Scenario, Service, Step

SCENARIO = Scenario(
    services=(Service("scraped", "{SCRAPED}"), Service("read", "{READ}")),
    steps=(
        Step("catalog", "GET", Request("/catalog"), service="scraped"),
        Step("basket", "POST", Request("/basket", body={{"sku": "assam"}}), status=201,
             service="read"),
    ),
)
"""
PROFILE = f"""
[scenario]
module = "scenario.py"

[target.urls]
scraped = "SHOP"
read = "SHOP"

[load]
phases = [
    {{ name = "ramp-up", duration = "1s", users = {USERS} }},
    {{ name = "sustained", duration = "25s", users = {USERS}, measured = true }},
]

[journey]
think = {{ min = "20ms", max = "50ms" }}
session = {{ min = "1s", max = "2s" }}

[metrics]
prometheus = "PROMETHEUS"
settle = "5s"
[[metrics.sources]]
service = "scraped"
use = ["hikaricp", "process"]
where = 'job="shop"'
[[metrics.sources]]
service = "read"
use = ["hikaricp", "process"]
page = "/metrics"

[recording]{(FIXTURES / "tiny.toml").read_text().partition("[recording]")[2]}
"""
RULED = ("exhausted_windows", "utilization", "timeouts", "peak_waiting", "peak_rss", "restarts")
RULES = "".join(
    f"""
[services.{name}]
pool = ["exhausted_windows == 0", "utilization < 90 %", "timeouts == 0", "peak_waiting < 1"]
memory = ["peak_rss < 500 MB"]
process = ["restarts == 0"]
"""
    for name in (SCRAPED, READ)
)
THEIRS = {
    POOL_WAITING: "hikaricp_connections_pending",
    POOL_TIMEOUTS: "hikaricp_connections_timeout_total",
    STARTED: "process_start_time_seconds{job='shop'}",
}


@dataclass
class Shop:
    """examples/shop at a port that it keeps, over few connections."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Its base url."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the end of the block."""
        words = [sys.executable, "-m", "uvicorn", "shop.app:app", "--log-level", "critical"]
        told = {
            "SHOP_DATABASE": str(self.folder / "shop.db"), "SHOP_CONNECTIONS": str(CONNECTIONS),
        }  # fmt: skip
        process = subprocess.Popen(
            [*words, "--port", str(self.port)],
            cwd=ROOT / "examples" / "shop",
            env={**os.environ, **told, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        try:
            wait_for(self._answers)
            yield
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def nobody_can_write(self) -> Iterator[None]:
        """Who writes waits, with a connection of the pool: others find none."""
        with closing(sqlite3.connect(self.folder / "shop.db", isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            yield
            database.execute("ROLLBACK")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False


@dataclass
class Seen:
    """What either has seen so far."""

    run: Run
    server: Prometheus

    def newest(self, metric: str) -> list[float]:
        """As Prometheus has it, and as loadgate read it itself; less where one has none."""
        whole, _, _ = (self.run.root / "resources.csv").read_text().rpartition("\n")
        read = [sample.value for sample in SeriesRows().samples(whole)
                if (sample.subject, sample.metric.partition("/")[0]) == (READ, metric)]  # fmt: skip
        return [*self.server.values(THEIRS[metric]), *read[-1:]]

    def both(self, metric: str, holds: Callable[[float], bool]) -> None:
        """Wait until it holds of what each saw last."""
        self.run.wait_for(lambda: [holds(value) for value in self.newest(metric)] == [True, True])


def test_prometheus_and_the_page_itself_say_the_same(start_run: StartRun, tmp_path: Path) -> None:
    """A pool that runs dry, memory, and a restart at which every counter begins anew."""
    shop = Shop(tmp_path, free_port())
    profile, limits = tmp_path / "shop.toml", tmp_path / "limits.toml"
    scraping = SCRAPING.replace("HOST", shop.url.removeprefix("http://"))
    (tmp_path / "scenario.py").write_text(SCENARIO)
    limits.write_text(RULES)
    with configured(tmp_path, scraping) as server:
        profile.write_text(PROFILE.replace("SHOP", shop.url).replace("PROMETHEUS", server.url))
        with shop.running():
            wait_for(lambda: server.values(THEIRS[POOL_WAITING]))
            run = start_run(profile=profile, limits=limits)
            run.wait_for(lambda: any(event.get("measured") for event in run.events()))
            seen = Seen(run, server)
            with shop.nobody_can_write():
                seen.both(POOL_WAITING, lambda waiting: waiting == USERS - CONNECTIONS)
                seen.both(POOL_TIMEOUTS, lambda timeouts: timeouts > 0)
            seen.both(POOL_WAITING, lambda waiting: waiting == 0)
            before = seen.newest(STARTED)
        with shop.running():
            seen.both(STARTED, lambda started: started not in before)
            run.finish()
    told = {name: measured(run, name) for name in (SCRAPED, READ)}
    # A sample of either may fall on the moment at which all who waited give up and ask anew.
    assert {told[name].pop("exhausted_windows") for name in told} <= {1, 2}
    assert told[SCRAPED] == pytest.approx(told[READ], rel=0.05)
    own = told[READ]
    assert own["restarts"] == 1
    assert (own["peak_waiting"], own["utilization"]) == (USERS - CONNECTIONS, 100)
    assert own["timeouts"] > 0
    assert 20 < own["peak_rss"] < 500


def measured(run: Run, name: str) -> dict[str, float]:
    """What the rules of a service are about, by metric."""
    found = run.verdict()["measurements"]
    return {m["metric"]: m["value"] for m in found if m["subject"] == name and m["metric"] in RULED}
