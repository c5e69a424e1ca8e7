"""Locust's CSV files as a table: `_stats.csv`, `_stats_history.csv`, `_failures.csv`.

Percentiles in them are rounded to two digits, as Locust keeps response times; its means, extremes
and rates are not.
"""

from collections.abc import Mapping
from typing import Any, Literal

from recording.errors import ConfigError

Kind = Literal["stats", "history", "failures"]
Row = dict[str, str]
FILES: Mapping[Kind, str] = {
    "stats": "_stats.csv",
    "history": "_stats_history.csv",
    "failures": "_failures.csv",
}
_MARKS: Mapping[Kind, set[str]] = {
    "history": {"Timestamp", "Name", "Total Request Count", "Total Failure Count"},
    "stats": {"Name", "Request Count", "Failure Count", "Requests/s"},
    "failures": {"Method", "Name", "Occurrences"},
}
ALL = "Aggregated"
_LATENCIES = {
    "min": "Min Response Time",
    "mean": "Average Response Time",
    "p50": "50%",
    "p75": "75%",
    "p90": "90%",
    "p95": "95%",
    "p99": "99%",
    "p999": "99.9%",
    "max": "Max Response Time",
}


def kind_of(row: Row) -> Kind | None:
    """Which of Locust's files has such rows."""
    return next((kind for kind, marks in _MARKS.items() if marks <= set(row)), None)


def from_locust(files: Mapping[Kind, list[Row]], where: str) -> dict[str, Any]:
    """As our schema has it. Raises ConfigError for a file with nothing in it."""
    stats = files.get("stats", [])
    asked = [row for row in stats if row["Request Count"] not in ("", "0")]
    history = [row for row in files.get("history", []) if row["Name"] == ALL]
    if not asked and len(history) < 2 and not files.get("failures"):
        raise ConfigError(f"{where}: no request was made")
    return {
        "endpoints": [_row(row, _name(row)) for row in asked if row["Name"] != ALL],
        "totals": [_row(row) for row in asked if row["Name"] == ALL],
        "series": [_counter(history, asked, it) for it in _COUNTERS if len(history) > 1],
        "sums": _failures(stats, files.get("failures", [])),
    }


def _name(row: Row) -> str:
    """Of an endpoint: Locust tells them apart by method and name."""
    return f"{row.get('Type') or row.get('Method', '')} {row['Name']}".strip()


def _row(row: Row, name: str = "") -> dict[str, str]:
    made = {
        "where": FILES["stats"],
        "requests": row["Request Count"],
        "failures": row["Failure Count"],
        "rate": f"{row['Requests/s']}/s",
    }
    said = {key: row.get(column, "") for key, column in _LATENCIES.items()}
    made |= {key: f"{value} ms" for key, value in said.items() if value not in ("", "N/A")}
    return made | ({"name": name} if name else {})


_COUNTERS = {"Total Request Count": "Request Count", "Total Failure Count": "Failure Count"}
"""Of the history, and what it cannot pass in the statistics."""


def _counter(history: list[Row], asked: list[Row], column: str) -> dict[str, Any]:
    began = int(history[0]["Timestamp"]) if history[0]["Timestamp"].isdigit() else 0
    by_time = {row["Timestamp"]: row[column] for row in history}  # the last of a second
    return {
        "name": column,
        "where": FILES["history"],
        "counter": True,
        "points": [{"at": _since(at, began), "value": value} for at, value in by_time.items()],
        "peaks": [
            {"where": FILES["stats"], "value": row[_COUNTERS[column]]}
            for row in asked
            if row["Name"] == ALL
        ],
    }


def _since(timestamp: str, began_s: int) -> str:
    return f"T+{int(timestamp) - began_s}s" if timestamp.isdigit() else timestamp


def _failures(stats: list[Row], failures: list[Row]) -> list[dict[str, Any]]:
    """A row for each kind of error: together they are the endpoint's failures."""
    made = []
    for name in dict.fromkeys(map(_name, failures)):
        counted = [row["Failure Count"] for row in stats if _name(row) == name]
        parts = [row["Occurrences"] for row in failures if _name(row) == name]
        where = f"{FILES['failures']}; {FILES['stats']}"
        if counted:
            what = f"failures of {name}"
            made.append({"what": what, "where": where, "whole": counted[0], "parts": parts})
    return made
