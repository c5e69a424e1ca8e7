"""The answer of a search for a setting: a screen with the line to paste, and a page."""

from collections.abc import Iterator, Sequence
from math import isfinite

import numpy as np

from analysis.report.chart import Chart, Curve, Limit
from analysis.report.document import Code, Document, Lines, Mark, Row, Table, numbers, texts
from analysis.report.next_steps import next_steps
from analysis.report.single import checks, labels, reasons
from analysis.tuning.answer import rounded
from analysis.tuning.asked import Asked
from analysis.tuning.border import Border
from analysis.tuning.curve import Point, Value, hurts_from, knee
from analysis.tuning.judge import TuneReport
from analysis.tuning.lock_model import Told
from analysis.tuning.paste import lines
from analysis.tuning.predicted import Twin, in_words
from analysis.tuning.remedies import Remedy, suffices
from analysis.words.values import Outcome
from recording.durations import format_duration
from recording.profile import Profile

_HEADLINE = {
    Outcome.PASS: "PASS: what is in force today is fine",
    Outcome.FAIL: "FAIL: what is in force today is not fine",
    Outcome.INCONCLUSIVE: "INCONCLUSIVE: this search cannot tell",
    Outcome.INVALID: "INVALID: this search is not evidence",
}


def tune_document(
    report: TuneReport, stored: str = "report.md", *, brief: bool = False
) -> Document:
    """The whole answer, or in ``brief`` without the checks."""
    asked = report.asked
    if asked is None:  # a recording that could not be read
        return Document((*reasons(report), next_steps(report)), report.verdict,
                        _HEADLINE[report.verdict], report.summary)  # fmt: skip
    context = report.context
    span = format_duration(round(context.get("searched_s", 0)))
    return Document(
        headline=_HEADLINE[report.verdict],
        outcome=report.verdict,
        summary=report.summary,
        blocks=(
            _levels(report, asked),
            *reasons(report),
            next_steps(report),
            *(() if brief else (checks(report),)),
        ),
        facts=(
            Lines(tuple(_found(report, asked)), "What was found"),
            _pasted(report),
            Lines(tuple(labels(context)), only="page"),
            Lines(report.twin.doubts if report.twin else (), "What the twin assumes", only="page"),
        ),
        closing=f"{context.get('slots', 0)} slots in {span}, seed {context.get('seed')}; "
        f"report: {stored}",
        charts=tuple(charts(report.curve, asked)) if len(asked.settings) == 1 else (),
    )


def _levels(report: TuneReport, asked: Asked) -> Table:
    names = [setting.key.rpartition(".")[2] for setting in asked.settings]
    waits = {"wait p50": "wait_p50", "wait p99": "wait_p99", "timeouts/s": "timeouts"}
    told = {title: name for title, name in waits.items()
            if any(isfinite(getattr(point, name).value) for point in report.curve)}  # fmt: skip
    columns = (
        *numbers(*names),
        *numbers("journeys/s", "req/s", "p99 ms", "95 %", *told),
        *numbers("slots"),
        *texts("broken", short=""),
    )
    rows = []
    for point in report.curve:
        at = [f"{value:g}" for value in point.levels]
        rows.append(Row((
            *at, f"{point.load:g}", _figure(point.throughput), _figure(point.p99), _ends(point.p99),
            *(_figure(getattr(point, name)) for name in told.values()),
            f"{point.slots}", _word(point),
        )))  # fmt: skip
    of_waits = " (waits for a connection in ms)" if "wait p99" in told else ""
    return Table(columns, tuple(rows), f"Levels{of_waits}")


def _word(point: Point) -> Mark:
    if not point.broken:
        return Mark("holds", Outcome.PASS)
    mostly = 2 * point.broken > point.slots
    text = f"{point.broken} of {point.slots} broke"
    why = f" ({'; '.join(point.why)})" if point.why else ""
    return Mark(text, Outcome.FAIL if mostly else Outcome.INCONCLUSIVE, text + why)


def _figure(of: Value) -> str:
    if not isfinite(of.value):
        return "·"
    return f"{of.value:.3g}" if abs(of.value) < 100 else f"{of.value:.0f}"


def _ends(of: Value) -> str:
    return f"{of.low:.0f}..{of.high:.0f}" if isfinite(of.low) else "·"


def _found(report: TuneReport, asked: Asked) -> Iterator[str]:
    left = f"{100 * asked.headroom:g} % of every limit left over"
    for load, found in report.borders:
        rate = f"{load * asked.load:g} journeys/s" + (f" ({load:g}x)" if load != 1 else "")
        yield f"at {rate}, with {left}: {_border(found, asked)}"
    if report.confirmed:
        pairs = zip(asked.settings, report.confirmed.levels, strict=True)
        at = " with ".join(setting.text(value) for setting, value in pairs)
        yield f"confirmation at {at} {report.confirmed}"
    if len(asked.settings) == 1:
        yield from _shape(report.curve, asked)
    for name, share in report.limits:
        yield f"limit: {name}, {100 * share:.0f} % of it"
    if report.shared:
        yield f"budget: {report.shared}"
    yield from report.levers
    if report.twin and report.twin.missing:
        yield f"no prediction: {report.twin.missing}"
    elif report.twin:
        yield from (f"twin (prediction) {line}" for line in in_words(report.twin.rows))


def _border(found: Border, asked: Asked) -> str:
    setting = asked.setting
    last = f"; last to hold: {found.rule}" if found.rule else ""
    if found.edge == "above":
        return f"nothing in {setting.low:g}..{setting.high:g} holds{last}"
    if found.edge == "below":
        return f"{setting.text(found.value)} will do already; nothing beyond was tried"
    ends = f" [{found.low:.4g}, {found.high:.4g}]" if isfinite(found.low) else " [no interval]"
    more = f"; from {setting.text(found.again)} on rules break again" \
        if isfinite(found.again) else ""  # fmt: skip
    return f"{setting.text(rounded(setting, found.value))}{ends}{last}{more}"


def _shape(curve: Sequence[Point], asked: Asked) -> Iterator[str]:
    own = [point for point in curve if point.load == min(p.load for p in curve)] if curve else []
    setting = asked.setting
    if first := knee(own):
        yield f"knee: from {setting.text(first.levels[0])} on p99 is within 10 % of its least"
    if worse := hurts_from(own):
        yield f"more hurts: at {setting.text(worse.levels[0])} p99 is {worse.p99.value:.0f} ms"
    elif own:
        yield f"up to {setting.text(own[-1].levels[0])} more of it was not seen to hurt"


def _pasted(report: TuneReport) -> Lines:
    wide = max((len(name) for name, _ in report.pasted), default=0)
    shown = tuple((f"{name:<{wide}}  ", Code(line)) for name, line in report.pasted)
    return Lines(shown, "Lines to paste", tone="strong")


def charts(curve: Sequence[Point], asked: Asked) -> Iterator[Chart]:
    """Over the setting, a curve for each load."""
    pictures = (
        ("p99", "Slowest step", "p99 ms", True),
        ("throughput", "Throughput", "good req/s", False),
        ("wait_p99", "Wait for a connection", "p99 ms", True),
        ("wait_p50", "Wait for a connection", "p50 ms", False),
        ("timeouts", "Waits in vain", "per s", False),
    )
    for name, title, unit, is_log in pictures:
        found = tuple(_curves(curve, name))
        if any(np.isfinite(each.y).any() for each in found):
            yield Chart(title, asked.setting.key, unit, found, marks=_present(asked),
                        log_x=True, log_y=is_log)  # fmt: skip


def _present(asked: Asked) -> tuple[Limit, ...]:
    return (Limit(asked.setting.present, "today"),)


def _curves(curve: Sequence[Point], name: str) -> Iterator[Curve]:
    for load in sorted({point.load for point in curve}):
        own = [point for point in curve if point.load == load]
        values = [getattr(point, name) for point in own]
        x = np.array([point.levels[0] for point in own])
        y, low, high = (np.array([getattr(v, end) for v in values], float)
                        for end in ("value", "low", "high"))  # fmt: skip
        yield Curve(f"{load:g} journeys/s", x, y, low, high)


def remedies_document(found: Sequence[Remedy], today: Told, limit_percent: float) -> Document:
    """Of a lock pool whose mechanism was played: the levers, the least change first."""
    fails = not suffices(today, limit_percent)
    ranked = sorted(found, key=lambda remedy: remedy.change)
    columns = (*texts("lever"), *numbers("today", "to"), *numbers("peak %"),
               *numbers("connections", "replica hours"))  # fmt: skip
    rows = tuple(
        Row((each.name, f"{each.today:g}", f"{each.value:g}", f"{each.peak:.0f}",
             f"{each.connections:+d}", f"{each.replica_hours:+.2f}"))
        for each in ranked
    )  # fmt: skip
    dry = (
        ""
        if today.exhausted_h is None
        else f", dry after {format_duration(round(3600 * today.exhausted_h))}"
    )
    state = f"today's pool is up to {today.peak:.0f} % full{dry}"
    lines = tuple(("any one of them: " if len(ranked) > 1 else "",
                   Code(f"--set services.inventory_lock.{each.name}={each.value:g}"))
                  for each in ranked)  # fmt: skip
    if not fails:
        summary = f"{state}: fine"
    elif ranked:
        summary = f"{state}; {ranked[0].name} = {ranked[0].value:g} is the least change"
    else:
        summary = f"{state}, and no lever suffices alone"
    return Document(
        (Table(columns, rows, "What suffices, each alone"),),
        Outcome.FAIL if fails else Outcome.PASS,
        _HEADLINE[Outcome.FAIL if fails else Outcome.PASS],
        summary,
        (Lines(lines, "To set", tone="strong"),),
        closing="prediction: the pool's mechanism as fluids, over the profile's whole load",
    )


def predicted_document(of: Twin, asked: Asked, run: str, profile: Profile) -> Document:
    """From a recording without load: a prediction, with its doubts."""
    now = next((row for row in of.rows if row.load == 1), None)
    if of.missing or now is None:
        return Document((), Outcome.INVALID, _HEADLINE[Outcome.INVALID], of.missing)
    setting = asked.setting
    fine = isfinite(now.pool_max) and setting.present >= now.pool_max
    columns = (*numbers("pool_max", "wait p50 ms", "wait p99 ms", "95 %", "in vain %", "in use %"),)
    rows = tuple(
        Row((f"{p.size}", f"{p.wait_p50_ms:.3g}", f"{p.wait_p99_ms:.3g}",
             f"{p.wait_p99_low_ms:.3g}..{p.wait_p99_high_ms:.3g}", f"{100 * p.timeouts_share:.3g}",
             f"{100 * p.occupancy_mean:.0f} to {100 * p.occupancy_p99:.0f}"))
        for p in of.curve
    )  # fmt: skip
    outcome = Outcome.PASS if fine else Outcome.FAIL
    pasted = lines(setting, now.pool_max, profile) if isfinite(now.pool_max) else ()
    needs = (
        f"it takes {now.pool_max:.0f}" if isfinite(now.pool_max) else "no size in the range holds"
    )
    return Document(
        (
            Table(columns, rows, "Predicted"),
            Lines(of.doubts, "What it rests on", "rests on", "note"),
        ),
        outcome,
        _HEADLINE[outcome],
        f"prediction: {setting.key} is {setting.text(setting.present)} today, {needs}",
        (Lines(tuple(in_words(of.rows)), "At other loads"),
         Lines(tuple((f"{name:<16} ", Code(line)) for name, line in pasted), "Lines to paste")),
        closing=f"prediction, from {run}: nothing was loaded",
    )  # fmt: skip
