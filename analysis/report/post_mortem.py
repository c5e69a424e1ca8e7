"""The post-mortem of a run, in the shape that people write one: what was tested, what came out,
what went wrong and why, what would have prevented it, and what it took of the error budget.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from math import isfinite

import numpy as np

from analysis.evidence.run import Evidence
from analysis.metrics.case import Case
from analysis.report.document import (
    Block,
    Document,
    Lines,
    Mark,
    Row,
    Table,
    numbers,
    texts,
    verdicts,
)
from analysis.report.error_budget import error_budget
from analysis.report.issues import (
    RECOMMENDATIONS,
    Issue,
    as_blocks,
    issues,
    of_issue,
    recommendations,
)
from analysis.report.single import latency_table
from analysis.tuning.what_if import WhatIf
from analysis.words.units import counted
from analysis.words.values import NO_DATA, Outcome, RuleRow, Verdict
from recording.durations import format_duration
from recording.manifest import Origin
from recording.metric_names import HTTP_REQUESTS, OF_A_POOL, OF_A_PROCESS, REPLICA_CPU, UP
from recording.profile import JOURNEY, Profile
from recording.text import plain

SUMMARY = "Executive summary"
_IN_SHORT = (SUMMARY, RECOMMENDATIONS)
_KNOWN = (UP, HTTP_REQUESTS, REPLICA_CPU, *OF_A_PROCESS, *OF_A_POOL)


def post_mortem(
    case: Case,
    verdict: Verdict,
    changes: Sequence[WhatIf],
    rests_on: Sequence[str],
    stored: str = "post-mortem.md",
) -> Document:
    """Of one run; ``rests_on`` says what the changes were computed by.

    A screen has it in short, and where the page is ``stored``.
    """
    found = issues(case, verdict)
    blocks: list[Block] = [
        _summary(case, verdict, found, changes),
        _configuration(case.evidence),
        latency_table(verdict),
        _services(verdict),
    ]
    for number, issue in enumerate(found, 1):
        blocks += as_blocks(case, number, issue, changes)
    blocks += [
        _database(case),
        _other_series(case.evidence),
        _orders(case),
        error_budget(verdict),
        recommendations(found, changes),
        Lines(tuple(rests_on), "What the recommendations rest on", tone="note"),
        Lines(verdict.invalid_reasons, "Why it is not evidence", tone=Outcome.INVALID),
        Lines(_open(verdict), "What it cannot tell"),
    ]
    return Document(
        tuple(
            block if block.title in _IN_SHORT else replace(block, only="page") for block in blocks
        ),
        verdict.verdict,
        f"{verdict.verdict}: post-mortem of {verdict.run_id}",
        verdict.summary,
        closing=f"post-mortem: {stored}",
    )


def _summary(
    case: Case, verdict: Verdict, found: Sequence[Issue], changes: Sequence[WhatIf]
) -> Lines:
    context, load = verdict.context, case.evidence.manifest.profile.load
    measured = {m.metric: m for m in verdict.measurements if m.subject == JOURNEY}
    peak = f"{load.peak_users:,} users" if load.peak_users else "nobody says how many users"
    if load.model == "arrivals":
        peak = f"{load.most_arrivals_per_s:g} journeys/s"
    latency = ("mean", "p50", "p95", "p99", "max")
    lines = [
        f"{counted(context['requests_measured'], 'request')} measured in "
        f"{format_duration(round(context['measured_s']))} ({context['rate_per_s']:,.1f} req/s), "
        f"{peak} at the peak",
        f"latency of all requests: {', '.join(f'{m} {measured[m].shown}' for m in latency)}; "
        f"failed: {measured['error_rate'].shown}",
    ]
    if case.orders is not None:
        lines.append(str(case.orders))
    lines += [_in_short(issue, of_issue(issue, changes)) for issue in found] or ["no issue"]
    return Lines(tuple(lines), SUMMARY, "summary")


def _in_short(issue: Issue, changes: Sequence[WhatIf]) -> str:
    enough = [f"{each.setting} = {each.value}" for each in changes if each.suffices]
    prevented = f"; {' or '.join(enough)} would have prevented it" if enough else ""
    return f"{issue.title}{prevented}"


def _where(profile: Profile) -> str:
    if profile.arm is not None:
        return f"started by {profile.arm.start}"
    return ", ".join(dict.fromkeys(profile.target.reached.values())) or "mocks of this machine"


def _configuration(evidence: Evidence) -> Table:
    manifest = evidence.manifest
    profile = manifest.profile
    rows = [("run", manifest.run_id), ("profile", profile.name), ("began", manifest.started_utc)]
    rows += [(f"version of {name}", version) for name, version in sorted(manifest.versions.items())]
    rows.append(("services", ", ".join(evidence.services.subjects)))
    rows += list(_imported(manifest.origin)) if manifest.origin else [("at", _where(profile))]
    rows.append(("steps", ", ".join(evidence.services.steps)))
    rows += [] if manifest.origin else list(_planned(profile))
    cells = (Row((plain(key), plain(value))) for key, value in rows)
    return Table((*texts("what", "value"),), tuple(cells), "Test configuration")


def _imported(origin: Origin) -> Iterator[tuple[str, str]]:
    yield "imported from", f"{origin.file}, {origin.format}"
    yield "SHA-256 of it", origin.digest.sha256


def _planned(profile: Profile) -> Iterator[tuple[str, str]]:
    for phase in profile.load.phases:
        load = f"{phase.users:,} users" if phase.users is not None else ""
        load = load or f"{phase.arrivals_per_s or 0:g} journeys/s"
        measured = ", measured" if phase.measured else ""
        yield f"phase {phase.name}", f"{format_duration(phase.duration)} to {load}{measured}"
    think, session = profile.journey.think, profile.journey.session
    yield "think time", f"{format_duration(think.min)} to {format_duration(think.max)}"
    yield "session", f"{format_duration(session.min)} to {format_duration(session.max)}"
    if not profile.scenario.own:
        yield "cards declined", f"{100 * profile.journey.decline_share:g} %"


def _services(verdict: Verdict) -> Table:
    """Each rule of each service that was decided, at the step where it is worst."""
    columns = (
        *texts("service", "SLA of"), *numbers("required", "worst"), *texts("where"),
        *verdicts(),
    )  # fmt: skip
    decided = [row for row in verdict.rows if row.outcome is not Outcome.INCONCLUSIVE]
    rows = []
    for (subject, metric), group in groupby(decided, lambda r: (r.subject, r.measurement.metric)):
        worst = max(group, key=_badness)
        m = worst.measurement
        where = m.subject if m.subject != subject else ""
        required = worst.rule.removeprefix(metric).strip()
        mark = Mark(worst.outcome.value, worst.outcome)
        rows.append(Row((subject, metric, required, m.shown, where, mark)))
    return Table(columns, tuple(rows), "Results by service against its SLA")


def _badness(row: RuleRow) -> tuple[bool, float]:
    return row.outcome is Outcome.FAIL, row.measurement.value


def _database(case: Case) -> Table:
    """Pools of connections, each at its fullest."""
    columns = (
        *texts("service", "pool"), *numbers("connections", "at most in use"), *texts("at"),
    )  # fmt: skip
    rows = []
    for subject, pools in case.pools.items():
        for series, label in ((pool.series, pool.label) for pool in pools):
            if series.active.size:
                top = int(np.argmax(series.active))
                used, size = float(series.active[top]), float(series.size[top])
                known = f"{size:,.0f}" if isfinite(size) else NO_DATA
                share = f" ({100 * used / size:.0f} %)" if isfinite(size) else ""
                at = case.evidence.elapsed(float(series.t_s[top]))
                rows.append(Row((subject, label, known, f"{used:,.0f}{share}", at)))
    return Table(columns, tuple(rows), "Connections to databases and processors")


def _other_series(evidence: Evidence) -> Table:
    """What was recorded of services that no rule is about: least and most."""
    columns = (*texts("service", "series"), *numbers("least", "most"), *texts("at"))
    rows = []
    for subject in evidence.services.subjects:
        for metric in evidence.resources.metrics(subject):
            t_s, values = evidence.resources.get(subject, metric)
            if not metric.startswith(_KNOWN) and values.size:
                top = int(np.argmax(values))
                least, most = (f"{float(v):,.6g}" for v in (values.min(), values[top]))
                rows.append(Row((subject, plain(metric), least, most, evidence.elapsed(t_s[top]))))
    return Table(columns, tuple(rows), "Databases")


def _orders(case: Case) -> Lines:
    if case.orders is None:
        lines: tuple[str, ...] = (f"{NO_DATA}: no ledger of the shop's orders was recorded",)
    else:
        lines = tuple(case.orders.in_words())
    return Lines(lines, "Data integrity")


def _open(verdict: Verdict) -> tuple[str, ...]:
    """Kinds of rule that were not decided, by service."""
    left = [row for row in verdict.rows if row.outcome is Outcome.INCONCLUSIVE and row.applies]
    found: dict[str, list[str]] = {}
    for row in left:
        found.setdefault(row.subject, []).append(row.measurement.metric)
    return tuple(
        f"{subject}: {', '.join(dict.fromkeys(metrics))}" for subject, metrics in found.items()
    )
