"""Writes what Grafana and Prometheus read: ``make dashboards``. Tests hold that it is kept so."""

from collections.abc import Mapping

import orjson

from analysis.limits.thresholds import load_thresholds
from harness.observe.alerts import rules_text
from harness.observe.dashboard import dashboard
from harness.system.paths import PROJECT

FOLDER = PROJECT / "deploy"


def files() -> Mapping[str, str]:
    """By path below ``deploy``; the alerts are those of the tree's own thresholds.toml."""
    drawn = orjson.dumps(dashboard(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return {
        "grafana/perf-checkout.json": drawn.decode(),
        "prometheus/alerts.yml": rules_text(load_thresholds(PROJECT / "thresholds.toml")),
    }


def write() -> None:
    """All of them."""
    for name, text in files().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
