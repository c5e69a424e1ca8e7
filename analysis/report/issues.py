"""What a run found, issue by issue: impact, root cause, what happened when, remediation.

An issue is what breaches have in common, or a pool that climbs and has broken no rule yet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.forecast.words import of_memory, of_pools
from analysis.metrics.case import Case
from analysis.report.document import Block, Code, Line, Lines, Row, Table, numbers, texts
from analysis.report.timeline import as_table, timeline
from analysis.tuning.what_if import WhatIf
from analysis.words.folding import unfiled
from analysis.words.values import Breach, Verdict
from recording.hlog import of_requests
from recording.outcomes import is_failure

MEMORY, POOL = "memory", "pool"
RECOMMENDATIONS = "Recommendations"


@dataclass(frozen=True, slots=True)
class Issue:
    """Of a service or step; ``kind`` is that of the rules it broke, ``title`` what it is about."""

    subject: str
    kind: str
    title: str
    impact: tuple[str, ...]
    causes: tuple[str, ...]


def issues(case: Case, verdict: Verdict) -> tuple[Issue, ...]:
    """Those with breaches in their order, then those without."""
    kinds = {(row.subject, row.rule): row.kind for row in verdict.rows}
    found = [_issue(case, why, group, kinds) for why, group in _reasons(verdict)]
    broken = {(each.subject, each.kind) for each in found}
    for subject, told in case.outlooks.items():
        if any(one.climbs for one in told) and (subject, POOL) not in broken:
            title, causes = f"{subject}: {_of_pool(case, subject)}", _of_kind(case, subject, POOL)
            found.append(Issue(subject, POOL, title, ("none yet: no rule is broken",), causes))
    return tuple(found)


def _reasons(verdict: Verdict) -> Iterator[tuple[str, Sequence[Breach]]]:
    """Causes with what they break, that of their own service first; then what stands alone."""
    for cause in verdict.causes:
        broken = [verdict.breaches[place] for place in cause.breaches]
        if broken:
            yield str(cause), sorted(broken, key=lambda b: _owner(b) != cause.subject)
    for group in unfiled(verdict.breaches, verdict.causes):
        yield group[0].because, group


def _owner(breach: Breach) -> str:
    return breach.subject.partition("/")[0]


def _issue(
    case: Case, why: str, group: Sequence[Breach], kinds: dict[tuple[str, str], str]
) -> Issue:
    first = group[0]
    subject = _owner(first)
    kind = kinds.get((subject, first.rule), first.metric)
    title = {
        POOL: _of_pool(case, subject) if kind == POOL else "",
        MEMORY: "memory grows" if first.metric != "oom_killed" else "killed for memory",
    }.get(kind) or f"{first.metric} is {first.shown}, required {first.required}"
    told, more = why or "the recording does not show why", _of_kind(case, subject, kind)
    climbs = kind == POOL and any(one.climbs for one in case.outlooks.get(subject, ()))
    causes = (*more[:climbs], told, *more[climbs:])
    impact = (_broken(group), *_callers(case, subject, kind))
    return Issue(subject, kind, f"{first.subject}: {title}", impact, causes)


def _broken(group: Sequence[Breach]) -> str:
    return "; ".join(f"{b.subject} {b.metric} {b.shown}, required {b.required}" for b in group)


def _of_pool(case: Case, subject: str) -> str:
    """What became of its pools; "" where they were only fuller than they may be."""
    dry = [window.start_s for pool in case.pools.get(subject, ()) for window in pool.windows]
    if dry:
        return f"pool exhausted at {case.evidence.elapsed(min(dry))}"
    climbs = any(one.climbs for one in case.outlooks.get(subject, ()))
    return "pool climbs at constant load" if climbs else ""


def _of_kind(case: Case, subject: str, kind: str) -> tuple[str, ...]:
    """What a reader of the breach alone would miss; of a pool first that it climbs."""
    pools, memory = case.pools.get(subject, ()), case.memory.get(subject)
    found: list[str] = []
    if kind == POOL and pools:
        found += of_pools(case.evidence, pools, case.outlooks[subject], case.steady)
    if kind == MEMORY and memory:
        found += [f"after a fall: {memory.resumed}"] if memory.resumed else []
        found += filter(None, [of_memory(case.evidence, memory)])
    return tuple(text.removeprefix(f"{subject}: ").removeprefix(f"{subject} ") for text in found)


def _callers(case: Case, subject: str, kind: str) -> Iterator[str]:
    """Requests that failed while the pool of a service that they need was dry."""
    dry = [window for pool in case.pools.get(subject, ()) for window in pool.windows]
    if kind != POOL or not dry:
        return
    elapsed, end_s = case.evidence.elapsed, case.evidence.end_s
    start_s = min(window.start_s for window in dry)
    stop_s = max(end_s if window.end_s is None else window.end_s for window in dry)
    for step in case.services.during(subject):
        of = [
            i for i in of_requests(case.evidence.log.intervals)
            if i.tag.step == step and i.start_s < stop_s and start_s < i.start_s + i.length_s
        ]  # fmt: skip
        failed = sum(i.histogram.n for i in of if is_failure(i.tag.outcome))
        if failed:
            began_s, ended_s = min(i.start_s for i in of), max(i.start_s + i.length_s for i in of)
            yield (
                f"{failed:,} of {sum(i.histogram.n for i in of):,} requests of {step} failed "
                f"between {elapsed(began_s)} and {elapsed(ended_s)}"
            )


def as_blocks(case: Case, number: int, issue: Issue, changes: Sequence[WhatIf]) -> Iterator[Block]:
    """A section of it, its timeline, and what would have prevented it."""
    name = f"Issue {number}"
    lines = [f"impact: {text}" for text in issue.impact]
    lines += [f"root cause: {text}" for text in issue.causes[:1]]
    lines += [f"seen: {text}" for text in issue.causes[1:]]
    yield Lines(tuple(lines), f"{name}: {issue.title}")
    moments = timeline(case, issue.subject, issue.kind)
    yield as_table(case.evidence, moments, f"{name}: timeline")
    yield _alternatives(of_issue(issue, changes), f"{name}: what if")


def of_issue(issue: Issue, changes: Sequence[WhatIf]) -> tuple[WhatIf, ...]:
    """The changes that are about it."""
    if issue.kind not in (POOL, MEMORY):
        return ()
    return tuple(
        each for each in changes if (each.subject, each.kind) == (issue.subject, issue.kind)
    )


def _alternatives(changes: Sequence[WhatIf], title: str) -> Table:
    columns = (*texts("each alone"), *numbers("today", "to"), *texts("predicted effect"))
    rows = tuple(Row((each.setting, each.today, each.value, each.effect)) for each in changes)
    return Table(columns, rows, title)


def recommendations(found: Sequence[Issue], changes: Sequence[WhatIf]) -> Lines:
    """Of each issue the changes that suffice, as options of `loadgate run`."""
    lines: list[Line] = []
    for issue in found:
        enough = [each for each in of_issue(issue, changes) if each.suffices]
        options = [part for each in enough for part in (" or ", Code(each.option))][1:]
        if options:
            lines.append((f"{issue.title}: ", *options))
    return Lines(tuple(lines), RECOMMENDATIONS, "set", "strong")
