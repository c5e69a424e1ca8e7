"""Records every request of one process, cheaply: raw µs into lists, histograms once per interval.

Locust's own statistics round response times to two significant digits and swallow exceptions of
listeners, so nothing is judged on them. A recorder counts what it recorded and what it failed to
record; the judge holds both against Locust's own count.
"""

import heapq
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from locustfiles.intervals import Intervals
from recording.histogram import Histogram
from recording.hlog import DISTORTION, DISTORTION_GRAIN_US, INTENDED, LATENCY, UNPAIRED, Tag

_SERVER_TIME = re.compile(rb"(?i)\r\nx-response-time:[ \t]*(\d+(?:\.\d+)?)[ \t]*ms[ \t]*\r\n")
_BODY_LIMIT = 400

LAG = Tag("generator", "lag")


class Recorder:
    """Not thread-safe: gevent switches greenlets only at I/O, and nothing here does any."""

    def __init__(
        self,
        now_s: Callable[[], float],
        intervals: Intervals,
        slowest_per_interval: int = 3,
        failures_per_interval: int = 200,
    ) -> None:
        self._now_s = now_s
        self._intervals = intervals
        self._slowest_limit = slowest_per_interval
        self._failure_limit = failures_per_interval
        self._open: dict[int, dict[Tag, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._slowest: list[tuple[float, int, dict[str, Any]]] = []
        self._failures: list[dict[str, Any]] = []
        self._orders: list[tuple[float, str, str]] = []
        self._tags: dict[tuple[str, str, str], tuple[Tag, Tag, Tag]] = {}
        self.recorded = 0
        self.reported = 0
        self.failed = 0
        self.errors = 0
        self.failures_left_out = 0
        self.last_error = ""

    def on_request(
        self, response_time: float, response: Any, context: dict[str, Any], **_rest: Any
    ) -> None:
        """Listener of ``events.request``; ``response_time`` is in ms, unrounded."""
        try:
            self._record(response_time, response, context)
        except Exception as error:  # noqa: BLE001 - Locust would swallow it; the judge must know
            self.errors += 1
            self.last_error = f"{type(error).__name__}: {error}"

    def _record(self, response_ms: float, response: Any, context: dict[str, Any]) -> None:
        t_s = self._now_s()
        tags = self._tags_of(context["step"], context["outcome"], context.get("arm", UNPAIRED))
        latency_tag, distortion_tag, intended_tag = tags
        slot = self._open[self._intervals.index_of_request(t_s, response_ms / 1000)]
        slot[latency_tag].append(response_ms * 1000)
        self.recorded += 1
        server_ms = server_time_ms(response.head)
        if server_ms is not None:
            slot[distortion_tag].append(max(0.0, (response_ms - server_ms) * 1000))
        if (due_s := context["due_s"]) is not None:
            slot[intended_tag].append((t_s - due_s) * 1e6)
        if order := context["order_id"]:
            arm = context.get("arm", UNPAIRED)
            self._orders.append((t_s, order, "" if arm == UNPAIRED else arm))
        self._keep_exemplar(t_s, response_ms, server_ms, response, context)

    def _tags_of(self, step: str, outcome: str, arm: str) -> tuple[Tag, Tag, Tag]:
        found = self._tags.get((step, outcome, arm))
        if found is None:
            found = (
                Tag(step, outcome, arm),
                Tag(step, outcome, arm, kind=DISTORTION),
                Tag(step, outcome, arm, kind=INTENDED),
            )
            self._tags[step, outcome, arm] = found
        return found

    def _keep_exemplar(
        self,
        t_s: float,
        response_ms: float,
        server_ms: float | None,
        response: Any,
        context: dict[str, Any],
    ) -> None:
        failed = not context["expected"]
        self.failed += failed
        if not failed and not self._is_slow(response_ms):
            return
        row = {
            "t_s": round(t_s, 3),
            "step": context["step"],
            "outcome": context["outcome"],
            "arm": context.get("arm", UNPAIRED),
            "why": "failure" if failed else "slowest",
            "latency_ms": round(response_ms, 3),
            "server_ms": server_ms,
            "request_id": context["request_id"],
            "status": response.status_code,
        }
        if not failed:
            heapq.heappush(self._slowest, (response_ms, self.recorded, row))
            if len(self._slowest) > self._slowest_limit:
                heapq.heappop(self._slowest)
        elif len(self._failures) < self._failure_limit:
            row["body"] = response.content[:_BODY_LIMIT].decode(errors="replace")
            row["error"] = str(response.error or "")
            self._failures.append(row)
        else:
            self.failures_left_out += 1

    def _is_slow(self, response_ms: float) -> bool:
        """Whether it belongs to the slowest of this interval so far."""
        if len(self._slowest) < self._slowest_limit:
            return True
        return bool(self._slowest) and response_ms > self._slowest[0][0]

    def record_lag(self, late_s: float) -> None:
        """How late a timer of the generator fired, s."""
        slot = self._open[self._intervals.index(self._now_s())]
        slot[LAG].append(max(0.0, late_s) * 1e6)

    def take(self, *, final: bool) -> dict[str, Any]:
        """What was recorded since the last call, ready for a worker report (msgpack types only).

        Only intervals that are over are handed out, unless ``final``.
        """
        current = self._intervals.index(self._now_s())
        done = [i for i in sorted(self._open) if final or i < current]
        slots = [(i, self._open.pop(i)) for i in done]
        self.reported += sum(
            len(values)
            for _, slot in slots
            for tag, values in slot.items()
            if tag.kind == LATENCY and tag != LAG
        )
        exemplars = [row for _, _, row in self._slowest] + self._failures
        orders = self._orders
        self._slowest, self._failures, self._orders = [], [], []
        return {
            "intervals": [(i, _pack(slot)) for i, slot in slots],
            "closed_below": current if not final else current + 1,
            "exemplars": exemplars,
            "orders": orders,
            "recorded": self.reported,
            "failed": self.failed,
            "errors": self.errors,
            "last_error": self.last_error,
            "failures_left_out": self.failures_left_out,
            "final": final,
        }


def server_time_ms(head: bytes) -> float | None:
    """The server's own ``X-Response-Time``, ms; None where it did not send one."""
    match = _SERVER_TIME.search(head)
    return float(match[1]) if match else None


def _pack(slot: dict[Tag, list[float]]) -> list[tuple[str, bytes, bytes]]:
    packed = []
    for tag, values in slot.items():
        grain_us = DISTORTION_GRAIN_US if tag.kind == DISTORTION else 1
        h = Histogram.from_values(np.rint(np.divide(values, grain_us)) * grain_us)
        packed.append((str(tag), h.indices.tobytes(), h.counts.tobytes()))
    return packed


def unpack(packed: list[tuple[str, bytes, bytes]]) -> list[tuple[Tag, Histogram]]:
    """The histograms of one interval of a report."""
    return [
        (Tag.parse(tag), Histogram(np.frombuffer(i, np.int64), np.frombuffer(c, np.int64)))
        for tag, i, c in packed
    ]
