"""Alert rules and the dashboard: golden files, by promtool's checks, and what fires them."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.limits.thresholds import load_thresholds, parse_thresholds
from analysis.metrics.catalogue import METRICS
from harness.observe.__main__ import FOLDER, files
from harness.observe.alerts import rules_text, sla_alerts
from harness.observe.panels import MARKS, PANELS
from recording.flow import FLOW
from recording.profile import SUBJECTS
from tests.faults.in_process import loadgate
from tests.harness.prometheus_server import needed

ROOT = Path(__file__).parents[2]
LIMITS = load_thresholds(ROOT / "thresholds.toml")
SEED_PANELS = [
    "Concurrent Users", "Requests Per Second (by endpoint)", "Latency Percentiles (per service)",
    "Error Rate (per service)", "Pod Resource Utilization (CPU)",
    "Pod Resource Utilization (Memory)", "Database Metrics (orders-db-primary)",
    "Redis Cache Metrics", "Locust Aggregate Statistics",
]  # fmt: skip
"""Appendix G."""


def promtool(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [needed("promtool"), *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", files())
def test_what_is_kept_is_what_the_code_says(name: str) -> None:
    """`make dashboards` would change nothing."""
    assert (FOLDER / name).read_text() == files()[name]


def test_every_rule_is_an_alert_or_a_comment_with_its_reason() -> None:
    """Also of metrics that are new, and of every kind of limit; none is left out."""
    written = ("{} < 5 {}", "{} <= 5 {}", "{} == 0 {}", "{} > 5 {}")
    lines = []
    for subject in SUBJECTS:
        lines.append(f"[{subject}]")
        for kind in {metric.kind for metric in METRICS.values() if metric.of(FLOW, subject)}:
            rules = [form.format(m.name, next(iter(m.scales))) for m in METRICS.values()
                     if m.kind == kind for form in written]  # fmt: skip
            lines.append(f"{kind} = {json.dumps(rules)}")
    limits = parse_thresholds("\n".join(lines))
    alerts, untold = sla_alerts(limits)
    assert len(alerts) + len(untold) == len(list(limits)) > 500
    told = Counter((each.labels["subject"], each.labels["rule"]) for each in alerts)
    assert all(each.because for each in untold)
    assert told.keys().isdisjoint({tuple(each.rule[1:].split("] ", 1)) for each in untold})
    text = rules_text(limits)
    assert all(f"#   {each.rule}\n" in text for each in untold)


def test_the_shipped_rules_and_configuration_pass_promtool(tmp_path: Path) -> None:
    """And so does what the verb prints of another file, with every kind of expression."""
    promtool(ROOT / "deploy" / "prometheus", "check", "config", "prometheus.yml")
    kinds = '[cart-service]\nlatency = ["mean < 1 s", "max < 3 s"]\nerrors = ["failures < 5"]\n'
    kinds += 'pool = ["timeouts == 0", "acquire_wait_p99 < 1 s", "peak_waiting < 5"]\n'
    kinds += 'memory = ["peak_rss < 1 GB"]\n[charge]\nlatency = ["p99.9 < 2 s"]\n'
    kinds += '[inventory-lock-service]\nerrors = ["failures == 0"]\n'
    (tmp_path / "limits.toml").write_text(kinds)
    seen = loadgate("rules", "prometheus", "--thresholds", str(tmp_path / "limits.toml"))
    assert seen.exit_code == 0
    assert len(yaml.safe_load(seen.text)["groups"][0]["rules"]) == 9
    (tmp_path / "alerts.yml").write_text(seen.text)
    promtool(tmp_path, "check", "rules", "alerts.yml")


def test_the_dashboard_has_the_seeds_panels_and_promtool_reads_its_queries(tmp_path: Path) -> None:
    """Nine in their order, the queries that the seed names among them, and what is marked."""
    drawn = json.loads((FOLDER / "grafana" / "perf-checkout.json").read_text())
    assert [panel["title"] for panel in drawn["panels"]] == SEED_PANELS
    queries = [target["expr"] for panel in drawn["panels"] for target in panel["targets"]]
    queries = [query.replace("$environment", "staging-perf") for query in queries]
    assert queries[0] == 'locust_user_count{environment="staging-perf"}'
    assert 'rate(http_requests_total{environment="staging-perf"}[1m])' in queries[1]
    marks = [each["expr"].replace("$environment", "x") for each in drawn["annotations"]["list"]]
    assert len(marks) == len(MARKS)
    rules = [{"record": f"q{n}", "expr": expr} for n, expr in enumerate([*queries, *marks])]
    (tmp_path / "q.yml").write_text(yaml.safe_dump({"groups": [{"name": "q", "rules": rules}]}))
    promtool(tmp_path, "check", "rules", "q.yml")


def test_what_no_mock_can_say_is_named() -> None:
    """All other queries have data in a run against the mocks."""
    needs = {query.legend for panel in PANELS for query in panel.queries if query.needs}
    assert needs == {"replication lag, s", "connections"}
    assert all(any(not query.needs for query in panel.queries) for panel in PANELS)


def steps(name: str, values: str, **labels: str) -> dict[str, str]:
    """A series of promtool's."""
    written = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"{name}{{{written}}}", "values": values}


CHARGE = {"service": "payment-gateway", "step": "charge", "measured": "true"}
LOCK = {"service": "inventory-lock-service"}
BUCKET = "loadgate_request_duration_seconds_bucket"
FIRES = [
    # what is seen, 5 s apart; which alert of which subject; whether it fires after 4 minutes
    ([steps(BUCKET, f"0+{slow}x60", **CHARGE, le="1.0"),
      steps(BUCKET, "0+1000x60", **CHARGE, le="1.25"),
      steps(BUCKET, "0+1000x60", **CHARGE, le="+Inf")], "PaymentGatewayP99", fires)
    for slow, fires in ((985, True), (995, False))
] + [
    ([steps("loadgate_failed_requests_total", values, **CHARGE),
      steps("loadgate_requests_total", "0+100x60", **CHARGE, outcome="ok")],
     "PaymentGatewayErrorRate", fires)
    for values, fires in (("0+1x60", True), ("0+0x60", False))
] + [
    ([steps("http_requests_total", f"0+{failed}x60", **LOCK, status="503"),
      steps("http_requests_total", "0+100x60", **LOCK, status="200")], alert, fires)
    for failed, alert, fires in (
        (3, "RunbookErrorRate", True), (0.5, "RunbookErrorRate", False),
        (0.5, "InventoryLockServiceErrorRate", True))
] + [
    ([steps("connection_pool_waiting", f"{waiting}+0x60", **LOCK, pool="locks"),
      steps("connection_pool_active", "2000+0x60", **LOCK, pool="locks"),
      steps("connection_pool_max", "2000+0x60", **LOCK, pool="locks"),
      steps("connection_pool_timeouts_total", "0+0x60", **LOCK, pool="locks")],
     "InventoryLockServiceExhaustedWindows", fires)
    for waiting, fires in ((400, True), (0, False))
] + [
    ([steps("loadgate_events_total", "1+0x60", event="oom_killed", source="cart-service")],
     "CartServiceOomKilled", True),
    ([steps("process_cpu_seconds_total", "50+1x30 0+1x30", service="cart-service")],
     "CartServiceRestarts", True),
    ([steps("aws_rds_read_iops_average", "10000+0x60"),
      steps("aws_rds_write_iops_average", "8200+0x60")], "RunbookDatabaseIops", True),
    ([steps("loadgate_run_info", "1+0x60"), steps("up", "0+0x60", service="cart-service")],
     "CartServiceNotScraped", True),
    ([steps("loadgate_run_info", "1+0x60"), steps("up", "1+0x60", service="cart-service")],
     "CartServiceNotScraped", False),
    ([steps("loadgate_distortion_seconds_bucket", "0+90x60", le="0.04"),
      steps("loadgate_distortion_seconds_bucket", "0+100x60", le="0.1"),
      steps("loadgate_distortion_seconds_bucket", "0+100x60", le="+Inf"),
      steps("loadgate_validity_limit_seconds", "0.04+0x60", check="distortion_p99")],
     "RunDistortionP99", True),
]  # fmt: skip


def test_alerts_fire_where_their_rule_breaks_and_only_there(tmp_path: Path) -> None:
    """promtool plays each series to the shipped rules."""
    (tmp_path / "alerts.yml").write_text(files()["prometheus/alerts.yml"])
    tests = [_case(series, alert, fires) for series, alert, fires in FIRES]
    text = yaml.safe_dump({"rule_files": ["alerts.yml"], "tests": tests})
    (tmp_path / "test.yml").write_text(text)
    promtool(tmp_path, "test", "rules", "test.yml")


def _case(series: list[dict[str, str]], alert: str, fires: bool) -> dict[str, Any]:
    """Whether it fires is enough; promtool's own way compares all labels and texts."""
    firing = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
    wanted = [{"labels": "{}", "value": int(fires)}]
    return {
        "name": alert,
        "interval": "5s",
        "input_series": series,
        "promql_expr_test": [{"expr": firing, "eval_time": "4m", "exp_samples": wanted}],
    }
