"""A real Prometheus beside a real run: every panel has data, and the last counts arrive."""

import json
from pathlib import Path

import pytest

from harness.generator.generator import free_port
from harness.observe.panels import MARKS, PANELS
from tests.harness.conftest import StartRun, repeated_when_starved
from tests.harness.prometheus_server import prometheus

pytestmark = [pytest.mark.live, pytest.mark.long]
EXPRESSIONS = [
    query.expr.replace("$environment", "staging-perf")
    for panel in PANELS
    for query in panel.queries
    if not query.needs
]


@repeated_when_starved
def test_a_prometheus_sees_the_run_and_its_end(start_run: StartRun, tmp_path: Path) -> None:
    """All panels at one moment, no rule that cannot be evaluated, and no request missing."""
    port = free_port()
    with prometheus(tmp_path, port) as seen:
        run = start_run("--metrics-port", str(port))
        empty = list(EXPRESSIONS)

        def every_panel_has_data() -> bool:
            empty[:] = [expr for expr in EXPRESSIONS if not seen.values(expr)]
            return not empty

        run.wait_for(every_panel_has_data)
        phases = MARKS[0].expr.replace("$environment", "staging-perf")
        assert len(seen.values(phases)) >= 1
        groups = seen.get("rules")["groups"]
        assert {rule["health"] for group in groups for rule in group["rules"]} == {"ok"}
        assert run.finish() == 0
        counted = next(e for e in run.events() if e["event"] == "generator_ended")
        total = "sum(max_over_time(loadgate_requests_total[5m]))"
        assert seen.values(total) == [counted["recorded"]]
        assert seen.values("max_over_time(loadgate_verdict[5m])") == [1]
        kept = (run.root / "exemplars.jsonl").read_text().splitlines()
        traces = [json.loads(line)["trace_id"] for line in kept]
        assert len({*traces}) == len(traces) > 0
