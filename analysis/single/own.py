"""Services that are slow, or fail, and nothing that happened explains it: what is known of them."""

from collections.abc import Iterable, Iterator, Sequence

from analysis.evidence.run import Evidence
from analysis.evidence.stretches import joined
from analysis.metrics.case import Case
from analysis.single.incident import Incident, short, slack_s
from analysis.single.troubles import HALF, Trouble, in_words
from analysis.words.causes import CauseKind
from recording.profile import JOURNEY

KINDS = {"errors": CauseKind.FAILING, "latency": CauseKind.SLOW}


def own_troubles(
    case: Case, troubles: Sequence[Trouble], found: Sequence[Incident]
) -> tuple[Incident, ...]:
    """One for each service that fails, then for each that is slow. What fails slowly is failing.

    The journey's are those of its steps: it has one of its own only where none of them broke a
    rule, at the service of most requests that broke it.
    """
    all_ = list(found)
    for kind in KINDS:
        of_kind = [trouble for trouble in troubles if trouble.row.kind == kind]
        steps = [t for t in of_kind if t.row.measurement.subject != JOURNEY]
        for several in (steps, [t for t in of_kind if t not in steps]):
            left = [t for t in several if not t.is_explained(case.services, all_)]
            all_ += _by_service(case, left)
    return tuple(all_[len(found) :])


def _by_service(case: Case, troubles: Iterable[Trouble]) -> Iterator[Incident]:
    groups: dict[str, list[Trouble]] = {}
    for trouble in troubles:
        if subject := _whose(case, trouble):
            groups.setdefault(subject, []).append(trouble)
    yield from (_incident(case.evidence, subject, several) for subject, several in groups.items())


def _whose(case: Case, trouble: Trouble) -> str:
    """The service of most requests that broke it; "" where none has half of them."""
    of: dict[str, float] = {}
    for one in trouble.broken:
        of[one.subject] = of.get(one.subject, 0.0) + one.bad
    return next((subject for subject, bad in of.items() if bad >= HALF * trouble.bad), "")


def _incident(evidence: Evidence, subject: str, troubles: Sequence[Trouble]) -> Incident:
    first = troubles[0]
    steps = evidence.services.in_order(
        {b.step for t in troubles for b in t.broken if b.subject == subject and b.step}
    )
    stretches = joined(stretch for t in troubles for stretch in t.stretches())
    at = f" at {', '.join(steps)}" if steps else ""
    kind, m = KINDS[first.row.kind], first.row.measurement
    required = first.row.rule.removeprefix(m.metric).strip()
    verb = "fails" if kind is CauseKind.FAILING else "is slow"
    name = f"{short(subject)} {verb}{at} {in_words(evidence, stretches)}"
    outcomes = {one.outcome for t in troubles for one in t.broken}
    return Incident(
        kind,
        subject,
        stretches,
        f"{name.rstrip()}, {m.metric} {m.shown} (required {required})",
        tuple(dict.fromkeys(filter(None, (t.row.because for t in troubles)))),
        steps=steps,
        outcomes=frozenset(outcomes if kind is CauseKind.FAILING else ()),
        spreads=set(steps) >= set(_taken(evidence, subject)),
        slack_s=slack_s(evidence),
    )


def _taken(evidence: Evidence, subject: str) -> tuple[str, ...]:
    taken = evidence.manifest.profile.is_taken
    return tuple(filter(taken, evidence.services.steps_of(subject)))
