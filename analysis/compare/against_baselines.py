"""One run against runs stored before: is it slower than one more of them would be?

With k baselines whose log percentiles have mean m and standard deviation s, one further run lies
within m +- t * s * sqrt(1 + 1/k), t of Student's distribution with k - 1 degrees of freedom: the
prediction interval of a single normal observation (Hahn & Meeker, *Statistical Intervals*, 1991,
chapter 4). The run is the unit; what varies between runs, hosts of the class included, is in s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, expm1, log

import numpy as np
from scipy.special import stdtr

from analysis.compare.baseline import Baseline, Figure
from analysis.compare.side_by_side import Comparison, context_of, differences, more_errors
from analysis.latency import needed
from analysis.regression.data import GateRow, GateVerdict, RegressionSettings, tail_of
from analysis.regression.rows import Measured, Stakes, Subject
from analysis.statistics.crossover import holm
from analysis.statistics.distributions import t_quantile
from analysis.values import Outcome

# A FAIL in one of 16 rows takes a distance of 17 standard deviations with four baselines, 11 with
# five, 5.4 with ten, 4.2 with twenty.
MIN_BASELINES = 5


@dataclass(frozen=True, slots=True)
class BaselineRules:
    """What matters (`settings`, as in the gate) and how far baselines may lie apart.

    `spread_limit` is a fraction (0.1 = 10 %) and limits the coefficient of variation between
    runs, per row.
    """

    settings: RegressionSettings
    spread_limit: float


@dataclass(frozen=True, slots=True)
class _Spread:
    """A row's baselines on the log scale, and the run to judge; `lacks` when it cannot be."""

    subject: Subject
    difference: float = 0.0
    error: float = 0.0
    degrees: int = 0

    @property
    def p_value(self) -> float:
        """One-sided p of "this run is no slower than one more baseline"."""
        if self.subject.lacks:
            return 1.0
        return float(stdtr(self.degrees, -self.difference / self.error))


def compare_with_baselines(
    run: Baseline, stored: Sequence[Baseline], rules: BaselineRules, where: str
) -> Comparison:
    """PASS, FAIL or INCONCLUSIVE by the rules of the gate, with runs in the place of rounds.

    A row FAILs when it is significant after Holm over all rows, and larger than the minimum
    effect and the floor; it PASSes when its one-sided 95 % bound is below what is tolerated.
    The whole FAILs if any row does and PASSes if all do, unless requests fail more often.
    Baselines count when host class and load are the run's own. `where` names their folder in
    messages.
    """
    alike = [baseline for baseline in stored if _comparable(baseline, run)]
    notes = tuple(_notes(run, alike))
    if refused := tuple(_refusals(run, stored, alike, where)):
        return Comparison(
            Outcome.INCONCLUSIVE,
            f"Not judged: {refused[0]}",
            run.run_id,
            tuple(baseline.run_id for baseline in alike),
            reasons=refused,
            notes=notes,
        )
    rows = _rows(run, alike, rules)
    errors = tuple(more_errors(run, alike))
    verdict = _overall(rows, errors)
    return Comparison(
        verdict,
        _summary(verdict, rows, len(alike)),
        run.run_id,
        tuple(baseline.run_id for baseline in alike),
        rows=rows,
        context=tuple(context_of(run, alike)),
        reasons=tuple(_reasons(rows, errors)) if verdict is Outcome.INCONCLUSIVE else (),
        notes=(*notes, *errors, *_common_shift(rows, rules.settings)),
        facts={"host_class": run.host_class, "load_digest": run.digest, "baselines": len(alike)},
    )


def _comparable(baseline: Baseline, run: Baseline) -> bool:
    same = (baseline.host_class, baseline.digest) == (run.host_class, run.digest)
    return same and run.host_class != "unknown" and baseline.run_id != run.run_id


def _refusals(
    run: Baseline, stored: Sequence[Baseline], alike: list[Baseline], where: str
) -> Iterator[str]:
    if run.host_class == "unknown":
        yield f"{run.run_id} does not say which host it ran on"
    elif run.ended != "completed":
        yield f"{run.run_id} did not complete ({run.ended})"
    elif len(alike) < MIN_BASELINES:
        yield (
            f"{where} holds {len(alike)} baselines of host class {run.host_class} and load "
            f"{run.digest} ({run.profile}), need {MIN_BASELINES}"
        )
        if others := [b for b in stored if not _comparable(b, run) and b.run_id != run.run_id]:
            kinds = sorted({f"{b.host_class} {b.digest} ({b.profile})" for b in others})
            yield f"not comparable in {where}: {len(others)} of {'; '.join(kinds)}"
    elif any(baseline.services != alike[0].services for baseline in alike):
        yield (
            f"the baselines in {where} were recorded with different [services]; keep them in "
            "folders of their own (--baselines)"
        )


def _notes(run: Baseline, alike: list[Baseline]) -> Iterator[str]:
    if alike:
        yield from differences(alike[-1], run)


def _rows(run: Baseline, alike: list[Baseline], rules: BaselineRules) -> tuple[GateRow, ...]:
    settings = rules.settings
    subjects = dict.fromkeys(s for each in (*alike, run) for s in each.subjects)
    spreads = [
        _spread(run, alike, subject, metric, rules)
        for subject in subjects
        for metric in settings.metrics
    ]
    stakes = Stakes(settings, settings.alpha, 1 - settings.confidence, len(spreads))
    adjusted = holm(np.array([spread.p_value for spread in spreads]))
    return tuple(_row(s, stakes, float(p)) for s, p in zip(spreads, adjusted, strict=True))


def _spread(
    run: Baseline, alike: list[Baseline], name: str, metric: str, rules: BaselineRules
) -> _Spread:
    figures = [f for b in alike if _enough(f := b.figure(name, metric), metric)]
    known = [f for f in figures if f is not None]
    new = run.figure(name, metric)
    logs = np.log([f.value for f in known])
    base_ms = exp(logs.mean()) if known else 0.0
    sd = float(logs.std(ddof=1)) if len(known) > 1 else 0.0
    lacks = _lacks(new, metric, len(known), sd, rules.spread_limit)
    n = sum(f.n for f in known), new.n if new else 0
    subject = Subject(name, metric, tail_of(metric), *n, base_ms, lacks)
    if lacks or new is None:
        return _Spread(subject)
    error = sd * (1 + 1 / len(known)) ** 0.5
    return _Spread(subject, log(new.value) - float(logs.mean()), error, len(known) - 1)


def _enough(figure: Figure | None, metric: str) -> bool:
    return figure is not None and figure.value > 0 and figure.n >= needed(metric)


def _lacks(new: Figure | None, metric: str, known: int, sd: float, limit: float) -> str:
    """Why a row cannot be judged; empty when it can."""
    if not _enough(new, metric):
        n = new.n if new else 0
        return f"{n} requests in this run, {metric} takes {needed(metric)}"
    if known < MIN_BASELINES:
        return f"measured by {known} of the baselines, need {MIN_BASELINES}"
    if sd == 0:
        return "the baselines agree to the last digit: copies of one run?"
    spread = variation(sd)
    if spread > limit:
        return f"the baselines spread {100 * spread:.1f} %, allowed {100 * limit:g} %"
    return ""


def variation(sd: float) -> float:
    """Coefficient of variation of a lognormal whose logs have this standard deviation."""
    return float(expm1(sd**2) ** 0.5)


def _row(spread: _Spread, stakes: Stakes, p_holm: float) -> GateRow:
    if spread.subject.lacks:
        return spread.subject.unmeasured()
    d, error, degrees = spread.difference, spread.error, spread.degrees
    confidence = stakes.settings.confidence
    both, one = (t_quantile(q, degrees) for q in ((1 + confidence) / 2, confidence))
    return Measured(
        spread.subject,
        stakes,
        raw=d,
        raw_upper=d + one * error,
        ratio=d,
        low=d - both * error,
        high=d + both * error,
        upper=d + one * error,
        error=error,
        degrees=degrees,
        host_removed=False,
        p_value=spread.p_value,
        p_holm=p_holm,
    ).row()


def _overall(rows: tuple[GateRow, ...], errors: tuple[str, ...]) -> Outcome:
    """More errors forbid a PASS: a request that fails fast is not a fast request."""
    verdicts = {row.verdict for row in rows}
    if GateVerdict.FAIL in verdicts:
        return Outcome.FAIL
    passed = verdicts == {GateVerdict.PASS} and not errors
    return Outcome.PASS if passed else Outcome.INCONCLUSIVE


def _reasons(rows: tuple[GateRow, ...], errors: tuple[str, ...]) -> Iterator[str]:
    if not rows:
        yield "nothing was measured"
    for row in rows:
        if row.verdict is GateVerdict.INCONCLUSIVE:
            yield f"{row.endpoint} {row.metric}: {row.because}"
    yield from errors


def _summary(verdict: Outcome, rows: tuple[GateRow, ...], k: int) -> str:
    if verdict is Outcome.FAIL:
        slow = [row for row in rows if row.verdict is GateVerdict.FAIL]
        named = ", ".join(f"{row.endpoint} {row.metric}" for row in slow)
        return f"Slower than {k} baselines: {named}"
    if verdict is Outcome.PASS:
        return f"As fast as {k} baselines: all {len(rows)} rows below what is tolerated"
    undecided = sum(row.verdict is GateVerdict.INCONCLUSIVE for row in rows)
    if not undecided:
        return f"Cannot tell from {k} baselines: this run has more errors"
    return f"Cannot tell from {k} baselines: {undecided} of {len(rows)} rows undecided"


def _common_shift(rows: tuple[GateRow, ...], settings: RegressionSettings) -> Iterator[str]:
    """A shift of everything at once is what a slower host looks like."""
    ratios = [row.ratio for row in rows if row.ratio is not None]
    if len(ratios) > 1 and len(ratios) == len(rows) and min(ratios) >= 1 + settings.min_effect:
        yield (
            f"every row is slower ({100 * (min(ratios) - 1):+.0f} to {100 * (max(ratios) - 1):+.0f}"
            " %): a slower host looks the same; `loadgate gate` can tell them apart"
        )
