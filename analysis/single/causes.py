"""Why a rule broke: the cause behind the symptom, as far as the recording shows it."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import orjson

from analysis.evidence.orders import IN_WORDS, Reconciliation
from analysis.evidence.processes import restarts_in_words
from analysis.evidence.requests import Sample, pooled
from analysis.evidence.resources import Pool, brief_waits
from analysis.evidence.run import Evidence
from analysis.limits.rules import Rule
from analysis.metrics.memory import ServiceMemory
from analysis.statistics.percentiles import quantile
from analysis.words.values import Measurement, show
from recording.durations import format_duration
from recording.flow import LOCK_SERVICE, LOCK_STEPS, SERVICE_STEPS
from recording.hlog import DISTORTION
from recording.outcomes import TIMEOUT, is_failure


class Case(Protocol):
    """What the judge knows when it asks for a cause."""

    evidence: Evidence
    samples: dict[str, Sample]
    pools: dict[str, list[Pool]]
    memory: dict[str, ServiceMemory]
    orders: Reconciliation | None


def because(case: Case, rule: Rule, subject: str, measured: Measurement) -> str:
    """One line on why ``rule`` broke; "" where the recording does not show it."""
    if rule.kind == "pool":
        return _pool(case, subject)
    if rule.kind == "memory":
        return case.memory[subject].explanation
    if rule.kind == "process":
        return restarts_in_words(case.evidence, subject)
    if rule.kind == "orders":
        return _orders(case.orders, measured.metric)
    if rule.kind == "errors":
        return _errors(case, subject, measured.subject)
    return _latency(case, measured.subject, at_least=measured.at_least)


def _hung(case: Case, sample: Sample) -> str:
    """Which requests never got a whole answer; "" where all of them did."""
    deadline = format_duration(case.evidence.manifest.profile.load.request_timeout)
    late, cut_off = sample.outcomes.get(TIMEOUT, 0), sample.undecided
    texts = [f"{late} of {sample.n} requests had no whole answer within {deadline}"] if late else []
    if cut_off:
        texts.append(f"{cut_off} were cut off younger than that")
    return "; ".join(texts)


def _latency(case: Case, step: str, *, at_least: bool) -> str:
    sample = case.samples.get(step)
    if at_least and sample and (hung := _hung(case, sample)):
        return hung
    if step in LOCK_STEPS and (starved := _starved_locks(case)):
        return starved
    service = next((name for name, steps in SERVICE_STEPS.items() if step in steps), None)
    if service is None:
        worst = max(
            (s for name, s in case.samples.items() if name != "journey" and s.n),
            key=lambda s: s.measure("p99").value,
            default=None,
        )
        return f"slowest step: {worst.subject}" if worst else ""
    if own := _windows(case, service):
        return f"requests waited for a connection: {own}"
    ours = pooled(case.evidence, DISTORTION, step)
    if not ours.n:
        return ""
    p99_ms = quantile(ours.values_us, ours.counts, 0.99) / 1000
    return (
        f"the time was spent in {service}: its own X-Response-Time accounts for all but "
        f"{p99_ms:.1f} ms (p99)"
    )


def _starved_locks(case: Case) -> str:
    """That checkout had to wait for locks; "" when their pool was never exhausted."""
    starts = [w.start_s for pool in case.pools[LOCK_SERVICE] for w in pool.windows]
    if not starts:
        return ""
    return (
        f"checkout waits for {LOCK_SERVICE}, whose pool was exhausted from "
        f"{case.evidence.elapsed(min(starts))}"
    )


def _windows(case: Case, subject: str) -> str:
    found = [(pool, window) for pool in case.pools[subject] for window in pool.windows]
    elapsed = case.evidence.elapsed
    texts = []
    for pool, window in sorted(found, key=lambda pair: pair[1].start_s)[:3]:
        end = elapsed(window.end_s) if window.end_s is not None else "the end"
        texts.append(
            f"pool {pool.label} ({window.pool_max or '?'} connections) exhausted "
            f"{elapsed(window.start_s)} to {end}, {window.failures} waits timed out, "
            f"at most {window.peak_waiting} waiting"
        )
    more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
    return "; ".join(texts) + more


def _pool(case: Case, subject: str) -> str:
    text = _windows(case, subject)
    for row in case.evidence.events_named("pool_exhausted"):
        if row.get("source") == subject:
            body = row.get("body")
            body = body if isinstance(body, str) else orjson.dumps(body).decode()
            return f"{text}; first 503 ({row.get('request_id')}): {body}"
    return text


def _errors(case: Case, subject: str, step: str) -> str:
    sample = case.samples.get(step)
    if sample is None:
        return _pool(case, subject) if subject == LOCK_SERVICE else ""
    failed = {name: n for name, n in sample.outcomes.items() if is_failure(name)}
    parts = [f"{n} × {name}" for name, n in sorted(failed.items(), key=lambda kv: -kv[1])]
    text = ", ".join(parts)
    if hung := _hung(case, sample):
        text += f" ({hung})"
    example = _example(case.evidence, step)
    if example:
        text += f"; for example {example['request_id']}: {_body(example)}"
    if step in LOCK_STEPS and (starved := _starved_locks(case)):
        text += f"; {starved}"
    return text


def _example(evidence: Evidence, step: str) -> Mapping[str, Any] | None:
    return next(
        (
            row
            for row in evidence.exemplars
            if row.get("why") == "failure" and step in (row.get("step"), "journey")
        ),
        None,
    )


def _body(row: Mapping[str, Any]) -> str:
    text = str(row.get("body") or row.get("error") or "no body").strip()
    return f"{row.get('status')} {text[:200]}"


def _orders(orders: Reconciliation | None, metric: str) -> str:
    if orders is None:
        return ""
    ids = orders.lost if metric == "lost" else orders.unmatched
    return f"{', '.join(ids[:5])}{', …' if len(ids) > 5 else ''}: {IN_WORDS[metric]}"


def findings(case: Case) -> Iterator[str]:
    """What a reader should know besides the rules."""
    for subject, pools in case.pools.items():
        yield from _of_pools(case, subject, pools)
    for subject in case.memory:
        if text := restarts_in_words(case.evidence, subject):
            yield f"{subject} {text}"
    for subject, memory in case.memory.items():
        if memory.noteworthy:
            yield f"{subject} memory: {memory.explanation}"
        if memory.resumed:
            yield f"{subject} memory after a fall: {memory.resumed}"
    if case.orders is not None:
        yield str(case.orders)
    yield from _of_charges(case.samples.get("charge"))
    yield from _of_events(case.evidence)


def _of_pools(case: Case, subject: str, pools: list[Pool]) -> Iterator[str]:
    if text := _windows(case, subject):
        yield f"{subject}: {text}"
    for pool in pools:
        if not pool.windows and (brief := brief_waits(case.evidence, pool)):
            yield f"{subject}: pool {pool.label}: {brief}"


def _of_charges(charge: Sample | None) -> Iterator[str]:
    if charge and (declined := charge.outcomes.get("declined", 0)):
        share = 100 * declined / charge.n
        yield f"{declined} of {charge.n} charges declined as planned ({show(share, '%')})"


def _of_events(evidence: Evidence) -> Iterator[str]:
    for row in evidence.events_named("worker_lost"):
        at = evidence.elapsed(float(row["t_s"]))
        yield f"{row.get('worker')} was lost at {at}; its users moved to the other workers"
    if strangers := evidence.events_named("strangers_refused"):
        messages = strangers[-1].get("messages")
        yield f"{messages} messages of strangers, without the run's seal, were dropped"
    for row in evidence.events_named("oom_killed"):
        at = evidence.elapsed(float(row["t_s"]))
        yield f"{row.get('source')} was killed for memory at {at}"
