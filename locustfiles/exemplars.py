"""Requests kept whole: every failure up to a limit, and the slowest of each report."""

import heapq
import re
from collections.abc import Callable
from typing import Any

from locustfiles.trace import trace_id_of
from recording.hlog import UNPAIRED

_SERVER_TIME = re.compile(rb"(?i)\r\nx-response-time:[ \t]*(\d+(?:\.\d+)?)[ \t]*ms[ \t]*\r\n")
_BODY_LIMIT = 400


def server_time_ms(head: bytes) -> float | None:
    """The server's own ``X-Response-Time``, ms; None where it did not send one."""
    match = _SERVER_TIME.search(head)
    return float(match[1]) if match else None


class Exemplars:
    """What a report carries beside its histograms."""

    def __init__(self, now_s: Callable[[], float], slowest: int, failures: int) -> None:
        self._now_s = now_s
        self._slowest_limit = slowest
        self._failure_limit = failures
        self._slowest: list[tuple[float, int, dict[str, Any]]] = []
        self._failures: list[dict[str, Any]] = []
        self._number = 0
        self.left_out = 0

    def offer(self, latency_ms: float, response: Any, context: dict[str, Any]) -> None:
        """A request that has ended: kept if it failed, or is one of the slowest so far."""
        slowest = self._slowest
        if not context["expected"]:
            self._keep_failure(self._row("failure", latency_ms, response, context), response)
        elif len(slowest) < self._slowest_limit or (slowest and latency_ms > slowest[0][0]):
            self._number += 1
            row = self._row("slowest", latency_ms, response, context)
            heapq.heappush(slowest, (latency_ms, self._number, row))
            if len(slowest) > self._slowest_limit:
                heapq.heappop(slowest)

    def _keep_failure(self, row: dict[str, Any], response: Any) -> None:
        if len(self._failures) >= self._failure_limit:
            self.left_out += 1
            return
        body = response.content[:_BODY_LIMIT].decode(errors="replace")
        self._failures.append(row | {"body": body, "error": str(response.error or "")})

    def take(self) -> list[dict[str, Any]]:
        """What was kept since the last call."""
        kept = [row for _, _, row in self._slowest] + self._failures
        self._slowest, self._failures = [], []
        return kept

    def _row(
        self, why: str, latency_ms: float, response: Any, context: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "t_s": round(self._now_s(), 3),
            "step": context["step"],
            "outcome": context["outcome"],
            "arm": context.get("arm", UNPAIRED),
            "why": why,
            "latency_ms": round(latency_ms, 3),
            "server_ms": server_time_ms(response.head),
            "request_id": context["request_id"],
            "trace_id": trace_id_of(context["traceparent"]) if "traceparent" in context else "",
            "status": response.status_code,
        }
