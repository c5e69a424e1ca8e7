"""k6's summary as a table: of ``--summary-export``, or the data that ``handleSummary`` is given.

The first has a metric's values beside its thresholds, the second under ``values``. Numbers are
full floats. Of sub-metrics those by ``name`` are endpoints; there may be more that were asked.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from recording.errors import ConfigError

Values = Mapping[str, Any]
_BY_NAME = re.compile(r"http_req_duration\{name:([^,{}]+)\}")
_LATENCIES = {
    "min": "min",
    "mean": "avg",
    "p50": "med",
    "p75": "p(75)",
    "p90": "p(90)",
    "p95": "p(95)",
    "p99": "p(99)",
    "p999": "p(99.9)",
    "max": "max",
}
_PARTS = "http_req_sending", "http_req_waiting", "http_req_receiving"
"""k6's documentation: http_req_duration is their sum."""


def from_k6(summary: Mapping[str, Any], where: str) -> dict[str, Any]:
    """As our schema has it. Raises ConfigError where no HTTP request was made."""
    metrics = {name: _values(found) for name, found in summary["metrics"].items()}
    if "http_reqs" not in metrics:
        raise ConfigError(f"{where}: k6 made no HTTP request (no metric http_reqs)")
    table: dict[str, Any] = {
        "partial": True,
        "endpoints": [
            {"name": found[1], **_row(metrics, f"{{name:{found[1]}}}")}
            for name in metrics
            if (found := _BY_NAME.fullmatch(name))
        ],
        "totals": [_row(metrics, "")],
        "load": dict(_load(summary, metrics)),
        "sums": list(_sums(metrics)),
        "shares": list(_shares(metrics)),
    }
    return table


def _values(found: Any) -> Values:
    inner = found.get("values", found) if isinstance(found, dict) else {}
    return inner if isinstance(inner, dict) else {}


def _row(metrics: Mapping[str, Values], tag: str) -> dict[str, str]:
    """The requests with a tag, or all."""
    counted = metrics.get(f"http_reqs{tag}", {})
    failed = metrics.get(f"http_req_failed{tag}", {})
    took = metrics.get(f"http_req_duration{tag}", {})
    made = {"where": f"http_req_duration{tag}"}
    made |= {key: f"{took[name]} ms" for key, name in _LATENCIES.items() if name in took}
    if "count" in counted and "rate" in counted:
        made |= {"requests": counted["count"], "rate": f"{counted['rate']}/s"}
    if "passes" in failed:  # of the question whether a request failed
        made["failures"] = failed["passes"]
    return made


def _load(summary: Mapping[str, Any], metrics: Mapping[str, Values]) -> Iterator[tuple[str, str]]:
    yield "where", "iterations, vus_max"
    state = summary.get("state")
    if isinstance(state, dict) and "testRunDurationMs" in state:
        yield "duration", f"{state['testRunDurationMs']} ms"
    most = metrics.get("vus_max", {})
    if "max" in most:
        yield "users", most["max"]
    rate, mean = metrics.get("iterations", {}), metrics.get("iteration_duration", {})
    if "rate" in rate and "avg" in mean:
        yield "iteration_rate", f"{rate['rate']}/s"
        yield "iteration_mean", f"{mean['avg']} ms"


def _sums(metrics: Mapping[str, Values]) -> Iterator[dict[str, Any]]:
    means = [metrics.get(name, {}).get("avg") for name in ("http_req_duration", *_PARTS)]
    if None not in means:
        whole, *parts = (f"{mean} ms" for mean in means)
        what = "http_req_duration = sending + waiting + receiving"
        yield {"what": what, "where": "metrics", "whole": whole, "parts": parts}
    failed, sent = metrics.get("http_req_failed", {}), metrics["http_reqs"]
    if {"passes", "fails"} <= set(failed) and "count" in sent:
        parts = [failed["passes"], failed["fails"]]
        what = "http_reqs = failed + not failed"
        yield {"what": what, "where": "metrics", "whole": sent["count"], "parts": parts}


def _shares(metrics: Mapping[str, Values]) -> Iterator[dict[str, Any]]:
    """Rates of yes and no: checks, and requests that failed."""
    for name in ("checks", "http_req_failed"):
        found = metrics.get(name, {})
        share = found.get("rate", found.get("value"))
        if share is None or not {"passes", "fails"} <= set(found):
            continue
        try:
            whole = int(found["passes"]) + int(found["fails"])
            percent = f"{float(share) * 100!r} %"
        except (TypeError, ValueError):
            continue
        if whole:
            part = found["passes"]
            yield {"what": name, "where": name, "part": part, "whole": str(whole), "share": percent}
