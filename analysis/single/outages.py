"""What went wrong at a service for a while, as its clients saw it: each kind has its signature.

Read from outcomes by service and block of time, from what the services count of themselves, and
from the ledger. The profile's schedule of faults is never asked: a shop that breaks by itself
leaves the same traces.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
import polars as pl

from analysis.evidence.orders import UNMATCHED, reconcile
from analysis.evidence.run import Evidence
from analysis.evidence.served import idle_pools, served
from analysis.evidence.stretches import Stretch, joined
from recording.durations import format_duration
from recording.events import FAULT_ENDED, FAULT_STARTED
from recording.hlog import Interval, of_requests
from recording.outcomes import (
    CLOSED,
    NO_JSON,
    REFUSED,
    RESET,
    TIMEOUT,
    TRUNCATED,
    UNAVAILABLE,
    WITHOUT_ANSWER,
)

SIGNATURES = {
    REFUSED: "connections refused",
    RESET: "connections reset",
    CLOSED: "connections closed without an answer",
    TRUNCATED: "answers broken off",
    TIMEOUT: "no whole answer in time",
    NO_JSON: "answers malformed",
    UNAVAILABLE: "503 Service Unavailable",
}
"""What each outcome is called that a fault shows in."""
GAP_S = 1.0
"""Failures no further apart are one stretch."""
FEWEST = 3
WORTH_SAYING = 0.05
"""Share of its steps' requests in a stretch; less than this has other causes than an outage."""
HALF = 0.5


@dataclass(frozen=True)
class Outage:
    """One outcome of one service, and the stretch in which requests came out so."""

    evidence: Evidence
    subject: str
    outcome: str
    stretch: Stretch

    @cached_property
    def requests(self) -> list[Interval]:
        """Every request of the service in the stretch."""
        start_s, end_s = self.stretch.start_s, self.stretch.end_s
        return [i for i in _of(self.evidence, self.subject) if start_s <= i.start_s < end_s]

    @cached_property
    def struck(self) -> list[Interval]:
        """Those that came out so."""
        return [i for i in self.requests if i.tag.outcome == self.outcome]

    @property
    def n(self) -> int:
        """Number of requests that came out so."""
        return _n(self.struck)

    @property
    def of(self) -> int:
        """Number of requests of the same steps."""
        return _n(i for i in self.requests if i.tag.step in self.steps)

    @property
    def is_worth_saying(self) -> bool:
        """Whether it is more than a stray failure."""
        return self.n >= FEWEST and self.n >= WORTH_SAYING * self.of

    @cached_property
    def steps(self) -> tuple[str, ...]:
        """Steps of which requests came out so."""
        return self.evidence.services.in_order({i.tag.step for i in self.struck})

    @cached_property
    def is_whole(self) -> bool:
        """Whether it struck every step of the service that was asked for meanwhile."""
        return set(self.steps) == {i.tag.step for i in self.requests}

    @property
    def what(self) -> str:
        """In a clause."""
        at = self.evidence.elapsed
        return (
            f"{self.subject}: {SIGNATURES[self.outcome]}, {self.n:,} of {self.of:,} requests that "
            f"began between {at(self.stretch.start_s)} and {at(self.stretch.end_s)} "
            f"({', '.join(self.steps)}: {self.outcome})"
        )

    @property
    def more(self) -> tuple[str, ...]:
        """What else is known of it."""
        return tuple(filter(None, (self._behind(), self._work_done(), self._said())))

    def __str__(self) -> str:
        return "; ".join((self.what, *self.more))

    def _behind(self) -> str:
        """Whom all these steps call in turn, where its own counters show that it had a part."""
        flow = self.evidence.services
        called = set.intersection(*(set(flow.calls(step)) for step in self.steps))
        told = {subject: ", ".join(self._as_it_counts(subject)) for subject in sorted(called)}
        return "; ".join(f"they call {subject}: {said}" for subject, said in told.items() if said)

    def _as_it_counts(self, subject: str) -> Iterator[str]:
        """What a service that is called says of the same stretch."""
        counted = served(self.evidence, subject, self.stretch)
        failed = sum(n for status, n in counted.items() if status.startswith("5"))
        if failed >= FEWEST:
            yield f"{failed:.0f} of its {sum(counted.values()):.0f} answers were 5xx"
        for label in idle_pools(self.evidence, subject, self.stretch):
            yield f"its pool {label} gave no connection"

    def _work_done(self) -> str:
        """That the work of requests without an answer was done all the same."""
        if self.outcome not in WITHOUT_ANSWER:
            return ""
        if orders := self._orders_unseen():
            return f"answers lost: {orders} orders in the ledger that no client saw"
        unseen = self._served_unseen()
        return f"answers lost: by its own count it gave {unseen} of them" if unseen else ""

    def _orders_unseen(self) -> int:
        found, ledger = reconcile(self.evidence), self.evidence.ledgers.get("")
        if found is None or ledger is None or self.evidence.order_steps.isdisjoint(self.steps):
            return 0
        unseen = ledger.orders.filter(
            pl.col("order_id").is_in(found.wrong[UNMATCHED].ids if UNMATCHED in found.wrong else ())
        )
        inside = pl.col("t_s").is_between(self.stretch.start_s, self.stretch.end_s)
        return len(unseen.filter(inside))

    def _served_unseen(self) -> int:
        """By its own count of requests, held against what clients got there at other times."""
        evidence, subject = self.evidence, self.subject
        inside = sum(served(evidence, subject, self.stretch).values())
        outside = sum(served(evidence, subject, Stretch(0.0, evidence.end_s)).values()) - inside
        got_inside, got = _answered(self.requests), _answered(_of(evidence, subject))
        if got == got_inside:
            return 0  # nothing to learn from how many of its requests are not clients' own
        unseen = inside - got_inside * outside / (got - got_inside)
        lost = _n(self.requests) - got_inside
        return min(lost, round(unseen)) if unseen >= HALF * lost else 0

    def _said(self) -> str:
        """What such an answer said, by an example."""
        about = (
            str(row.get("body", ""))
            for row in self.evidence.exemplars
            if row.get("outcome") == self.outcome and row.get("step") in self.steps
            if self.stretch.start_s <= began_s(row) < self.stretch.end_s
        )
        said = quoted(next(about, ""))
        return f"for example {said}" if said else ""


def outages(evidence: Evidence) -> Iterator[Outage]:
    """One for each service, outcome and stretch."""
    wrong: dict[tuple[str, str], list[Stretch]] = {}
    for i in of_requests(evidence.log.intervals):
        if i.tag.outcome in SIGNATURES:
            key = evidence.services.service_of(i.tag.step), i.tag.outcome
            wrong.setdefault(key, []).append(Stretch(i.start_s, i.start_s + i.length_s))
    for (subject, outcome), blocks in wrong.items():
        found = (Outage(evidence, subject, outcome, s) for s in joined(blocks, GAP_S))
        yield from (outage for outage in found if outage.is_worth_saying)


def _of(evidence: Evidence, subject: str) -> list[Interval]:
    requests = of_requests(evidence.log.intervals)
    return [i for i in requests if evidence.services.service_of(i.tag.step) == subject]


def _n(intervals: Iterable[Interval]) -> int:
    return sum(i.histogram.n for i in intervals)


def _answered(intervals: Iterable[Interval]) -> int:
    return _n(i for i in intervals if i.tag.outcome not in WITHOUT_ANSWER)


def began_s(row: Mapping[str, Any]) -> float:
    """When the request of an example began; before everything where it does not say."""
    t_s, took_ms = row.get("t_s"), row.get("latency_ms")
    if not (isinstance(t_s, int | float) and isinstance(took_ms, int | float)):
        return -1.0
    return t_s - took_ms / 1000


def quoted(body: str) -> str:
    """The words of an error answer; "" for any other body."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(said, dict) or not said.get("error"):
        return ""
    return f"{said['error']}: {said.get('message', '')}"


def planted(evidence: Evidence) -> Iterator[str]:
    """What was done on purpose, to be read beside what was found."""
    return (f"planted: {text}" for _, text in _planted(evidence))


def planted_within(evidence: Evidence, subject: str, start_s: float, end_s: float) -> Iterator[str]:
    """What was done to a service on purpose meanwhile, to an interval of the recording."""
    slack_s = evidence.manifest.profile.recording.interval
    for stretch, text in _planted(evidence, subject):
        if stretch.start_s - slack_s <= end_s and start_s <= stretch.end_s + slack_s:
            yield f"planted by the profile: {text}"


def _planted(evidence: Evidence, subject: str = "") -> Iterator[tuple[Stretch, str]]:
    """Of a service, or of all."""
    ends = evidence.events_named(FAULT_ENDED)
    for row in evidence.events_named(FAULT_STARTED):
        if subject and row.get("service") != subject:
            continue
        what = row.get("service"), row.get("kind")
        began_s = float(row["t_s"])
        later = [float(e["t_s"]) for e in ends if (e.get("service"), e.get("kind")) == what]
        over_s = min((t_s for t_s in later if t_s >= began_s), default=evidence.end_s)
        text = (
            f"{what[1]} at {what[0]} from {evidence.elapsed(began_s)} "
            f"for {format_duration(round(over_s - began_s, 1))}"
        )
        yield Stretch(began_s, over_s), text
