"""The judge of a search for a setting: what is enough, and is what is in force today?"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from math import inf, isfinite
from typing import Any, ClassVar

from analysis.evidence.run import Evidence
from analysis.levels.replicas import changed
from analysis.levels.seen import Seen, levels_seen, see
from analysis.limits.thresholds import Thresholds
from analysis.single.checks import completeness, damage, ending
from analysis.tuning.answer import Answer, answered, safer, worse
from analysis.tuning.asked import CONFIRMATION, CONNECTIONS, Asked
from analysis.tuning.border import Border
from analysis.tuning.budget import Shared, shared
from analysis.tuning.confirmed import Confirmed, confirmed, nearest_limits
from analysis.tuning.curve import Point, points, raw_of
from analysis.tuning.levers import levers
from analysis.tuning.paste import lines
from analysis.tuning.predicted import Twin, twin
from analysis.tuning.slot import Slot, slot_of, tightened
from analysis.words.units import and_more
from analysis.words.values import Check, Outcome, Verdict
from recording.errors import SpoiltError

AHEAD = (1.5, 2.0)
"""Multiples of the load that the twin predicts beside what was measured."""


@dataclass(frozen=True, slots=True)
class TuneReport(Verdict):
    """The verdict on what is in force: PASS where it is fine, FAIL where it is not.

    ``borders`` are by load, of one setting; ``answer`` is what is enough, () where nothing holds.
    It is ``sure`` when a minute at it passed: else it is no value to set.
    """

    VERB: ClassVar[str] = "tune"

    asked: Asked | None = None
    borders: tuple[tuple[float, Border], ...] = ()
    curve: tuple[Point, ...] = ()
    answer: tuple[float, ...] = ()
    sure: bool = False
    confirmed: Confirmed | None = None
    shared: Shared | None = None
    twin: Twin | None = None
    limits: tuple[tuple[str, float], ...] = ()
    levers: tuple[str, ...] = ()
    pasted: tuple[tuple[str, str], ...] = field(default=())

    def table(self) -> dict[str, Any]:
        """What verdict.json holds."""
        # Not super(): a dataclass with slots is made twice, and super() finds the first.
        table = Verdict.table(self)
        return table | {
            "answer": self.answer,
            "answer_is_sure": self.sure,
            "borders": [{"load": load} | asdict(found) for load, found in self.borders],
            "levels": [asdict(point) for point in self.curve],
            "predicted": [asdict(row) for row in self.twin.rows] if self.twin else [],
            "pool_max_within_budget": self.shared.pool_max if self.shared else None,
        }


def judge_tuning(evidence: Evidence, thresholds: Thresholds) -> TuneReport:
    """The verdict on the recording of a search; a spoilt one is INVALID."""
    searched = evidence.manifest.search
    if searched is None:
        raise SpoiltError("is no search")
    try:
        asked = Asked.of(searched.asked)
    except (TypeError, KeyError, ValueError) as error:
        raise SpoiltError(f"manifest.json: what was searched for is spoilt: {error}") from error
    return _Case(evidence, thresholds, asked).report()


@dataclass(frozen=True)
class _Case:
    """One search before the judge: what is asked of it once and said in several places."""

    evidence: Evidence
    thresholds: Thresholds
    asked: Asked

    @cached_property
    def tight(self) -> Thresholds:
        return tightened(self.thresholds, self.asked.headroom)

    @cached_property
    def seen(self) -> tuple[Seen, ...]:
        """Slots of the search itself that are evidence."""
        every = levels_seen(self.evidence, self.tight)
        return tuple(s for s in every if s.level.why != CONFIRMATION and not s.spoilt)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(slot_of(s, self._levels(s), self.tight) for s in self.seen)

    def _levels(self, seen: Seen) -> tuple[float, ...]:
        return tuple(float(seen.level.settings[s.key]) for s in self.asked.settings)

    @cached_property
    def answer(self) -> Answer:
        return answered(self.slots, self.asked) if self.slots else Answer()

    @cached_property
    def last(self) -> Seen | None:
        """The newest confirmation, under the rules as they stand."""
        tried = [level for level in self.evidence.levels if level.why == CONFIRMATION]
        whole = [s.level for s in levels_seen(self.evidence, self.tight) if s.level in tried]
        return see(self.evidence, whole[-1], self.thresholds) if whole else None

    @cached_property
    def confirmed(self) -> Confirmed | None:
        return confirmed(self.last, self._levels(self.last)) if self.last else None

    @cached_property
    def levels(self) -> tuple[float, ...]:
        """What to set: what was confirmed, else what the slots say; () where nothing holds."""
        return self.confirmed.levels if self.confirmed and self._of_it else self.answer.levels

    @property
    def is_sure(self) -> bool:
        """Whether that can be set: a minute at it passed, and was in equilibrium."""
        passed = self.confirmed and self._of_it and self.confirmed.passed
        return bool(passed and not self._held_longer())

    @property
    def _of_it(self) -> bool:
        """Whether what was confirmed is what the slots say by these limits, which may be others
        than those of the search: the same, one step safer, or as near as they tell.
        """
        tried, said = self.confirmed.levels if self.confirmed else (), self.answer.levels
        if len(said) != 1 or len(tried) != 1 or tried == said:
            return bool(said) and tried == said
        ends = [end for _, found in self.answer.borders for end in (found.low, found.high)]
        near = [*said, safer(self.asked.setting, said[0]), *filter(isfinite, ends)]
        return min(near) <= tried[0] <= max(near)

    @cached_property
    def curve(self) -> tuple[Point, ...]:
        subject = next((s.subject for s in self.evidence.manifest.services
                        if s.key == self.asked.setting.key.partition(".")[0]), "")  # fmt: skip
        if not self.seen:
            return ()
        return points(
            [(slot.levels, slot.load) for slot in self.slots],
            [raw_of(seen, subject) for seen in self.seen],
            [slot.all_broken for slot in self.slots],
        )

    @cached_property
    def shared(self) -> Shared | None:
        return shared(self.asked.budget) if self.asked.budget else None

    def report(self) -> TuneReport:
        checks = [ending(self.evidence), *damage(self.evidence), *completeness(self.evidence)]
        checks += list(self._usable())
        invalid = tuple(str(check) for check in checks if not check.ok)
        wrong, unsure = tuple(self._wrong()), tuple(self._unsure())
        outcome = self._outcome(invalid, wrong, unsure)
        manifest, at = self.evidence.manifest, self.levels
        fits = self.is_sure and not any(self._beyond_the_budget(at, ""))
        pairs = list(zip(self.asked.settings, at, strict=True)) if fits else []
        return TuneReport(
            run_id=manifest.run_id,
            profile=manifest.profile.name,
            verdict=outcome,
            summary=self._summary(outcome, invalid, wrong, unsure),
            checks=tuple(checks),
            rows=self.confirmed.rows if self.confirmed else (),
            invalid_reasons=invalid,
            inconclusive_reasons=unsure,
            findings=wrong,
            context=self._context(),
            asked=self.asked,
            borders=self.answer.borders,
            curve=self.curve,
            answer=at,
            sure=self.is_sure,
            confirmed=self.confirmed,
            shared=self.shared,
            twin=self._twin(),
            limits=nearest_limits(self.confirmed, self.thresholds) if self.confirmed else (),
            levers=tuple(self._levers()),
            pasted=tuple(
                line for setting, value in pairs for line in lines(setting, value, manifest.profile)
            ),
        )

    def _usable(self) -> Iterator[Check]:
        every = levels_seen(self.evidence, self.tight)
        spoilt = [str(s.spoilt[0]) for s in every if s.spoilt]
        yield Check("slots that are evidence", f"{len(every) - len(spoilt)}", "> 0",
                    len(every) > len(spoilt), "; ".join(dict.fromkeys(spoilt)))  # fmt: skip

    def _wrong(self) -> Iterator[str]:
        """Why what is in force today is not fine."""
        for setting, own in zip(self.asked.settings, self._bounds(), strict=True):
            if worse(setting, setting.present, own):
                yield f"{setting.key} is {setting.text(setting.present)} today"
        for point in self.curve:
            if point.levels == self.present and 2 * point.broken > point.slots > 1:
                yield (
                    f"at what is in force today {point.broken} of {point.slots} slots broke a rule"
                    + (f": {point.why[0]}" if point.why else "")
                )
        yield from self._beyond_the_budget(self.present, "")
        yield from self._beyond_the_budget(self.levels, "what it takes does not fit: ")

    def _beyond_the_budget(self, levels: tuple[float, ...], what: str) -> Iterator[str]:
        """That so many connections in each replica are more than there are."""
        for setting, pool_max in zip(self.asked.settings, levels, strict=False):
            if self.shared and setting.unit == CONNECTIONS and self.shared.exceeded_by(pool_max):
                yield (
                    f"{what}{self.shared.replicas} replicas with {pool_max:g} each can take "
                    f"{self.shared.needed(pool_max)} connections of "
                    f"{self.shared.budget.max_connections}"
                )

    @property
    def present(self) -> tuple[float, ...]:
        return tuple(setting.present for setting in self.asked.settings)

    def _bounds(self) -> tuple[float, ...]:
        """By setting: beyond these, what is in force is worse than what is enough, for sure."""
        if len(self.asked.settings) > 1 or not self.answer.levels:
            return self.present
        less = self.asked.setting.cheaper == "less"
        ends = [b.low if less else b.high for _, b in self.answer.borders]
        known = [end for end in ends if isfinite(end)]
        return ((max if less else min)(known),) if known else self.present

    def _unsure(self) -> Iterator[str]:
        if self.evidence.manifest.ended == "interrupted":
            yield "stopped early"
        if not any(word in s.key for s in self.asked.settings for word in ("replica", "scale_")):
            yield from changed(self.seen)
        if not self.answer.levels and self.slots:
            yield self._nothing_holds()
        if self.answer.levels and not (self.confirmed and self._of_it):
            yield "what the slots say was not confirmed" + self._elsewhere()
        elif self.confirmed is not None and not self.confirmed.passed:
            yield f"the confirmation {self.confirmed}"
        if held := self._held_longer():
            yield held
        one = self.asked.settings if len(self.asked.settings) == 1 else ()
        for setting, own in zip(one, self.levels, strict=False):
            within = worse(setting, setting.present, own)
            if within and not any(self._wrong()):
                yield (f"{setting.text(setting.present)} is within the interval of what is enough")

    def _elsewhere(self) -> str:
        """What was confirmed in its place, by whatever limits the search had."""
        if self.confirmed is None:
            return ""
        pairs = zip(self.asked.settings, self.confirmed.levels, strict=True)
        at = " with ".join(setting.text(value) for setting, value in pairs)
        return f": the confirmation is at {at}, and by these limits they say something else"

    def _held_longer(self) -> str:
        """That locks keep their connections longer than the confirmation had run when it began to
        count: what is in use still rises then; "" where they do not.
        """
        locks, checkout = (self.asked.services.get(k, {}) for k in ("inventory_lock", "checkout"))
        theirs = not self.evidence.manifest.profile.starts_mocks  # who knows how they hold
        if self.last is None or theirs or locks.get("hold") != "until_release":
            return ""
        of_levels = {name.rpartition(".")[2]: v for name, v in self.last.level.settings.items()}
        told_s = (own.get("lock_ttl_s", inf) for own in (locks, checkout))
        ttl_s = float(of_levels.get("lock_ttl_s", min(told_s)))
        ran_s = self.last.level.counted_from_s - self.last.level.start_s
        if ttl_s <= ran_s:
            return ""
        return (
            f"abandoned locks keep their connections for {ttl_s:g} s, and the confirmation had run "
            f"for {ran_s:g} s when it began to count: its pool was still filling"
        )

    def _nothing_holds(self) -> str:
        ranges = " and ".join(f"{s.key} {s.low:g}..{s.high:g}" for s in self.asked.settings)
        rules = [b.rule for _, b in self.answer.borders if b.edge == "above"]
        return f"nothing in {ranges} holds" + (f": {rules[0]}" if rules else "")

    def _outcome(
        self, invalid: tuple[str, ...], wrong: tuple[str, ...], unsure: tuple[str, ...]
    ) -> Outcome:
        if invalid:
            return Outcome.INVALID
        if wrong:
            return Outcome.FAIL
        return Outcome.INCONCLUSIVE if unsure else Outcome.PASS

    def _summary(
        self,
        outcome: Outcome,
        invalid: tuple[str, ...],
        wrong: tuple[str, ...],
        unsure: tuple[str, ...],
    ) -> str:
        if outcome is Outcome.INVALID:
            return f"This search is not evidence: {invalid[0]}" + and_more(len(invalid), "reason")
        enough = self._enough()
        if outcome is Outcome.FAIL:
            return f"{wrong[0]}, {enough}"
        if outcome is Outcome.INCONCLUSIVE:
            return f"Cannot tell: {unsure[0]}; {enough}" + and_more(len(unsure), "reason")
        present = ", ".join(f"{s.key} = {s.text(s.present)}" for s in self.asked.settings)
        return f"{present} is fine, {enough}"

    def _enough(self) -> str:
        if not self.levels:
            return "nothing that was tried holds"
        pairs = zip(self.asked.settings, self.levels, strict=True)
        at = " with ".join(s.text(value) for s, value in pairs)
        if not self.is_sure:
            return f"slots say {at}, which no confirmation bears out"
        least = len(self.asked.settings) == 1 and self.asked.setting.cheaper == "less"
        return f"{'it takes' if least else 'what holds is'} {at}"

    def _twin(self) -> Twin | None:
        if self.last is None:
            return None
        level = self.last.level
        within = (level.counted_from_s, level.end_s)
        return twin(self.evidence, self.asked, self.thresholds, AHEAD, within)

    def _levers(self) -> Iterator[str]:
        if self.last is not None:
            near = [p for p in self.curve if p.load == self.last.level.load and not p.why]
            held = self._levels(self.last)[0]
            at = min(near, key=lambda p: abs(p.levels[0] - held), default=None)
            yield from levers(self.asked, self.last, at)

    def _context(self) -> dict[str, object]:
        manifest = self.evidence.manifest
        return {
            "started_utc": manifest.started_utc,
            "seed": manifest.seed,
            "git": manifest.git,
            "slots": len(self.seen),
            "searched_s": round(self.evidence.load_end_s - self.evidence.load_start_s, 1),
            "asked": self.asked.told(),
            **({"labels": dict(manifest.labels)} if manifest.labels else {}),
        }
