"""Watches a run while it goes on: says when a guard does not hold, pauses the load, ends the run.

Each look reads what was recorded since the last, and measures as the judge does. All that is done
is an event first.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from analysis.evidence.growing import Growing
from analysis.evidence.run import Evidence
from analysis.guards.look import Look, is_cleared, looks, why_no_evidence
from analysis.limits.guard import OVER_S, Guards
from harness.run.events import write_event
from harness.run.paused import Paused
from recording.clock import RunClock
from recording.durations import format_duration
from recording.events import (
    GUARD_CLEARED,
    GUARD_STOPPED,
    GUARD_TRIPPED,
    INVALID_SEEN,
    LOOK_FAILED,
    PAUSE_ASKED,
    PHASES_ENDED,
    RESUME_ASKED,
)
from recording.rundir import RunDir

LOOKS_EVERY_S = 2.0
MOST_OF_A_CORE = 0.04
"""A look that takes long is followed by a rest that is so much longer."""
VALIDITY_EVERY_S = 8.0
"""Those at the whole run so far take longest; two of them in a row decide."""


class Watchdog(threading.Thread):
    """``news`` are lines for whoever looks on.

    ``stopped`` says why a guard ended the run, ``spoilt`` that it is no evidence and was to end
    then; "" until it has to.
    """

    def __init__(
        self, guards: Guards, run: RunDir, clock: RunClock, urls: Mapping[str, str]
    ) -> None:
        super().__init__(name="guards", daemon=True)
        self.news: deque[str] = deque()
        self.stopped = ""
        self.spoilt = ""
        self.paused: Paused | None = None
        self._guards = guards
        self._run = run
        self._clock = clock
        self._urls = urls
        self._over = threading.Event()
        self._recording: Growing | None = None
        self._broken: dict[tuple[str, str, str, str], Look] = {}
        self._stood_still_s = 0.0
        self._checked_s = 0.0
        self._suspect = False
        self._said: frozenset[str] = frozenset()
        self._failed = ""

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        if self.is_alive():
            self.join()

    def resume(self, by: str) -> None:
        """Let a load that is paused go on."""
        if self.paused is not None and not self.paused.resumed:
            self.paused.resumed = True
            self._note(RESUME_ASKED, by=by)
            self.news.append(f"resumed ({by}): users come back, then the plan goes on")

    def run(self) -> None:
        """The thread."""
        rest_s = LOOKS_EVERY_S
        while not self._over.wait(rest_s):
            began_s = time.thread_time()
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - guards must not end unheard
                self._tell_failure(f"{type(error).__name__}: {error}")
            rest_s = max(LOOKS_EVERY_S, (time.thread_time() - began_s) / MOST_OF_A_CORE)

    def _look(self) -> None:
        longest_s = max((g.over_s for g in self._guards.every), default=OVER_S)
        self._recording = self._recording or Growing(self._run, longest_s)
        evidence = self._recording.look()
        if not evidence.phases or evidence.events_named(PHASES_ENDED):
            return
        self._check_evidence(evidence)
        found = list(looks(evidence, self._guards.every, self._since_s(evidence)))
        if self.paused is not None:
            self._while_paused(self.paused, evidence, found)
        else:
            self._act(evidence, found)

    def _since_s(self, evidence: Evidence) -> float:
        """From when on guards look: the load began, or came back, the grace period before."""
        ends = [end_s for _, end_s in evidence.pauses if end_s is not None]
        return (ends[-1] if ends else evidence.load_start_s) + self._guards.grace_s

    def _act(self, evidence: Evidence, found: Sequence[Look]) -> None:
        """Tell all that does not hold, and do the gravest that is asked for.

        Once all is measured, nothing is left to be paused or ended.
        """
        proven = {one.key: one for one in found if one.is_proven(self._guards.min_samples)}
        for key in self._broken.keys() - proven.keys():
            self._clear(self._broken.pop(key))
        fresh = [one for key, one in proven.items() if key not in self._broken]
        self._broken |= proven
        for one in fresh:
            self._note(GUARD_TRIPPED, **one.told())
            self.news.append(f"{one.guard.action} at {evidence.elapsed(one.end_s)}: {one}")
        asked = {one.guard.action: one for one in reversed(proven.values())}
        if not _is_to_be_measured(evidence):
            return
        if abort := asked.get("abort"):
            self._end_run(abort, str(abort))
        elif pause := asked.get("pause"):
            self._pause(pause, evidence)

    def _clear(self, one: Look) -> None:
        action, rule, subject, where = one.key
        self._note(GUARD_CLEARED, guard=action, rule=rule, subject=subject, where=where)

    def _pause(self, one: Look, evidence: Evidence) -> None:
        self.paused = Paused(one, self._clock.now_s())
        self._note(PAUSE_ASKED, because=str(one))
        limit_s = self._guards.pause_limit_s - self._stood_still_s
        self.news.extend(self.paused.in_words(self._run, evidence, self._urls, limit_s))

    def _while_paused(self, paused: Paused, evidence: Evidence, found: Sequence[Look]) -> None:
        if (end_s := paused.ended_s(evidence)) is not None:
            self._stood_still_s += end_s - paused.since_s
            for one in self._broken.values():
                self._clear(one)
            self._broken = {}
            self.paused = None
            return
        if paused.resumed:
            return
        own = [one for one in found if one.guard == paused.by.guard]
        stood_s = self._stood_still_s + self._clock.now_s() - paused.since_s
        if stood_s >= self._guards.pause_limit_s:
            limit = format_duration(self._guards.pause_limit_s)
            self._end_run(paused.by, f"{paused.by}; it was not cleared in {limit} of pause")
        elif not paused.by.guard.waits and paused.is_empty(evidence) and is_cleared(evidence, own):
            self.resume("the condition has cleared")

    def _end_run(self, one: Look, because: str) -> None:
        self._note(GUARD_STOPPED, because=because, **one.told())
        self.news.append(f"a guard ends the run: {because}")
        self.stopped = f"a guard ended the run: {because}"
        self._over.set()

    def _check_evidence(self, evidence: Evidence) -> None:
        """Twice in a row, as what was measured last may be a moment's noise."""
        now_s = self._clock.now_s()
        if now_s - self._checked_s < VALIDITY_EVERY_S:
            return
        self._checked_s = now_s
        wrong = why_no_evidence(evidence, self._guards)
        if wrong and self._suspect and (fresh := {c.name for c in wrong} - self._said):
            self._said |= fresh
            because = "; ".join(str(check) for check in wrong)
            self._note(INVALID_SEEN, because=because)
            self.news.extend(self._no_evidence(because))
        self._suspect = bool(wrong)
        if not wrong:
            self._said = frozenset()

    def _no_evidence(self, because: str) -> Iterator[str]:
        yield f"this run is no evidence so far: {because}"
        if self._guards.stop_when_invalid:
            self.spoilt = f"no evidence, and asked to stop then: {because}"
        else:
            yield "  Ctrl-C ends it; with --stop-when-invalid it would end by itself"

    def _tell_failure(self, error: str) -> None:
        if error != self._failed:
            self._failed = error
            self.news.append(f"guards could not look: {error}")
            self._note(LOOK_FAILED, error=error)

    def _note(self, event: str, **details: object) -> None:
        write_event(self._run, self._clock, event, **details)


def _is_to_be_measured(evidence: Evidence) -> bool:
    """Whether anything measured is under way, or to come."""
    phases = evidence.manifest.profile.load.phases
    last = max(number for number, phase in enumerate(phases) if phase.measured)
    return evidence.planned_s(evidence.end_s) < sum(phase.duration for phase in phases[: last + 1])
