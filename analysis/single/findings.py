"""What a reader should know besides the rules."""

from collections.abc import Iterable, Iterator, Mapping

from analysis.evidence.distance import distance_in_words
from analysis.evidence.late import late_in_words
from analysis.evidence.orders_db import left_in_words, outages_in_words
from analysis.evidence.processes import restarts_in_words
from analysis.evidence.requests import Sample
from analysis.evidence.resources import Pool
from analysis.evidence.run import Evidence
from analysis.evidence.stalls import stalls_in_words
from analysis.evidence.traffic import traffic_in_words
from analysis.forecast.words import of_memory, of_pools
from analysis.metrics.case import Case
from analysis.metrics.pools import brief_waits, windows_in_words
from analysis.single.guarded import guarded
from analysis.single.outages import outages, planted
from analysis.words.units import counted
from analysis.words.values import show
from recording.events import OOM_KILLED, STRANGERS_REFUSED, WORKER_LOST
from recording.metric_names import ORDERS_DB
from recording.outcomes import SCENARIO
from recording.profile import JOURNEY

_AT_MOST = 20
"""Findings of one kind: a screen."""


def findings(case: Case) -> Iterator[str]:
    """One sentence each."""
    for subject, pools in case.pools.items():
        yield from _of_pools(case, subject, pools)
        yield from of_pools(case.evidence, pools, case.outlooks[subject], case.steady)
    for subject in case.services.subjects:
        if text := restarts_in_words(case.evidence, subject):
            yield f"{subject} {text}"
    yield from _of_memory(case)
    if gone := outages_in_words(case.evidence):
        yield f"{ORDERS_DB} {gone}"
    yield from left_in_words(case.evidence)
    if case.orders is not None:
        yield from case.orders.in_words()
    yield from _of_charges(case.samples.get("charge"))
    yield from _of_scenario(case.samples)
    yield from guarded(case.evidence)
    yield from _of_events(case.evidence)
    for subject, few in case.unsampled.items():
        is_still = case.standing_still.get(subject) == few
        why = "" if is_still else " did not give its metrics while its requests failed"
        yield f"{subject}{why}: {few}"
    yield from _few(stalls_in_words(case.evidence))
    yield from _few(late_in_words(case.evidence))
    yield from distance_in_words(case.evidence)
    yield from traffic_in_words(case.evidence)
    yield from map(str, outages(case.evidence))
    yield from planted(case.evidence)
    yield from _few(case.evidence.remarks())


def _of_pools(case: Case, subject: str, pools: list[Pool]) -> Iterator[str]:
    if text := windows_in_words(case, subject):
        yield f"{subject}: {text}"
    for pool in pools:
        if not pool.windows and (brief := brief_waits(case.evidence, pool)):
            yield f"{subject}: pool {pool.label}: {brief}"


def _of_memory(case: Case) -> Iterator[str]:
    for subject, memory in case.memory.items():
        if memory.noteworthy:
            yield f"{subject} memory: {memory.explanation}"
        if memory.resumed:
            yield f"{subject} memory after a fall: {memory.resumed}"
        if reached := of_memory(case.evidence, memory):
            yield reached


def _of_charges(charge: Sample | None) -> Iterator[str]:
    if charge and (declined := charge.outcomes.get("declined", 0)):
        share = 100 * declined / charge.n
        yield f"{declined:,} of {charge.n:,} charges declined as planned ({show(share, '%')})"


def _of_scenario(found: Mapping[str, Sample]) -> Iterator[str]:
    """Steps of which nothing was sent, for want of a request."""
    for step, sample in found.items():
        for outcome, n in sample.outcomes.items():
            if step != JOURNEY and outcome.startswith(f"{SCENARIO}: "):
                raised = outcome.removeprefix(f"{SCENARIO}: ")
                often = counted(n, "time")
                yield f"{step}: a function of the scenario raised {raised} ({often})"


def _of_events(evidence: Evidence) -> Iterator[str]:
    yield from _few(
        f"{row.get('worker')} was lost at {evidence.elapsed(float(row['t_s']))}; its users moved "
        "to the other workers"
        for row in evidence.events_named(WORKER_LOST)
    )
    if strangers := evidence.events_named(STRANGERS_REFUSED):
        messages = strangers[-1].get("messages")
        yield f"{messages} messages of strangers, without the run's seal, were dropped"
    yield from _few(
        f"{row.get('source')} was killed for memory at {evidence.elapsed(float(row['t_s']))}"
        for row in evidence.events_named(OOM_KILLED)
    )


def _few(texts: Iterable[str]) -> Iterator[str]:
    """What happens again and again is said so often, and counted."""
    found = list(texts)
    yield from found[:_AT_MOST]
    if len(found) > _AT_MOST:
        yield f"and {len(found) - _AT_MOST:,} more like it, the last: {found[-1]}"
