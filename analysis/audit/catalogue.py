"""Every kind of relation, and what they find together."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from analysis.audit.agreement import agreement
from analysis.audit.availability import availability
from analysis.audit.clocks import clocks
from analysis.audit.finding import Finding, Kind, Relations, places
from analysis.audit.headroom import Headroom, headroom
from analysis.audit.little import little
from analysis.audit.log import log
from analysis.audit.maxima import maxima
from analysis.audit.means import means
from analysis.audit.mixture import mixture
from analysis.audit.orders import orders
from analysis.audit.pools import pools
from analysis.audit.scaling import scaling
from analysis.audit.series import series
from analysis.audit.shape import shape
from analysis.audit.shares import shares
from analysis.audit.sums import sums
from analysis.audit.throughput import throughput
from analysis.audit.words import words
from analysis.published.table import Published
from analysis.words.values import Outcome

RELATIONS: tuple[Callable[[Published], Relations], ...] = (
    sums, throughput, little, means, mixture, shape, maxima, shares, orders, pools, scaling, clocks,
    series, words, agreement, log, availability,
)  # fmt: skip
_ORDER = list(Kind)


@dataclass(frozen=True, slots=True)
class Audit:
    """What a table came to: ``checked`` relations, those that do not hold, and its headroom."""

    source: str
    checked: int
    contradictions: tuple[Finding, ...]
    questions: tuple[Finding, ...]
    headroom: tuple[Headroom, ...] = ()
    loads: tuple[tuple[str, float], ...] = ()

    @property
    def outcome(self) -> Outcome:
        """FAIL with a contradiction; a question is none."""
        return Outcome.FAIL if self.contradictions else Outcome.PASS

    def to_json(self) -> dict[str, Any]:
        """What ``--json`` prints; a factor without bound is null."""
        return {
            "file": self.source,
            "verdict": self.outcome.value,
            "exit_code": int(self.outcome.exit_code),
            "checked": self.checked,
            "contradictions": [_finding(it) for it in self.contradictions],
            "questions": [_finding(it) for it in self.questions],
            "headroom": [{**asdict(it), "factor": it.factor} for it in self.headroom],
        }


def audit(table: Published, source: str) -> Audit:
    """Every relation that the table has the figures for; the most serious of a kind first."""
    related = [relation for check in RELATIONS for relation in check(table)]
    found = sorted(_once(it for it in related if it is not None), key=_seriousness)
    return Audit(
        source,
        len(related),
        tuple(it for it in found if not it.unless),
        tuple(it for it in found if it.unless),
        headroom(table) if table.growth else (),
        tuple((it.name, it.factor.mid) for it in table.growth),
    )


def _once(found: Iterable[Finding]) -> Iterable[Finding]:
    """What several places give rise to is said once, with all of them."""
    by_text: dict[str, Finding] = {}
    for it in found:
        before = by_text.get(it.says, it)
        by_text[it.says] = replace(before, where=places(before.where, it.where))
    return by_text.values()


def _seriousness(it: Finding) -> tuple[int, float]:
    return _ORDER.index(it.kind), -it.factor


def _finding(it: Finding) -> dict[str, Any]:
    return {**asdict(it), "factor": it.factor if isfinite(it.factor) else None}
