"""One run against runs stored before: is it slower than one more of them would be?

Two questions, and a row is slower only if both say so (an intersection-union test: Berger 1982);
its interval is the wider of both. *Between runs*: does it lie within what one further run of the
baselines would (the prediction interval of a normal observation: Hahn & Meeker, *Statistical
Intervals*, 1991, chapter 4)? *Within runs*: is it further off than the runs' own intervals explain?
Baselines that drew the same agree far better than any run with draws of its own could with them.
Formulas: ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import exp, expm1, inf, log

import numpy as np
from scipy.special import stdtr

from analysis.compare.baseline import Baseline, Figure
from analysis.compare.side_by_side import Comparison, context_of, differences, more_errors
from analysis.evidence.requests import MAX_ERROR_SHARE, needed
from analysis.limits.regression import GateSettings, RegressionSettings
from analysis.regression.latency import LatencyRow
from analysis.regression.rows import Bound, Stakes, corrected, overall
from analysis.statistics.distributions import t_quantile
from analysis.words.units import counted
from analysis.words.values import Outcome

# A FAIL in one of 16 rows takes a distance of 17 standard deviations with four baselines, 11 with
# five, 5.4 with ten, 4.2 with twenty.
MIN_BASELINES = 5


def compare_with_baselines(
    run: Baseline, stored: Sequence[Baseline], rules: GateSettings, where: str
) -> Comparison:
    """PASS, FAIL or INCONCLUSIVE by the rules of the gate, with runs in the place of rounds.

    A row FAILs when it is significant after Holm over all rows, and larger than the minimum
    effect and the floor; it PASSes when its one-sided 95 % bound is below what is tolerated.
    The whole FAILs if any row does and PASSes if all do, unless requests fail more often, or the
    run lacks some of its own.
    Baselines count when host class and load are the run's own. `where` names their folder in
    messages.
    """
    alike = [baseline for baseline in stored if _comparable(baseline, run)]
    ids, notes = tuple(baseline.run_id for baseline in alike), tuple(_notes(run, alike))
    found = Comparison(Outcome.INCONCLUSIVE, "", run.run_id, ids, notes=notes)
    if refused := tuple(_refusals(run, stored, alike, where)):
        return replace(found, summary=f"Not judged: {refused[0]}", reasons=refused)
    rows, errors = _rows(run, alike, rules), tuple(more_errors(run, alike))
    verdict, doubts = overall(rows), (*errors, *run.doubts)
    if doubts and verdict is Outcome.PASS:
        verdict = Outcome.INCONCLUSIVE  # a request that fails fast is not a fast request
    return replace(
        found,
        verdict=verdict,
        summary=_summary(verdict, rows, len(alike), doubts),
        rows=rows,
        context=tuple(context_of(run, alike)),
        reasons=tuple(_reasons(rows, doubts)) if verdict is Outcome.INCONCLUSIVE else (),
        notes=(*notes, *errors, *_common_shift(rows, rules.latency)),
        facts={"host_class": run.host_class, "load_digest": run.digest, "baselines": len(alike)},
    )


def _comparable(baseline: Baseline, run: Baseline) -> bool:
    same = (baseline.host_class, baseline.digest) == (run.host_class, run.digest)
    same &= baseline.ended == "completed"
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
    if silent := sum(not baseline.seeds for baseline in alike):
        yield (
            f"{silent} of the baselines do not say what they drew from; mocks of earlier versions "
            "all drew the same, and spread less than runs do"
        )
    drawn = [tuple(sorted(baseline.seeds.items())) for baseline in alike if baseline.seeds]
    if len(drawn) > len(set(drawn)):
        yield "some of the baselines drew from the same seeds, and spread less than runs do"


def _rows(run: Baseline, alike: list[Baseline], rules: GateSettings) -> tuple[LatencyRow, ...]:
    settings = rules.latency
    subjects = dict.fromkeys(s for each in (*alike, run) for s in each.subjects)
    whats = list(product(subjects, settings.metrics))
    stakes = Stakes(settings.alpha, 1 - settings.confidence, settings.confidence, len(whats))
    return corrected([_row(run, alike, *what, rules, stakes) for what in whats])


def _row(
    run: Baseline,
    alike: list[Baseline],
    name: str,
    metric: str,
    rules: GateSettings,
    stakes: Stakes,
) -> LatencyRow:
    """A row against its baselines on the log scale, before Holm's correction."""
    figures = [f for b in alike if _enough(f := b.figure(name, metric), metric)]
    known = [f for f in figures if f is not None]
    new = run.figure(name, metric)
    logs = np.log([f.value for f in known])
    sd = float(logs.std(ddof=1)) if len(known) > 1 else 0.0
    n_base, n_head = sum(f.n for f in known), new.n if new else 0
    row = LatencyRow(name, metric, "ms", stakes, n_base=n_base, n_head=n_head, counted=False)
    lacks = _failing(run.figure(name, "error_rate"))
    row = replace(row, lacks=lacks or _lacks(new, metric, known, sd, rules.baseline_spread))
    if row.lacks or new is None:
        return row
    base_ms = exp(logs.mean())
    minimum, tolerated = rules.latency.limits(base_ms)
    row = replace(row, base=base_ms, head=new.value, minimum=minimum, tolerated=tolerated)
    between = sd * (1 + 1 / len(known)) ** 0.5
    draws = len({tuple(sorted(baseline.seeds.items())) for baseline in alike})
    # On a grid of values an interval may be a point: then what varies between runs is all there is.
    errors = ((between, len(known) - 1.0), (_within(new, known, draws), inf))
    return _tested(row, log(new.value) - float(logs.mean()), [e for e in errors if e[0] > 0])


def _tested(row: LatencyRow, d: float, errors: Sequence[tuple[float, float]]) -> LatencyRow:
    """By the difference between runs and that within them: standard errors, degrees of freedom.

    What could have been seen is that of the one of which less could.
    """

    def reach(share: float) -> float:
        return max(error * t_quantile(share, degrees) for error, degrees in errors)

    both, one = reach((1 + row.stakes.confidence) / 2), reach(row.stakes.confidence)
    p_value = max(float(stdtr(degrees, -d / error)) for error, degrees in errors)
    bounds = ((Bound(d, d - both, d + both, d + one, error), df) for error, df in errors)
    rows = (replace(row, found=b, raw=b, degrees=df, p_value=p_value) for b, df in bounds)
    return max(rows, key=lambda row: row.smallest_detectable)


def _within(new: Figure, known: Sequence[Figure], draws: int) -> float:
    """Standard error of the difference from what varies within the runs, as log ratio.

    Only different draws average out.
    """
    of_new = new.log_error or 0.0
    mean = sum((f.log_error or 0.0) ** 2 for f in known) / len(known)
    return float((of_new**2 + mean / min(draws, len(known))) ** 0.5)


def _enough(figure: Figure | None, metric: str) -> bool:
    return figure is not None and figure.value > 0 and figure.n >= needed(metric)


def _failing(errors: Figure | None) -> str:
    """That too many requests failed for their latency to mean anything; empty else."""
    if errors is None or errors.value <= 100 * MAX_ERROR_SHARE:
        return ""
    return f"{errors.value:.3g} % of its requests failed: how fast they failed says nothing"


def _lacks(
    new: Figure | None, metric: str, known: Sequence[Figure], sd: float, limit: float
) -> str:
    """Why a row cannot be judged; empty when it can."""
    if new is None or not _enough(new, metric):
        n = new.n if new else 0
        return f"{counted(n, 'request')} in this run, {metric} takes {needed(metric):,}"
    if len(known) < MIN_BASELINES:
        return f"measured by {len(known)} of the baselines, need {MIN_BASELINES}"
    if silent := sum(f.log_error is None for f in (*known, new)):
        return f"{silent} of these runs were kept without an interval: `loadgate baseline add` them"
    if sd == 0:
        return "the baselines agree to the last digit: copies of one run?"
    spread = variation(sd)
    if spread > limit:
        return f"the baselines spread {100 * spread:.1f} %, allowed {100 * limit:g} %"
    return ""


def variation(sd: float) -> float:
    """Coefficient of variation of a lognormal whose logs have this standard deviation."""
    try:
        return float(expm1(sd**2) ** 0.5)
    except OverflowError:
        return inf


def _reasons(rows: tuple[LatencyRow, ...], doubts: tuple[str, ...]) -> Iterator[str]:
    if not rows:
        yield "nothing was measured"
    for row in rows:
        if row.verdict is Outcome.INCONCLUSIVE:
            yield f"{row.subject} {row.metric}: {row.because}"
    yield from doubts


def _summary(
    verdict: Outcome, rows: tuple[LatencyRow, ...], k: int, doubts: tuple[str, ...]
) -> str:
    if verdict is Outcome.FAIL:
        slow = [row for row in rows if row.verdict is Outcome.FAIL]
        named = ", ".join(f"{row.subject} {row.metric}" for row in slow)
        return f"Slower than {k} baselines: {named}"
    if verdict is Outcome.PASS:
        return f"As fast as {k} baselines: all {len(rows)} rows below what is tolerated"
    undecided = sum(row.verdict is Outcome.INCONCLUSIVE for row in rows)
    if not undecided:
        return f"Cannot tell from {k} baselines: {doubts[0]}"
    return f"Cannot tell from {k} baselines: {undecided} of {len(rows)} rows undecided"


def _common_shift(rows: tuple[LatencyRow, ...], settings: RegressionSettings) -> Iterator[str]:
    """A shift of everything at once is what a slower host looks like."""
    ratios = [row.ratio for row in rows if row.ratio is not None]
    if len(ratios) > 1 and len(ratios) == len(rows) and min(ratios) >= 1 + settings.min_effect:
        yield (
            f"every row is slower ({100 * (min(ratios) - 1):+.0f} to {100 * (max(ratios) - 1):+.0f}"
            " %): a slower host looks the same; `loadgate gate` can tell them apart"
        )
