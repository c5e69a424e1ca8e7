"""Why rules broke: what happened, joined with what is broken by time and by who calls whom.

A rule on a service's own state (pool, memory, restarts) is broken by what happened to that state.
One on latency or errors is filed under what explains most of the requests that broke it: they
began meanwhile, at the service itself or at a step that waits for it. A breach that nothing
explains stands alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.single.incident import Incident
from analysis.single.incidents import incidents
from analysis.single.outages import planted_within
from analysis.single.own import own_troubles
from analysis.single.troubles import KINDS, Trouble, felt, in_words, trouble_of
from analysis.words.causes import Cause, CauseKind
from analysis.words.values import RuleRow
from recording.profile import JOURNEY

OWN = (CauseKind.FAILING, CauseKind.SLOW)
"""Causes that say no more than their breaches do."""
Family = tuple[Incident, ...]
"""Something that happened, then all that came of it."""
Broken = tuple[RuleRow, Trouble | None]
"""A row that FAILs; one on latency or errors with its requests."""


def causes(case: Case, thresholds: Thresholds, broken: Sequence[RuleRow]) -> tuple[Cause, ...]:
    """Of the rows that FAIL, whose places they have. First what happened, in order of time, then
    what grew, then what is slow or fails for no reason that was seen.
    """
    rules = {(subject, str(rule)): rule for subject, rule in thresholds}
    told_by = [
        (row, trouble_of(case, row, rules[row.subject, row.rule]) if row.kind in KINDS else None)
        for row in broken
    ]
    happened = incidents(case)
    own = own_troubles(case, [trouble for _, trouble in told_by if trouble], happened)
    families = _families(case, (*happened, *own))
    filed: dict[Family, list[int]] = {}
    for place, (row, trouble) in enumerate(told_by):
        family = (
            _of_requests(case, families, trouble) if trouble else _of_state(case, families, row)
        )
        if family:
            filed.setdefault(family, []).append(place)
    made = (_cause(case, told_by, *one) for one in filed.items())
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
    """What explains most and fits best in time, where all together explain enough."""
    if not trouble.is_explained(case.services, (one for family in families for one in family)):
        return None
    flow = case.services
    shares = {family: trouble.share(flow, family) for family in families}
    felt_in = [family for family, share in shares.items() if share]
    return max(felt_in, key=lambda family: shares[family] * trouble.fit(flow, family))


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


def _cause(case: Case, broken: Sequence[Broken], family: Family, places: Sequence[int]) -> Cause:
    root, *followed = family
    zero_s, lasts = case.evidence.load_start_s, any(one.lasts for one in family)
    felt_as = (_symptom(case, family, *broken[place]) for place in places)
    end_s = max(one.end_s for one in family)
    on_purpose = planted_within(case.evidence, root.subject, root.start_s, end_s)
    return Cause(
        root.kind,
        root.subject,
        root.start_s - zero_s,
        None if lasts else end_s - zero_s,
        root.name,
        (*root.evidence, *on_purpose),
        (*felt_as, *(one.name for one in followed), *root.symptoms),
        tuple(places),
    )


def _symptom(case: Case, family: Family, row: RuleRow, trouble: Trouble | None) -> str:
    """A broken rule, as it was felt while it was broken for this, where that is another number."""
    m, required = row.measurement, row.rule.removeprefix(row.measurement.metric).strip()
    inside = "" if row.subject == m.subject else f"/{m.subject}"
    said = f"{row.subject}{inside} {m.metric} {m.shown}, required {required}"
    if trouble is None or family[0].kind in OWN:
        return said
    meanwhile = trouble.during(case.services, family)
    then, when = felt(case.evidence, row, meanwhile), in_words(case.evidence, meanwhile)
    if then == f"{m.metric} {m.shown}":
        return f"{said}, {when}"
    return f"{said}; {then} {when}" if then else said


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
