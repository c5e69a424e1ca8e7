"""What to do next, under every verdict but PASS."""

from collections.abc import Iterator
from dataclasses import replace

from analysis.advice.again import again, without_overrides
from analysis.advice.by_cause import by_cause
from analysis.advice.decisions import for_gate, for_run
from analysis.advice.examples import examples
from analysis.advice.remedies import remedies
from analysis.advice.searches import for_capacity, for_setting
from analysis.capacity.judge import CapacityReport
from analysis.evidence.run import Evidence
from analysis.tuning.judge import TuneReport
from analysis.words.units import counted
from analysis.words.values import NextStep, Outcome, Verdict
from recording.manifest import Manifest, PairedRun
from recording.profile import JOURNEY
from recording.slots import BASE, HEAD

READ_ON = NextStep("begin with the first reason above: nothing recorded says more")
MOST_STEPS = 3
"""Of which examples are named."""


def advised(evidence: Evidence, verdict: Verdict) -> Verdict:
    """The verdict with its next steps."""
    if verdict.verdict is Outcome.PASS:
        return verdict
    return replace(verdict, next_steps=tuple(_steps(evidence, verdict)) or (READ_ON,))


def _steps(evidence: Evidence, verdict: Verdict) -> Iterator[NextStep]:
    manifest = evidence.manifest
    if verdict.verdict is Outcome.NOT_MEASURED:
        command = again(manifest, "--set", "gate.ignore=[]")
        yield NextStep("load it all the same", command)
    elif verdict.verdict is Outcome.INVALID:
        yield from _remedies(manifest, verdict)
    elif isinstance(verdict, CapacityReport):
        yield from for_capacity(manifest, verdict)
    elif isinstance(verdict, TuneReport):
        yield from for_setting(manifest, verdict)
    elif verdict.verdict is Outcome.INCONCLUSIVE:
        yield from (for_gate if manifest.paired else for_run)(manifest, verdict)
    elif verdict.verdict is Outcome.FAIL:
        yield from by_cause(verdict.causes)
        yield from _look_at(evidence, verdict)
        seeded = not evidence.by_name
        if manifest.paired:
            yield from _changed(manifest.paired)
        elif command := without_overrides(manifest, seeded=seeded):
            yield NextStep("see whether it is what was changed for this run: leave it out", command)
        if command := again(manifest, seeded=seeded):
            draws = "; users and services of the same seed draw alike" if seeded else ""
            yield NextStep(f"see it again{draws}", command)


def _remedies(manifest: Manifest, verdict: Verdict) -> Iterator[NextStep]:
    """A search whose recording is sound says itself why no level was evidence."""
    if isinstance(verdict, CapacityReport) and all(check.ok for check in verdict.checks):
        return for_capacity(manifest, verdict)
    return remedies(manifest, verdict.checks)


def _look_at(evidence: Evidence, verdict: Verdict) -> Iterator[NextStep]:
    """Requests that broke a rule, by their id: the services' logs and traces have it."""
    slow, failed = _steps_that_broke(evidence, verdict)
    slow = [step for step in slow if step not in failed]  # their slowest are those that failed
    found = [
        *examples(evidence, failed[:MOST_STEPS], failed=True),
        *examples(evidence, slow[:MOST_STEPS], failed=False),
    ]
    for text in found:
        yield NextStep(f"look up the {text}")


def _steps_that_broke(evidence: Evidence, verdict: Verdict) -> tuple[list[str], list[str]]:
    """Those too slow, and those that failed too often; the journey only where no step did."""
    slow: dict[str, None] = {}
    failed: dict[str, None] = {}
    for breach in verdict.breaches:
        if step := _step_of(evidence, breach.subject):
            (failed if breach.metric in ("error_rate", "failures") else slow).setdefault(step)
    for broken in (slow, failed):
        if len(broken) > 1:
            broken.pop(JOURNEY, None)
    return list(slow), list(failed)


def _step_of(evidence: Evidence, subject: str) -> str:
    """Of what a breach calls ``confirm``, ``checkout-service/confirm`` or ``confirm@head``."""
    said = f"/{subject.removesuffix(f'@{BASE}').removesuffix(f'@{HEAD}')}"
    found = (step for step in (*evidence.services.steps, JOURNEY) if said.endswith(f"/{step}"))
    return max(found, key=len, default="")


def _changed(paired: PairedRun) -> Iterator[NextStep]:
    """What stands between the arms."""
    if paired.commits:
        left = f", and {counted(paired.commits_left, 'more commit')}" if paired.commits_left else ""
        yield NextStep(f"look at what changed: {'; '.join(paired.commits)}{left}")
    if paired.head.dirty:
        yield NextStep("look at what head has in no commit", "git diff HEAD")
