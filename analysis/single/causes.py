"""Why rules broke: what happened, joined with what is broken by time and by who calls whom.

A rule on a service's own state (pool, memory, restarts) is broken by what happened to that state.
One on latency or errors is filed under what explains most of the requests that broke it: they
began meanwhile, at the service itself or at a step that waits for it. A breach that nothing
explains stands alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.evidence.run import Evidence
from analysis.evidence.stretches import joined
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.single.incident import Incident
from analysis.single.incidents import incidents
from analysis.single.own import own_troubles
from analysis.single.troubles import KINDS, Trouble, felt, in_words, trouble_of
from analysis.words.causes import Cause, CauseKind
from analysis.words.values import RuleRow
from recording.profile import JOURNEY

OWN = (CauseKind.FAILING, CauseKind.SLOW)
"""Causes that say no more than their breaches do."""
Family = tuple[Incident, ...]
"""Something that happened, then all that came of it."""


def causes(case: Case, thresholds: Thresholds, broken: Sequence[RuleRow]) -> tuple[Cause, ...]:
    """Of the rows that FAIL, whose places they have. First what happened, in order of time, then
    what grew, then what is slow or fails for no reason that was seen.
    """
    rules = {(subject, str(rule)): rule for subject, rule in thresholds}
    troubles = {
        place: trouble_of(case, row, rules[row.subject, row.rule])
        for place, row in enumerate(broken)
        if row.kind in KINDS
    }
    happened = incidents(case)
    families = _families(case, (*happened, *own_troubles(case, [*troubles.values()], happened)))
    filed: dict[Family, list[int]] = {}
    for place, row in enumerate(broken):
        trouble = troubles.get(place)
        family = (
            _of_requests(case, families, trouble) if trouble else _of_state(case, families, row)
        )
        if family:
            filed.setdefault(family, []).append(place)
    made = (_cause(case.evidence, broken, *one) for one in filed.items())
    return tuple(sorted(made, key=_order))


def _order(cause: Cause) -> tuple[bool, bool, float]:
    return (cause.kind in OWN, cause.kind is CauseKind.MEMORY_GROWTH, cause.start_s)


def _families(case: Case, found: Sequence[Incident]) -> tuple[Family, ...]:
    parents = {one: _parent(case, one, found) for one in found}
    roots = {one: _root(one, parents) for one in found}
    return tuple(
        (root, *(one for one in found if one is not root and roots[one] is root))
        for root in dict.fromkeys(roots.values())
    )


def _parent(case: Case, one: Incident, found: Sequence[Incident]) -> Incident | None:
    """The nearest that it follows: of its own service, else what began first.

    Of two that could each have followed the other nobody can say which did.
    """
    flow = case.services
    before = [
        o for o in found if o is not one and one.follows(o, flow) and not o.follows(one, flow)
    ]
    return min(before, key=lambda o: (o.subject != one.subject, o.start_s), default=None)


def _root(one: Incident, parents: Mapping[Incident, Incident | None]) -> Incident:
    """The first of a chain; of a circle what began first."""
    seen = [one]
    while (parent := parents[seen[-1]]) is not None and parent not in seen:
        seen.append(parent)
    return seen[-1] if parent is None else min(seen, key=lambda found: found.start_s)


def _of_requests(case: Case, families: Sequence[Family], trouble: Trouble) -> Family | None:
    """What explains most, where all together explain enough."""
    if not trouble.is_explained(case.services, (one for family in families for one in family)):
        return None
    return max(families, key=lambda family: trouble.share(case.services, family))


def _of_state(case: Case, families: Sequence[Family], row: RuleRow) -> Family | None:
    """What happened to the state of a service that the rule is about."""
    about = (row.subject, row.measurement.metric)
    found = (f for f in families if any(i.subject == about[0] and about[1] in i.breaks for i in f))
    return next(found, None) if _was_dry(case, row) else None


def _was_dry(case: Case, row: RuleRow) -> bool:
    """Of a rule on utilization: whether the fullest pool is one that ran dry."""
    dry = (pool.series for pool in case.pools.get(row.subject, ()) if pool.windows)
    peaks = [series.utilization_peak_percent for series in dry]
    fullest = row.measurement.value
    return row.measurement.metric != "utilization" or any(peak >= fullest for peak in peaks)


def _cause(
    evidence: Evidence, broken: Sequence[RuleRow], family: Family, places: Sequence[int]
) -> Cause:
    root, *followed = family
    rows = [broken[place] for place in places]
    lasts = any(one.lasts for one in family)
    return Cause(
        root.kind,
        root.subject,
        root.start_s - evidence.load_start_s,
        None if lasts else max(one.end_s for one in family) - evidence.load_start_s,
        root.name,
        root.evidence,
        (
            *(_symptom(evidence, family, row) for row in rows),
            *(one.name for one in followed),
            *root.symptoms,
        ),
        tuple(places),
    )


def _symptom(evidence: Evidence, family: Family, row: RuleRow) -> str:
    """A broken rule, as it was felt meanwhile where that is another number."""
    m, required = row.measurement, row.rule.removeprefix(row.measurement.metric).strip()
    inside = "" if row.subject == m.subject else f"/{m.subject}"
    said = f"{row.subject}{inside} {m.metric} {m.shown}, required {required}"
    if row.kind not in KINDS or family[0].kind in OWN:
        return said
    then = felt(evidence, row, lambda stretch: any(one.is_at(stretch) for one in family))
    stretches = joined(stretch for one in family for stretch in one.stretches)
    return f"{said}; {then} {in_words(evidence, stretches)}" if then else said


def told(rows: Sequence[RuleRow], found: Sequence[Cause]) -> tuple[RuleRow, ...]:
    """The rows, those that FAIL for a cause with its name before what they say themselves."""
    broken = (place for place, row in enumerate(rows) if row.outcome.value == "FAIL")
    places = dict(enumerate(broken))
    made = list(rows)
    for cause in found:
        for row, place in ((rows[places[at]], places[at]) for at in cause.breaches):
            made[place] = replace(row, because=_because(row, cause))
    return tuple(made)


def _because(row: RuleRow, cause: Cause) -> str:
    if row.kind not in KINDS or (cause.kind in OWN and row.measurement.subject != JOURNEY):
        return row.because
    why = cause.name if cause.kind in OWN else str(cause)
    return "; ".join(filter(None, (why, row.because)))
