"""Two runs made apart: what differs between them, by how much, and why that is no verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import exp, log
from typing import Any

import orjson

from analysis.compare.baseline import LATENCIES, Baseline, Figure
from analysis.regression.latency import LatencyRow
from analysis.words.values import Outcome
from recording.text import plainly

# Measured phases this much apart in length are named: leaks and caches need time to show.
_SAME_DURATION = 0.02


@dataclass(frozen=True, slots=True)
class PairRow:
    """One step and percentile of both runs. `ratio` is B/A.

    `ci_low`, `ci_high` hold what varies *within* the runs (95 %), None where a run has too few
    samples: they say nothing about what varies from run to run.
    """

    subject: str
    metric: str
    a: Figure
    b: Figure
    ratio: float
    ci_low: float | None
    ci_high: float | None

    @property
    def beyond_within_run(self) -> bool:
        """Whether noise within the runs alone would not explain the difference."""
        low, high = self.ci_low, self.ci_high
        return (low is not None and low > 1) or (high is not None and high < 1)


@dataclass(frozen=True, slots=True)
class Context:
    """A figure that is shown and not judged: this run's, and the lowest and highest before."""

    subject: str
    metric: str
    unit: str
    value: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer of ``loadgate compare``. `run` is judged; `against` is what it was held to."""

    verdict: Outcome
    summary: str
    run: str
    against: tuple[str, ...]
    rows: tuple[LatencyRow, ...] = ()
    pairs: tuple[PairRow, ...] = ()
    context: tuple[Context, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The same bytes for the same runs and baselines; foreign text in it is plain."""
        table = {
            "verdict": self.verdict.value,
            "exit_code": int(self.verdict.exit_code),
            "summary": self.summary,
            "run": self.run,
            "against": self.against,
            "rows": [row.table() for row in self.rows],
            "pairs": [asdict(row) | {"a": dict(row.a), "b": dict(row.b)} for row in self.pairs],
            "context": [asdict(row) for row in self.context],
            "inconclusive_reasons": self.reasons,
            "notes": self.notes,
            "facts": dict(self.facts),
        }
        return orjson.dumps(plainly(table), option=orjson.OPT_INDENT_2) + b"\n"


def compare_pair(a: Baseline, b: Baseline) -> Comparison:
    """Show B beside A. Always INCONCLUSIVE: one run each says nothing about runs in general."""
    reasons = (
        "two runs made apart: the intervals hold what varies within a run, not between runs, "
        "and shared runners differ by 26 % between jobs of the same code",
        "to decide, run `loadgate gate`, which loads both in turn on one host; or keep five runs "
        "with `loadgate baseline add` and judge the next with `loadgate compare RUN`",
    )
    return Comparison(
        Outcome.INCONCLUSIVE,
        "Shown, not judged: a difference between two runs made apart can be the host's",
        run=b.run_id,
        against=(a.run_id,),
        pairs=tuple(_pairs(a, b)),
        context=tuple(context_of(b, [a])),
        reasons=reasons,
        notes=(*differences(a, b), *more_errors(b, [a])),
    )


def _pairs(a: Baseline, b: Baseline) -> Iterator[PairRow]:
    for subject in dict.fromkeys((*a.subjects, *b.subjects)):
        for metric in LATENCIES:
            old, new = a.figure(subject, metric), b.figure(subject, metric)
            if old and new and old.value > 0 and new.value > 0:
                low, high = ratio_interval(old, new)
                ratio = new.value / old.value
                yield PairRow(subject, metric, old, new, ratio, low, high)


def ratio_interval(a: Figure, b: Figure) -> tuple[float | None, float | None]:
    """Interval of the ratio b/a from the intervals of both.

    On the log scale, the distance to each bound is the root of the sum of squares of the two
    distances that lie in its direction: Zou & Donner, "Construction of confidence limits about
    effect measures", Statistics in Medicine 27 (2008), which needs no symmetry.
    """

    def reach(of_b: float | None, of_a: float | None) -> float | None:
        if of_b is None or of_a is None or min(of_a, of_b) <= 0:
            return None
        return float((log(of_b / b.value) ** 2 + log(of_a / a.value) ** 2) ** 0.5)

    ratio, down, up = b.value / a.value, reach(b.ci_low, a.ci_high), reach(b.ci_high, a.ci_low)
    low = None if down is None else exp(log(ratio) - down)
    return low, None if up is None else exp(log(ratio) + up)


def differences(a: Baseline, b: Baseline) -> Iterator[str]:
    """Everything about how the two were made that could explain a difference, key by key."""
    if "unknown" in (a.host_class, b.host_class):
        yield "host class: unknown, so these may be different hosts"
    elif a.host_class != b.host_class:
        yield f"host class differs: {a.host_class}, then {b.host_class}"
    if a.profile != b.profile:
        yield f"profile differs: {a.profile}, then {b.profile}"
    if abs(a.measured_s - b.measured_s) > _SAME_DURATION * max(a.measured_s, b.measured_s):
        yield f"measured time differs: {a.measured_s:g} s, then {b.measured_s:g} s"
    yield from _settings("load", a.load, b.load)
    yield from _settings("services", a.services, b.services)
    for run in (a, b):
        if run.ended != "completed":
            yield f"{run.run_id}: the run did not complete ({run.ended})"
        if run.dirty:
            yield f"{run.run_id}: recorded from a tree with uncommitted changes"


def _settings(what: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    old, new = dict(_flat(a)), dict(_flat(b))
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            before, after = (str(table.get(key, "not set")) for table in (old, new))
            yield f"{what} differs: {key} = {before}, then {after}"


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _flat(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for i, below in enumerate(value):
            name = below.get("name", i) if isinstance(below, Mapping) else i
            yield from _flat(below, f"{path}.{name}")
    else:
        yield path, value


def more_errors(run: Baseline, others: list[Baseline]) -> Iterator[str]:
    """Subjects whose error rate lies above that of every other run, intervals included."""
    for subject in run.subjects:
        now = run.figure(subject, "error_rate")
        before = [f for other in others if (f := other.figure(subject, "error_rate"))]
        highest = max((f.value if f.ci_high is None else f.ci_high for f in before), default=100.0)
        if now and now.ci_low is not None and now.ci_low > highest:
            yield (
                f"{subject}: {now.value:.3g} % errors, at most "
                f"{max(f.value for f in before):.3g} % before: latencies of failed requests are "
                "in the percentiles"
            )


def context_of(run: Baseline, others: list[Baseline]) -> Iterator[Context]:
    """Error rates and the high-water marks of pools and memory beside those of `others`."""
    for figure in run.figures:
        if figure.metric.startswith("p") and figure.unit == "ms":
            continue
        before = [f.value for other in others if (f := other.figure(figure.subject, figure.metric))]
        if before:
            of_run = figure.subject, figure.metric, figure.unit, figure.value
            yield Context(*of_run, min(before), max(before))
