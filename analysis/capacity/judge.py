"""The judge of a search for the largest load: what was found, and does what is required fit?"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, ClassVar

from analysis.capacity.answer import Answer, answer, nothing_held
from analysis.capacity.asked import CONFIRMATION, Asked, of_stage
from analysis.capacity.rows import LevelRow, level_row
from analysis.capacity.trials import confirmed
from analysis.capacity.words import found_in_words, open_in_words, remarks
from analysis.evidence.requests import samples
from analysis.evidence.run import Evidence
from analysis.evidence.sampling import samples_taken, unwell
from analysis.levels.seen import Seen, levels_seen
from analysis.limits.thresholds import Thresholds
from analysis.single.checks import completeness, damage, ending
from analysis.words.units import and_more
from analysis.words.values import Breach, Check, Measurement, Outcome, Verdict
from recording.errors import SpoiltError
from recording.hlog import LATENCY
from recording.profile import JOURNEY

CAPACITY = "capacity"


@dataclass(frozen=True, slots=True)
class CapacityReport(Verdict):
    """The verdict on a search; ``found`` is None where nothing was."""

    VERB: ClassVar[str] = "capacity"

    found: Answer | None = None
    asked: Asked | None = None
    levels: tuple[LevelRow, ...] = ()

    def table(self) -> dict[str, Any]:
        """What verdict.json holds."""
        # Not super(): a dataclass with slots is made twice, and super() finds the first.
        table = Verdict.table(self)
        levels = [asdict(level) for level in self.levels]
        return table | {"capacity": asdict(self.found) if self.found else None, "levels": levels}


def judge_capacity(evidence: Evidence, thresholds: Thresholds) -> CapacityReport:
    """The verdict on the recording of a search."""
    search = evidence.manifest.search
    try:
        asked = Asked.of(search.asked if search else {})
    except (TypeError, ValueError) as error:
        raise SpoiltError(f"manifest.json: what was searched for is spoilt: {error}") from error
    seen = levels_seen(evidence, thresholds)
    found = answer(seen, asked, thresholds) or nothing_held(seen)
    run_checks = tuple(_checks(evidence))
    invalid = tuple(str(check) for check in run_checks if not check.ok) or _nothing(seen, found)
    unsure = tuple(_unsure(found, asked, seen)) if found else ()
    breach = _breach(found, asked) if found else None
    outcome, summary = _decided(found, asked, invalid, unsure, breach)
    confirmations = of_stage(seen, CONFIRMATION)
    return CapacityReport(
        run_id=evidence.manifest.run_id,
        profile=evidence.manifest.profile.name,
        verdict=outcome,
        summary=summary,
        breaches=(breach,) if breach else (),
        rows=confirmations[-1].rows if confirmations else (),
        measurements=_measurements(found, asked, seen),
        checks=(*run_checks, *(confirmations[-1].checks if confirmations else ())),
        invalid_reasons=invalid,
        inconclusive_reasons=unsure,
        findings=tuple(remarks(evidence, found, seen)),
        context=_context(evidence, asked),
        found=found,
        asked=asked,
        levels=tuple(map(level_row, seen)),
    )


def _checks(evidence: Evidence) -> Iterator[Check]:
    """Of the recording; what generator and host gave is asked of each level."""
    yield ending(evidence)
    yield from damage(evidence)
    yield from completeness(evidence)
    yield from samples_taken(evidence, unwell(evidence, samples(evidence, LATENCY)))


def _nothing(seen: Sequence[Seen], found: Answer | None) -> tuple[str, ...]:
    if found is not None:
        return ()
    spoilt = next((str(one.spoilt[0]) for one in seen if one.level.load and one.spoilt), "")
    if spoilt:
        return (f"no level was evidence: {spoilt}",)
    return ("no level tried a load to its end" if seen else "no level was reached",)


def _unsure(found: Answer, asked: Asked, seen: Sequence[Seen]) -> Iterator[str]:
    yield from open_in_words(found, asked, seen)
    if found.limit and found.limit.rough and asked.required > found.low:
        yield (
            f"{found.limit.because}; that counts what failed starts left behind, so the pool may "
            "carry more: search longer, from a smaller load"
        )
    if found.low < asked.required <= found.high:
        yield (
            f"{asked.required_by} of {asked.required:.4g} {asked.unit} lies in the interval"
            if not found.at_least
            else f"{asked.required_by} of {asked.required:.4g} {asked.unit} was not reached"
        )
    if asked.required <= found.low and not any(map(confirmed, of_stage(seen, CONFIRMATION))):
        yield "no confirmation held: slots alone are too short to call a load safe"
    elif 0 < found.held < asked.required <= found.low:
        yield (
            f"a run of a minute held at {found.held:.4g} {asked.unit}, and none was tried at "
            f"{asked.required_by} of {asked.required:.4g}"
        )


def _breach(found: Answer, asked: Asked) -> Breach | None:
    """Where the required load is more than the upper end, and that end is one."""
    if asked.required <= found.high or (found.limit and found.limit.rough):
        return None
    because = found.limit.because if found.limit else f"{found.gave or 'rules'} gave first"
    if found.nothing_held:
        because = f"it is less, as every load that was tried broke a rule: {because}"
    rule = f"{CAPACITY} >= {asked.required:.4g} {asked.unit}"
    required = f">= {asked.required:.4g} {asked.unit}"
    return Breach(rule, JOURNEY, CAPACITY, found.load, required, asked.unit, because)


def _decided(
    found: Answer | None,
    asked: Asked,
    invalid: Sequence[str],
    unsure: Sequence[str],
    breach: Breach | None,
) -> tuple[Outcome, str]:
    if invalid or found is None:
        text = f"This search is not evidence: {invalid[0]}" + and_more(len(invalid), "reason")
        return Outcome.INVALID, text
    said = found_in_words(found, asked)
    needs = f"{asked.required_by} of {asked.required:.4g} {asked.unit}"
    if breach:
        return Outcome.FAIL, f"{said}; {needs} does not fit"
    if unsure:
        return Outcome.INCONCLUSIVE, f"{said}. Cannot tell: {unsure[0]}" + and_more(
            len(unsure), "reason"
        )
    return Outcome.PASS, f"{said}; {needs} fits"


def _measurements(
    found: Answer | None, asked: Asked, seen: Sequence[Seen]
) -> tuple[Measurement, ...]:
    if found is None:
        return ()
    n = sum(bool(one.level.load) for one in seen)
    low, high = found.low, found.high if isfinite(found.high) else None
    note = "extrapolated" if found.limit else "every level broke" if found.nothing_held else ""
    rates = (1.0, asked.unit), (found.per_journey, "req/s")
    return tuple(
        Measurement(
            JOURNEY, CAPACITY, of * found.load, unit, n, of * low,
            None if high is None else of * high, note=note, at_least=found.at_least,
        )
        for of, unit in (rates if asked.unit != "users" and found.per_journey else rates[:1])
    )  # fmt: skip


def _context(evidence: Evidence, asked: Asked) -> dict[str, object]:
    manifest = evidence.manifest
    return {
        "started_utc": manifest.started_utc,
        "seed": manifest.seed,
        "ended": manifest.ended,
        "git": manifest.git,
        "host": {k: manifest.host.get(k) for k in ("cpu", "cores", "memory_bytes", "system")},
        "overrides": manifest.overrides,
        "asked": asked.table(),
        "searched_s": round(evidence.load_end_s - evidence.load_start_s, 1),
        **({"labels": dict(manifest.labels)} if manifest.labels else {}),
    }
