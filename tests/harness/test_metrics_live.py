"""A real Prometheus beside a real run: what it scraped is judged as what was read directly."""

from pathlib import Path

import pytest

from tests.faults.hostile_shop import HostileShop
from tests.harness.conftest import FIXTURES, Run, StartRun, wait_for
from tests.harness.prometheus_server import configured
from tests.harness.shop_exporter import Exporter, exporter, hikari

pytestmark = [pytest.mark.live, pytest.mark.long]
SCRAPING = """
global: {{ scrape_interval: 500ms, scrape_timeout: 400ms }}
scrape_configs:
  - job_name: shop
    static_configs: [{{ targets: ["{host}"] }}]
"""
METRICS = """
[target]
checkout = "{shop}"
payment = "{shop}"
cart = "{shop}"

[metrics]
prometheus = "{prometheus}"
settle = "5s"
[[metrics.sources]]
service = "checkout"
use = ["hikaricp", "process"]
where = 'job="shop"'
[[metrics.sources]]
service = "cart"
use = ["hikaricp", "process"]
page = "{page}/actuator/prometheus"
"""
RULES = "".join(
    f"""
[{subject}]
pool = ["exhausted_windows == 0", "utilization < 90 %", "timeouts == 0", "peak_waiting < 1"]
memory = ["peak_rss < 500 MB"]
process = ["restarts == 0"]
"""
    for subject in ("checkout-service", "cart-service")
)
EXPECTED = {
    "exhausted_windows": 1.0, "utilization": 100.0, "timeouts": 6.0, "peak_waiting": 6.0,
    "restarts": 1.0,
}  # fmt: skip
PEAK_MB = 6.0e8 / 2**20


def test_prometheus_and_the_page_itself_say_the_same(start_run: StartRun, tmp_path: Path) -> None:
    """Pools that run dry, memory, and a restart at which every counter begins anew."""
    with (
        exporter(hikari()) as shown,
        HostileShop() as shop,
        configured(tmp_path, SCRAPING.format(host=shown.host)) as server,
    ):
        about = {"shop": shop.url, "prometheus": server.url, "page": shown.url}
        profile, limits = tmp_path / "shop.toml", tmp_path / "limits.toml"
        profile.write_text(_tiny() + METRICS.format(**about))
        limits.write_text(RULES)
        wait_for(lambda: server.values("hikaricp_connections_active"))
        run = start_run(profile=profile, limits=limits)
        _play(run, shown)
        run.finish()
    measured = run.verdict()["measurements"]
    for subject in ("checkout-service", "cart-service"):
        own = {m["metric"]: m["value"] for m in measured if m["subject"] == subject}
        assert {metric: own[metric] for metric in EXPECTED} == EXPECTED, subject
        assert own["peak_rss"] == pytest.approx(PEAK_MB), subject


def _tiny() -> str:
    """The tiny profile with next to no load, of services that are not its own."""
    load, _, rest = (FIXTURES / "tiny.toml").read_text().partition("[services")
    text = f"{load}[recording]{rest.partition('[recording]')[2]}"
    return text.replace("users = 20", "users = 2").replace("processes = 2", "processes = 1")


def _play(run: Run, shown: Exporter) -> None:
    """Dry, well again, restarted; each state until both have seen it twice."""
    run.wait_for(lambda: any(event.get("measured") for event in run.events()))
    dry = {"active": 10.0, "pending": 6.0, "timeouts": 9.0, "rss": 6.0e8}
    fresh = {"timeouts": 0.0, "cpu": 0.1, "started": 1.7e9 + 3600, "rss": 1.0e8}
    for state in (dry, {"timeouts": 9.0}, fresh):
        shown.text, before = hikari(**state), len(shown.asked)

        def seen(before: int = before) -> bool:
            agents = [asked["User-Agent"][:10] for asked in shown.asked[before:]]
            return all(agents.count(agent) > 2 for agent in ("Prometheus", "python-htt"))

        run.wait_for(seen)
