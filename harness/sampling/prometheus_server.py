"""Asks a Prometheus server over its HTTP API, version 1 (prometheus.io, "HTTP API").

Samples come as they were scraped: of a series by a range selector, which neither carries a value on
past its target's end nor makes one up between two. Only an expression is evaluated step by step.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import numpy as np
import orjson

from harness.sampling.fold import Series
from harness.sampling.mapping import Wanted
from harness.sampling.metric_tokens import OF_PROMETHEUS, bearer
from harness.system.fetch import NoAnswerError, fetch
from recording.access import DIRECT, Access
from recording.text import plain

PIECE_S = 3600.0
"""Asked for at once: an hour of a hundred series scraped every second is some 10 MB."""
NO_GOOD_ANSWER = (NoAnswerError, ValueError, LookupError, TypeError)
"""What asking raises: nothing came in time, or what came is a refusal or no answer of this API."""
MOST_STEPS = 10_000
"""Of an expression at once; the server refuses 11,001."""


@dataclass(frozen=True, slots=True)
class PrometheusServer:
    """One, and how it is asked. Each answer has a deadline and a largest size.

    Every method raises one of ``NO_GOOD_ANSWER``.
    """

    url: str
    within_s: float
    access: Access = DIRECT
    headers: Mapping[str, str] = field(default_factory=lambda: bearer(OF_PROMETHEUS))

    def now_s(self) -> float:
        """What its clock says, s since 1970."""
        return float(self._ask("query", query="time()")["result"][1])

    def newest_s(self, wanted: Wanted) -> float | None:
        """When the oldest of what it has of a row now was scraped; None where it has nothing."""
        found = self._ask("query", query=f"min(timestamp({wanted.query}))")["result"]
        return float(found[0]["value"][1]) if found else None

    def series(self, wanted: Wanted, from_s: float, to_s: float, step_s: float) -> list[Series]:
        """All that it has of a row between two times of its clock."""
        parts: dict[str, tuple[Mapping[str, str], list[Any]]] = {}
        for result in self._results(wanted, from_s, to_s, step_s):
            labels = {plain(k): plain(v) for k, v in result["metric"].items()}
            key = str(sorted(labels.items()))
            parts.setdefault(key, (labels, []))[1].extend(result["values"])
        return [_series(wanted, labels, rows) for labels, rows in parts.values()]

    def _results(self, wanted: Wanted, from_s: float, to_s: float, step_s: float) -> Iterator[Any]:
        piece_s = min(PIECE_S, MOST_STEPS * step_s)
        for start_s in np.arange(from_s, to_s, piece_s):
            end_s = min(float(start_s) + piece_s, to_s)
            yield from self._piece(wanted, float(start_s), end_s, step_s)["result"]

    def _piece(self, wanted: Wanted, from_s: float, to_s: float, step_s: float) -> Any:
        if wanted.row.promql:
            at = {"start": f"{from_s:.3f}", "end": f"{to_s:.3f}", "step": f"{step_s:.3f}"}
            return self._ask("query_range", query=wanted.query, **at)
        span_ms = max(1, round(1000 * (to_s - from_s)))
        return self._ask("query", query=f"{wanted.query}[{span_ms}ms]", time=f"{to_s:.3f}")

    def _ask(self, path: str, **parameters: str) -> Any:
        url = f"{self.url}/api/v1/{path}?{urlencode(parameters)}"
        page = fetch(url, self.within_s, self.access, self.headers)
        try:
            found = orjson.loads(page.text)
        except orjson.JSONDecodeError:
            raise ValueError(f"status {page.status}, and no answer of a Prometheus") from None
        if not isinstance(found, dict) or found.get("status") != "success":
            said = found.get("error", "") if isinstance(found, dict) else ""
            raise ValueError(f"status {page.status}: {plain(str(said), 300)}")
        return found["data"]


def _series(wanted: Wanted, labels: Mapping[str, str], rows: list[Any]) -> Series:
    """In order, each moment once: two pieces may share the one between them."""
    t_s = np.array([float(t) for t, _ in rows])
    values = np.array([float(value) for _, value in rows])
    t_s, first = np.unique(t_s, return_index=True)
    return Series(wanted, labels, t_s, values[first])
