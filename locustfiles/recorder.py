"""Records every request of one process, cheaply: raw µs into lists, histograms once per interval.

A request is known from its beginning: what never ends is recorded at the last report, so nothing
that began can vanish. It belongs to the interval in which it began: when it was due in the open
model, when it was sent in the closed one.

Locust's own statistics round response times to two significant digits and swallow exceptions of
listeners, so nothing is judged on them. A recorder counts what began, what it recorded and what
it failed to record; the judge holds all of that against the log and Locust's own count.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from locustfiles.exemplars import Exemplars, server_time_ms
from locustfiles.intervals import Intervals
from recording.histogram import Histogram
from recording.hlog import (
    DISTORTION,
    DISTORTION_GRAIN_US,
    GENERATOR,
    INTENDED,
    LATENCY,
    OPENING,
    RETRY,
    UNPAIRED,
    Tag,
)
from recording.outcomes import TIMEOUT, UNANSWERED, is_failure
from recording.text import plain

LAG = (GENERATOR, "lag", UNPAIRED)
_KINDS = (LATENCY, DISTORTION, INTENDED, RETRY, OPENING)
_RAISED_CHARS = 200
"""Of what a task raised."""
HELD_BACK = 2
"""Intervals that wait for requests which began in them; later ends get a line of their own."""


class _Values(NamedTuple):
    """What was measured of one step, outcome and arm in one interval, µs."""

    latency: list[float]
    distortion: list[float]
    intended: list[float]
    retry: list[float]
    opening: list[float]


class Recorder:
    """Not thread-safe: gevent switches greenlets only at I/O, and nothing here does any.

    ``deadline_s`` is how long a request may take; one cut off before that is undecided.
    """

    def __init__(
        self,
        now_s: Callable[[], float],
        intervals: Intervals,
        slowest_per_interval: int = 3,
        failures_per_interval: int = 200,
        deadline_s: float = 30.0,
    ) -> None:
        self._now_s = now_s
        self._intervals = intervals
        self._deadline_s = deadline_s
        self._exemplars = Exemplars(now_s, slowest_per_interval, failures_per_interval)
        self._open: dict[int, dict[tuple[str, str, str], _Values]] = defaultdict(
            lambda: defaultdict(lambda: _Values([], [], [], [], []))
        )
        self._under_way: dict[str, dict[str, Any]] = {}
        self._begun: dict[tuple[str, str], int] = defaultdict(int)
        self._orders: list[tuple[float, str, str]] = []
        self._given_up: list[tuple[float, str, str, str]] = []
        self.recorded = 0
        self.reported = 0
        self.failed = 0
        self.cut_off_count = 0
        self.errors = 0
        self.last_error = ""
        self.raised = 0
        self.last_raised = ""

    def begin(self, context: dict[str, Any]) -> None:
        """A request is about to be sent: ``step``, ``arm``, ``request_id`` and ``due_s`` of it."""
        context["sent_s"] = self._now_s()
        self._under_way[context["request_id"]] = context
        self._begun[context["step"], context["arm"]] += 1

    def begin_again(self, context: dict[str, Any]) -> None:
        """A request that was forgotten is one after all, and began when it did."""
        self._under_way[context["request_id"]] = context
        self._begun[context["step"], context["arm"]] += 1

    def cut_off(self, context: dict[str, Any]) -> None:
        """A request that began has been abandoned without an end: its user was killed."""
        if self._under_way.pop(context["request_id"], None) is None:
            return
        age_s = self._now_s() - context["sent_s"]
        context["outcome"] = TIMEOUT if age_s >= self._deadline_s else UNANSWERED
        self.cut_off_count += 1
        self.failed += is_failure(context["outcome"])
        self._add(context, 1000 * age_s)

    def on_request(
        self, response_time: float, response: Any, context: dict[str, Any], **_rest: Any
    ) -> None:
        """Listener of ``events.request``; ``response_time`` is in ms, unrounded."""
        try:
            self.record(response_time, response, context)
        except Exception as error:  # noqa: BLE001 - Locust would swallow it; the judge must know
            self.note(error)

    def on_user_error(self, exception: BaseException, **_rest: Any) -> None:
        """Listener of ``events.user_error``: a user's task raised, and asks nothing more."""
        self.raised += 1
        with suppress(Exception):  # how it puts itself into words is its own
            self.last_raised = plain(f"{type(exception).__name__}: {exception}", _RAISED_CHARS)

    def note(self, error: Exception) -> None:
        """Something could not be recorded."""
        self.errors += 1
        self.last_error = f"{type(error).__name__}: {error}"

    def forget(self, context: dict[str, Any]) -> None:
        """What began was no request: nothing tells how it went."""
        if self._under_way.pop(context["request_id"], None) is not None:
            self._begun[context["step"], context["arm"]] -= 1

    def rename(self, context: dict[str, Any], step: str) -> None:
        """A request under way is another step than it was taken for."""
        self._begun[context["step"], context["arm"]] -= 1
        self._begun[step, context["arm"]] += 1
        context["step"] = step

    def record(self, response_ms: float, response: Any, context: dict[str, Any]) -> None:
        """A request that began has ended; raises what a spoilt answer makes it raise."""
        del self._under_way[context["request_id"]]
        values = self._add(context, response_ms)
        server_ms = server_time_ms(response.head)
        opening_ms = response.opening_ms
        if opening_ms:
            values.opening.append(opening_ms * 1000)
        if server_ms is not None:
            added_ms = response_ms - server_ms - opening_ms - response.hops_ms
            values.distortion.append(added_ms * 1000 if added_ms > 0 else 0.0)
        if order := context["order_id"]:
            self._orders.append((self._now_s(), order, _arm_of(context)))
        self.failed += not context["expected"]
        self._exemplars.offer(response_ms, response, context)

    def _add(self, context: dict[str, Any], latency_ms: float) -> _Values:
        """Record a latency where its request began."""
        due_s, sent_s = context["due_s"], context["sent_s"]
        slot = self._open[self._intervals.index(sent_s if due_s is None else due_s)]
        values = slot[context["step"], context["outcome"], context["arm"]]
        values.latency.append(latency_ms * 1000)
        if due_s is not None:
            values.intended.append((sent_s - due_s) * 1e6 + latency_ms * 1000)
        self.recorded += 1
        return values

    def ask_again(self, context: dict[str, Any], wait_s: float) -> None:
        """A request that has been recorded will be made once more, so much later."""
        due_s, sent_s = context["due_s"], context["sent_s"]
        slot = self._open[self._intervals.index(sent_s if due_s is None else due_s)]
        values = slot[context["step"], context["outcome"], context["arm"]]
        values.retry.append(wait_s * 1e6)

    def give_up(self, context: dict[str, Any], asked: Mapping[str, Any]) -> None:
        """A client asks no more to confirm what was ``asked``, and has seen no order."""
        checkout, payment = asked["checkout_id"], asked["payment_id"]
        self._given_up.append((self._now_s(), checkout, payment, _arm_of(context)))

    def record_lag(self, late_s: float) -> None:
        """How late a timer of the generator fired, s."""
        slot = self._open[self._intervals.index(self._now_s())]
        slot[LAG].latency.append(max(0.0, late_s) * 1e6)

    def take(self, *, final: bool) -> dict[str, Any]:
        """What was recorded since the last call, ready for a worker report (msgpack types only).

        Only intervals that are over are handed out, unless ``final``: then everything, and what is
        still under way is recorded as cut off.
        """
        if final:
            for context in list(self._under_way.values()):
                self.cut_off(context)
        below = self._settled_below(final=final)
        slots = [(i, self._open.pop(i)) for i in sorted(self._open) if i < below]
        self.reported += sum(
            len(values.latency) for _, slot in slots for key, values in slot.items() if key != LAG
        )
        orders, self._orders = self._orders, []
        given_up, self._given_up = self._given_up, []
        return {
            "intervals": [(i, _pack(slot)) for i, slot in slots],
            "closed_below": below,
            "exemplars": self._exemplars.take(),
            "orders": orders,
            "given_up": given_up,
            "begun": [(step, arm, n) for (step, arm), n in self._begun.items() if n],
            "recorded": self.reported,
            "cut_off": self.cut_off_count,
            "failed": self.failed,
            "errors": self.errors,
            "last_error": self.last_error,
            "raised": self.raised,
            "last_raised": self.last_raised,
            "failures_left_out": self._exemplars.left_out,
            "final": final,
        }

    def _settled_below(self, *, final: bool) -> int:
        """Intervals before this one are over, and nearly always complete."""
        current = self._intervals.index(self._now_s())
        if final:
            return max([current, *self._open]) + 1
        begun = (
            self._intervals.index(c["sent_s"] if c["due_s"] is None else c["due_s"])
            for c in self._under_way.values()
        )
        return max(min(begun, default=current), current - HELD_BACK)


def _arm_of(context: dict[str, Any]) -> str:
    return "" if context["arm"] == UNPAIRED else str(context["arm"])


def _pack(slot: dict[tuple[str, str, str], _Values]) -> list[tuple[str, bytes, bytes]]:
    packed = []
    for (step, outcome, arm), values in slot.items():
        for kind, found_us in zip(_KINDS, values, strict=True):
            if found_us:
                grain_us = DISTORTION_GRAIN_US if kind in (DISTORTION, OPENING) else 1
                h = Histogram.from_values(np.rint(np.divide(found_us, grain_us)) * grain_us)
                tag = str(Tag(step, outcome, arm, kind))
                packed.append((tag, h.indices.tobytes(), h.counts.tobytes()))
    return packed


def unpack(packed: list[tuple[str, bytes, bytes]]) -> list[tuple[Tag, Histogram]]:
    """The histograms of one interval of a report."""
    return [
        (Tag.parse(tag), Histogram(np.frombuffer(i, np.int64), np.frombuffer(c, np.int64)))
        for tag, i, c in packed
    ]
