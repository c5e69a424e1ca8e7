"""What went on during a run, as stretches that every chart over time is drawn on."""

from collections.abc import Iterable, Iterator

from analysis.evidence import stretches
from analysis.evidence.run import Evidence
from analysis.metrics.case import Case
from analysis.report.chart import Kind, Stretch
from analysis.single.guarded import tripped
from recording.events import FAULT_ENDED, FAULT_STARTED, GC, OOM_KILLED, SCALED, WORKER_LOST

_FINEST = 200
"""Of what is called the same, stretches closer than this part of the run are one."""
_MOMENTS: tuple[tuple[str, str, Kind], ...] = (
    (SCALED, "{source} scaled", "change"),
    (GC, "{source} collected", "change"),
    (OOM_KILLED, "{source} killed for memory", "trouble"),
    (WORKER_LOST, "{worker} lost", "trouble"),
)

Found = Iterator[tuple[str, Kind, float, float]]


def stretches_of(case: Case) -> tuple[Stretch, ...]:
    """Phases, then what went wrong or changed, in order of time; x is s since the load began."""
    evidence = case.evidence
    start_s, end_s = evidence.load_start_s, evidence.load_end_s
    phases = tuple(
        Stretch(p.start_s - start_s, (p.end_s or end_s) - start_s, p.name) for p in evidence.phases
    )
    found = (*_exhausted(case), *_planted(evidence), *_guarded(evidence), *_moments(evidence))
    return phases + tuple(_joined(found, start_s, (end_s - start_s) / _FINEST))


def _joined(
    found: Iterable[tuple[str, Kind, float, float]], zero_s: float, gap_s: float
) -> Iterator[Stretch]:
    by_name: dict[tuple[str, Kind], list[stretches.Stretch]] = {}
    for name, kind, start_s, end_s in found:
        by_name.setdefault((name, kind), []).append(stretches.Stretch(start_s, end_s))
    parts = (
        Stretch(one.start_s - zero_s, one.end_s - zero_s, name, kind)
        for (name, kind), several in by_name.items()
        for one in stretches.joined(several, gap_s)
    )
    yield from sorted(parts, key=lambda part: part.start)


def _exhausted(case: Case) -> Found:
    for subject, pools in case.pools.items():
        for pool in pools:
            for window in pool.windows:
                end_s = case.evidence.end_s if window.end_s is None else window.end_s
                yield f"{subject} pool {pool.label} exhausted", "trouble", window.start_s, end_s


def _planted(evidence: Evidence) -> Found:
    ends = evidence.events_named(FAULT_ENDED)
    for row in evidence.events_named(FAULT_STARTED):
        what = row.get("service"), row.get("kind")
        later = (float(e["t_s"]) for e in ends if (e.get("service"), e.get("kind")) == what)
        start_s = float(row["t_s"])
        end_s = min((t_s for t_s in later if t_s >= start_s), default=evidence.end_s)
        yield f"planted: {what[1]} at {what[0]}", "trouble", start_s, end_s


def _guarded(evidence: Evidence) -> Found:
    for row, stretch in tripped(evidence):
        name = f"guard ({row.get('guard')}): {row.get('where')} {row.get('rule')}"
        yield name, "trouble", stretch.start_s, stretch.end_s


def _moments(evidence: Evidence) -> Found:
    for event, name, kind in _MOMENTS:
        for row in evidence.events_named(event):
            said = {"source": row.get("source"), "worker": row.get("worker")}
            yield name.format(**said), kind, float(row["t_s"]), float(row["t_s"])
