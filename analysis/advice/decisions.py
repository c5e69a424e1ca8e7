"""What would decide a run or a gate that cannot tell."""

from collections.abc import Iterable, Iterator
from math import ceil

from analysis.advice.again import again
from analysis.evidence.requests import needed
from analysis.metrics.decide import longest
from analysis.words.values import NO_DATA, NextStep, Outcome, RuleRow, Verdict
from recording.durations import format_duration
from recording.manifest import Manifest
from recording.phase_keys import last_measured
from recording.profile import MOST_ROUNDS

MARGIN = 1.1
"""Estimates of how much longer are estimates."""
WHOLE_S = 30


def for_run(manifest: Manifest, verdict: Verdict) -> Iterator[NextStep]:
    """Of one run: its end, more minutes, or what was not measured."""
    if manifest.ended == "interrupted":
        yield NextStep("let it run to its end", again(manifest))
        return
    rows = [row for row in verdict.rows if row.outcome is Outcome.INCONCLUSIVE and row.required]
    if unknown := sorted({row.kind for row in rows if row.because.startswith(NO_DATA)}):
        kinds = ", ".join(unknown)
        yield NextStep(f"export what is missing for {kinds}, or leave it out of judge.required")
    said_s = longest(row.because for row in rows)
    more_s = max((said_s or 0.0, *_until_counted(verdict, rows)))
    if more_s:
        yield _longer(manifest, more_s)
    elif not unknown:
        yield NextStep("measure longer, or by a profile of more load", again(manifest))


def _until_counted(verdict: Verdict, rows: Iterable[RuleRow]) -> Iterator[float]:
    """How much longer until there are as many samples as a percentile takes, s."""
    for measured in (row.measurement for row in rows):
        if 0 < measured.n < (fewest := needed(measured.metric)):
            yield verdict.context["measured_s"] * (fewest / measured.n - 1)


def _longer(manifest: Manifest, more_s: float) -> NextStep:
    key, phase = last_measured(manifest.profile.load)
    needed_s = WHOLE_S * ceil((phase.duration + MARGIN * more_s) / WHOLE_S)
    text = f"measure for {format_duration(needed_s)}, which could decide it"
    return NextStep(text, again(manifest, "--set", f"{key}.duration={needed_s}s", seeded=False))


def for_gate(manifest: Manifest, verdict: Verdict) -> Iterator[NextStep]:
    """Of a gate: its end, more rounds, or what stands against a verdict."""
    gate, more = manifest.profile.gate, verdict.context.get("more_rounds_needed")
    planned = gate.looks[-1] if gate else 0
    if gate is None or verdict.context.get("rounds_recorded", 0) < planned:
        yield NextStep("let it run to its end", again(manifest))
    elif more is None:
        text = "mend what stands against a verdict, and run it again"
        yield NextStep(text, again(manifest))
    elif (rounds := 2 * ceil((planned + more) / 2)) > MOST_ROUNDS:
        yield NextStep(f"{more:,} more rounds are too many: give each more load, or tolerate more")
    else:
        takes_s = manifest.profile.load.duration_s + 2 * (rounds - planned) * gate.slot
        text = f"{rounds} rounds could decide it, in about {format_duration(takes_s)}"
        yield NextStep(text, again(manifest, "--rounds", str(rounds), seeded=False))
