"""Requests kept whole: every failure up to a limit, and the slowest of each report."""

import heapq
import re
from typing import Any

from recording.hlog import UNPAIRED

_SERVER_TIME = re.compile(rb"(?i)\r\nx-response-time:[ \t]*(\d+(?:\.\d+)?)[ \t]*ms[ \t]*\r\n")
_BODY_LIMIT = 400


def server_time_ms(head: bytes) -> float | None:
    """The server's own ``X-Response-Time``, ms; None where it did not send one."""
    match = _SERVER_TIME.search(head)
    return float(match[1]) if match else None


class Exemplars:
    """What a report carries beside its histograms."""

    def __init__(self, slowest: int, failures: int) -> None:
        self._slowest_limit = slowest
        self._failure_limit = failures
        self._slowest: list[tuple[float, int, dict[str, Any]]] = []
        self._failures: list[dict[str, Any]] = []
        self._number = 0
        self.left_out = 0

    def slow(self, t_s: float, latency_ms: float, response: Any, context: dict[str, Any]) -> None:
        """One of the slowest so far that went well."""
        self._number += 1
        row = _row("slowest", t_s, latency_ms, response, context)
        heapq.heappush(self._slowest, (latency_ms, self._number, row))
        if len(self._slowest) > self._slowest_limit:
            heapq.heappop(self._slowest)

    def is_slow(self, latency_ms: float) -> bool:
        """Whether it belongs to the slowest so far."""
        if len(self._slowest) < self._slowest_limit:
            return True
        return bool(self._slowest) and latency_ms > self._slowest[0][0]

    def failure(
        self, t_s: float, latency_ms: float, response: Any, context: dict[str, Any]
    ) -> None:
        """A request that failed, with what it was answered."""
        if len(self._failures) >= self._failure_limit:
            self.left_out += 1
            return
        row = _row("failure", t_s, latency_ms, response, context)
        row["body"] = response.content[:_BODY_LIMIT].decode(errors="replace")
        row["error"] = str(response.error or "")
        self._failures.append(row)

    def take(self) -> list[dict[str, Any]]:
        """What was kept since the last call."""
        kept = [row for _, _, row in self._slowest] + self._failures
        self._slowest, self._failures = [], []
        return kept


def _row(
    why: str, t_s: float, latency_ms: float, response: Any, context: dict[str, Any]
) -> dict[str, Any]:
    return {
        "t_s": round(t_s, 3),
        "step": context["step"],
        "outcome": context["outcome"],
        "arm": context.get("arm", UNPAIRED),
        "why": why,
        "latency_ms": round(latency_ms, 3),
        "server_ms": server_time_ms(response.head),
        "request_id": context["request_id"],
        "status": response.status_code,
    }
