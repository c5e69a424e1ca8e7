"""Everything a run directory holds, read once, damage counted and never fatal."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from analysis.evidence.reading import Reading
from analysis.words.units import format_moment
from recording.clock import is_moment
from recording.closing import changed_files
from recording.errors import LoadgateError, SpoiltError
from recording.events import CLOCK_JUMPED, GUARD_STOPPED, METRICS_LEFT_OUT, NOT_SAMPLED
from recording.flow import Services
from recording.hlog import HistogramLog, Interval, of_requests
from recording.ledgers import OrderLedger, read_orders, read_payments
from recording.levels import Level, levels_of
from recording.manifest import DIGESTS_SINCE, Manifest, MeasuredPhase, read_manifest
from recording.rundir import RunDir
from recording.series_reader import Series
from recording.slots import ARMS, Slots
from recording.story import Story
from recording.timetable import Pauses, paused_s, pauses_of, phases_of, slots_of

log = logging.getLogger(__name__)

FORMAT_1 = (
    "recorded in format 1: it does not say how many requests began, and has no digests: requests "
    "that were never answered are missing from it, and a changed file may go unnoticed"
)

_CONFIRM = "confirm"


@dataclass(frozen=True)
class Evidence:
    """A recording. ``damage`` has one line for each file that was cut off or spoilt."""

    manifest: Manifest
    log: HistogramLog
    resources: Series
    load: Series
    events: Sequence[Mapping[str, Any]]
    exemplars: Sequence[Mapping[str, Any]]
    confirmed: pl.DataFrame
    ledgers: Mapping[str, OrderLedger]
    """By arm, "" outside a paired run; absent where nobody keeps one that we can read."""
    damage: tuple[str, ...]
    payments: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """Those that succeeded, by arm as the ledgers."""
    unconfirmed: pl.DataFrame | None = None
    """Checkouts that clients asked to confirm in vain; None where nobody noted them."""
    spoilt_exemplars: str = ""
    """What is wrong with the examples, which decide nothing; "" where they are sound."""
    window: tuple[float, float] | None = None
    """The one stretch that counts as measured, s since the epoch, in place of the phases."""

    @cached_property
    def services(self) -> Services:
        """What the run was made with; of a paired run what either arm was.

        Until it is closed only the log tells the steps of a locustfile.
        """
        steps = {i.tag.step for i in of_requests(self.log.intervals)}
        return self.manifest.flow().of_steps_seen(steps)

    @property
    def by_name(self) -> bool:
        """Whether somebody's own locustfile made the load: only names and ends are known."""
        return bool(self.manifest.profile.scenario.locustfile)

    @property
    def order_steps(self) -> frozenset[str]:
        """The steps whose work is an order; none where only names are known."""
        outline = self.manifest.profile.scenario.outline
        if self.by_name:
            return frozenset()
        if outline is None:
            return frozenset({_CONFIRM})
        return frozenset(step.name for step in outline.every if step.order)

    @cached_property
    def phases(self) -> tuple[MeasuredPhase, ...]:
        """Phases as they happened; a phase that was cut short ends with the recording."""
        return tuple(
            phase if phase.end_s is not None else phase.model_copy(update={"end_s": self.end_s})
            for phase in phases_of(self.events) or self.manifest.phases
        )

    @cached_property
    def slots(self) -> Slots | None:
        """The timetable of a paired run; None for any other, and before its first slot."""
        return slots_of(self.manifest, self.events)

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """Of a search, in the order in which they were tried; none of any other run."""
        return levels_of(self.events) if self.manifest.search is not None else ()

    @cached_property
    def end_s(self) -> float:
        """The last moment anything is known about, s since the epoch."""
        moments = [float(row["t_s"]) for row in self.events]
        moments += [i.start_s + i.length_s for i in self.log.intervals]
        return max(moments, default=0.0)

    @cached_property
    def load_start_s(self) -> float:
        """When the first phase began; what people mean by T+0."""
        return self.phases[0].start_s if self.phases else 0.0

    @cached_property
    def load_end_s(self) -> float:
        """When the last phase ended; what comes after it is not the load's."""
        ends_s = self.phases[-1].end_s if self.phases else None
        return self.end_s if ends_s is None else ends_s

    @cached_property
    def story(self) -> Story | None:
        """What the run tells; None where nothing, or where it is not played phase by phase."""
        by_phases = self.manifest.paired is None and self.manifest.search is None
        return self.manifest.profile.load.story if by_phases else None

    def times(self, t_s: float) -> float:
        """How many times as fast as the run its story went from a moment on; 1 without one."""
        if self.story is None:
            return 1.0
        since_s = self.planned_s(t_s)
        return self.story.told_at_s(since_s + 1.0) - self.story.told_at_s(since_s)

    def told_s(self, t_s: float) -> float:
        """A moment, s since the load began; of a story, since its own beginning."""
        if self.story is None:
            return t_s - self.load_start_s
        return self.story.told_at_s(self.planned_s(t_s))

    @cached_property
    def pauses(self) -> Pauses:
        """When the load stood still, as a guard asked it to."""
        return pauses_of(self.events)

    def planned_s(self, t_s: float) -> float:
        """How far the load's plan was at a moment, s: what stood still is no part of it."""
        return t_s - self.load_start_s - paused_s(self.pauses, t_s)

    def elapsed(self, t_s: float) -> str:
        """A moment as ``T+6h14m`` since the load began, the story's where the run tells one."""
        since_s = t_s - self.load_start_s if self.story is None else self.planned_s(t_s)
        return format_moment(since_s, self.story)

    @cached_property
    def measured(self) -> tuple[tuple[float, float], ...]:
        """(start, end) of the measured phases, s since the epoch, without pauses."""
        if self.window is not None:
            return (self.window,)
        found = tuple((p.start_s, p.end_s or p.start_s) for p in self.phases if p.measured)
        return found or self._stretch_of_a_guard

    @property
    def _stretch_of_a_guard(self) -> tuple[tuple[float, float], ...]:
        """What a guard looked at that ended the run before anything was to be measured."""
        ends = (
            (row.get("from_s", 0.0), row.get("to_s", 0.0))
            for row in self.events_named(GUARD_STOPPED)
        )
        known = ((a, b) for a, b in ends if is_moment(a) and is_moment(b))
        return tuple((float(a), float(b)) for a, b in known if a < b)[:1]

    @property
    def measured_from_s(self) -> float:
        """When the first measured phase began, s since the epoch; 0 where none did."""
        return self.measured[0][0] if self.measured else 0.0

    @cached_property
    def measured_s(self) -> float:
        """Length of the measured phases together, s."""
        return sum(end - start for start, end in self.measured)

    def is_measured(self, interval: Interval) -> bool:
        """Whether the middle of an interval lies in a measured phase."""
        middle_s = interval.start_s + interval.length_s / 2
        return any(start <= middle_s < end for start, end in self.measured)

    def is_ours(self, arm: str = "") -> bool:
        """Whether the run started these services itself: nothing of theirs may be missing."""
        paired = self.manifest.paired
        if paired is not None:
            return paired.facts_of(arm).ours
        return self.manifest.source == "loadgate" and self.manifest.profile.starts_mocks

    def remarks(self) -> Iterator[str]:
        """What whoever reads the verdict must know, whatever it is."""
        if origin := self.manifest.origin:
            yield f"imported from {origin.file}, {origin.format}"
            yield from origin.means
        if self.manifest.format < DIGESTS_SINCE:
            yield FORMAT_1
        if self.spoilt_exemplars:
            yield f"exemplars.jsonl {self.spoilt_exemplars}"
        if (shop := self.manifest.profile.arm) and (
            keys := shop.together(self.manifest.profile.flow)
        ):
            subjects = [s.subject for s in self.services.all if s.key in keys]
            one = ", ".join(subjects)
            yield f"{one} are at one url: memory and CPU of each are those of all of them"
        for row in self.events_named(NOT_SAMPLED):
            subject = row.get("subject")
            yield f"{subject} exports no /metrics: its pools, memory and CPU are not known"
        for row in self.events_named(METRICS_LEFT_OUT):
            yield f"{row.get('subject')}: {row.get('because')}"
        for row in self.events_named(CLOCK_JUMPED):
            yield (
                f"the wall clock jumped by {row.get('by_s')} s during the run; measurements use "
                "the monotonic clock and are not affected"
            )

    def times_of(self, name: str) -> list[float]:
        """When the events of one kind happened, s since the epoch."""
        return [float(row["t_s"]) for row in self.events_named(name)]

    def events_named(self, name: str) -> list[Mapping[str, Any]]:
        """The events of one kind, in the order they were written."""
        return [row for row in self.events if row.get("event") == name]


def load_evidence(run: RunDir, *, ledgers: bool = True) -> Evidence:
    """Read a run directory, without the shop's own ledgers if need be.

    Raises ConfigError only when its manifest is unreadable.
    """
    manifest = read_manifest(run.manifest)
    reading = Reading(run, dict(changed_files(run, manifest)))
    events = reading.events()
    arms = (ARMS if manifest.paired else ("",)) if ledgers else ()
    return Evidence(
        manifest=manifest,
        log=reading.log(manifest, events),
        resources=reading.series(run.resources),
        load=reading.series(run.load),
        events=events,
        exemplars=reading.exemplars(),
        confirmed=reading.confirmed(),
        unconfirmed=reading.unconfirmed(),
        ledgers=reading.of_arms(arms, run.orders_of, read_orders),
        payments=reading.of_arms(arms, run.payments_of, read_payments),
        damage=reading.damage(),
        spoilt_exemplars=reading.spoilt_exemplars,
    )


@contextmanager
def last_net(run: RunDir) -> Iterator[None]:
    """Raises SpoiltError for every error that nobody raised on purpose: a spoilt recording's."""
    try:
        yield
    except LoadgateError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        log.debug("%s cannot be judged", run.root, exc_info=True)
        raise SpoiltError(f"cannot be judged: {type(error).__name__}: {error}") from error
