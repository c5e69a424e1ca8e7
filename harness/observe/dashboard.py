"""The panels as a Grafana dashboard: JSON to import (Grafana 10 and later)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from harness.observe.names import USERS
from harness.observe.panels import MARKS, PANELS, Mark, Panel, Query

Json = dict[str, Any]
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
"""Of a panel, on Grafana's grid of 24 columns."""
SCHEMA_VERSION = 39
"""Grafana 10.4's; later ones migrate it."""


def dashboard() -> Json:
    """All of it."""
    return {
        "uid": "perf-checkout-2025q3",
        "title": "Black Friday 2025 Checkout Load Test",
        "description": "Made by `make dashboards`.",
        "tags": ["load-test", "checkout"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "utc",
        "annotations": {"list": list(map(_annotation, MARKS))},
        "templating": {"list": list(_variables())},
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }


def _variables() -> Iterator[Json]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
    query = f"label_values({USERS}, environment)"
    yield {
        "name": "environment",
        "type": "query",
        "label": "Environment",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "environment"},
        "refresh": 2,
        "current": {"text": "staging-perf", "value": "staging-perf"},
    }


def _annotation(mark: Mark) -> Json:
    return {
        "name": mark.name,
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": mark.colour,
        "expr": mark.expr,
        "step": "5s",
        "useValueForTime": "on",
        "titleFormat": "{{source}}: {{event}}",
        "textFormat": "{{detail}}",
        "tagKeys": "event,source",
    }


def _panel(number: int, panel: Panel) -> Json:
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "title": panel.title,
        "type": panel.kind,
        "description": panel.description,
        "datasource": _SOURCE,
        "gridPos": {"x": _WIDTH * column, "y": _HEIGHT * row, "w": _WIDTH, "h": _HEIGHT},
        "targets": list(_targets(panel.kind, panel.queries)),
        **_OF_KIND[panel.kind](panel),
    }


def _targets(kind: str, queries: Sequence[Query]) -> Iterator[Json]:
    now_only = {"instant": True, "range": False} if kind == "table" else {"range": True}
    for number, query in enumerate(queries):
        yield {
            "refId": chr(ord("A") + number),
            "datasource": _SOURCE,
            "expr": query.expr,
            "legendFormat": query.legend,
            "format": "time_series",
            **now_only,
        }


def _lines(panel: Panel) -> Json:
    custom: Json = {"drawStyle": "line", "fillOpacity": 20 if panel.stacked else 0}
    if panel.stacked:
        custom["stacking"] = {"mode": "normal"}
    defaults: Json = {"unit": panel.unit, "custom": custom}
    if panel.limit is not None:
        custom["thresholdsStyle"] = {"mode": "line"}
        steps = [{"value": None, "color": "transparent"}, {"value": panel.limit, "color": "red"}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    return {
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _heat(panel: Panel) -> Json:
    """A row for each series, its colour the value."""
    return {
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {
            "calculate": False,
            "cellValues": {"unit": panel.unit},
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
            "legend": {"show": True},
            "yAxis": {"axisPlacement": "left"},
        },
    }


def _final_values(panel: Panel) -> Json:
    """A row for each query: its name and its newest value."""
    return {
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {"showHeader": True},
        "transformations": [{"id": "reduce", "options": {"reducers": ["lastNotNull"]}}],
    }


_OF_KIND: Mapping[str, Any] = {"timeseries": _lines, "heatmap": _heat, "table": _final_values}
