"""Why an endpoint FAILs the gate: how its distribution moved, since when, and where the time went.

Pure, like the verdict; nothing here decides anything. What it says beyond noise it says at three
standard errors between rounds. The time went to the client, the service, or what the service waits
for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.evidence.pool_series import histogram_quantile
from analysis.limits.regression import tail_of
from analysis.paired.costs import cpu_per_request_us, per
from analysis.paired.onset import onset, round_scores
from analysis.paired.rounds import Rounds
from analysis.paired.shift import SURE, QuantileShift, in_words, percent, quantile_shifts
from analysis.paired.slot_samples import growth, labels_of
from recording.arrays import Floats
from recording.hlog import DISTORTION, LATENCY
from recording.metric_names import POOL_ACQUIRE, POOL_ACQUIRE_BUCKET
from recording.profile import JOURNEY

# The client's share is the cause from half of the shift on.
_MOST = 0.5
# A wait or a CPU time that moved by less is no cause of anything.
_LEAST_WAIT_MS = 0.5
_LEAST_CPU = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """A quantity in both arms: means over the rounds, and the standard error of the change."""

    base: float
    head: float
    error: float

    @property
    def shift(self) -> float:
        """Head minus base."""
        return self.head - self.base

    @property
    def sure(self) -> bool:
        """Whether the change is more than noise."""
        return abs(self.shift) > SURE * self.error

    @classmethod
    def of(cls, by_round: Floats) -> Change | None:
        """From [arm, round]; None with fewer than two rounds in which both arms have a value."""
        known = by_round[:, np.isfinite(by_round).all(axis=0)]
        if known.shape[1] < 2:
            return None
        difference = known[1] - known[0]
        error = difference.std(ddof=1) / np.sqrt(difference.size)
        return cls(float(known[0].mean()), float(known[1].mean()), float(error))


def diagnose(rounds: Rounds, endpoint: str, metric: str) -> tuple[str, ...]:
    """Sentences about one endpoint and metric (``p99``), the most telling first.

    The endpoint is a step, or ``journey`` for all of them. Empty when an arm has no counted
    requests of it. Raises ValueError for a metric that is no percentile from p50 up.
    """
    tail = tail_of(metric)
    values_us, counts = rounds.histograms(endpoint)
    if not counts.size or not counts.sum(axis=(1, 2)).all():
        return ()
    shifts = quantile_shifts(values_us, counts)
    return (
        in_words(shifts),
        "by quantile: " + ", ".join(map(str, shifts)),
        onset(round_scores(values_us, counts, tail)),
        *_causes(rounds, endpoint),
    )


def _causes(rounds: Rounds, endpoint: str) -> Iterator[str]:
    """Sentences about the client, waits for connections, sibling endpoints, and CPU."""
    total = Change.of(_mean_ms(rounds, endpoint, LATENCY))
    service = rounds.evidence.services.service_of(endpoint)
    if total is not None:
        yield from _client(rounds, endpoint, total)
        yield from _waits(rounds, endpoint, service, total)
    yield from _siblings(rounds, endpoint, service)
    if service:
        yield from _cpu(rounds, service)


def _client(rounds: Rounds, endpoint: str, total: Change) -> Iterator[str]:
    """Means add up: what the client saw is the service's own time and the distortion."""
    distortion = Change.of(_mean_ms(rounds, endpoint, DISTORTION))
    if distortion is None:
        yield "client or service cannot be told apart: no X-Response-Time was recorded"
        return
    if not total.sure:
        yield f"the mean moved by no more than its noise ({total.shift:+.2g} ms)"
        return
    to_client = distortion.sure and distortion.shift > _MOST * total.shift
    where = "in the client or on the way to it" if to_client else "in the service"
    yield (
        f"of {total.shift:+.3g} ms on the mean, {distortion.shift:+.2g} ms are distortion (client "
        f"minus X-Response-Time: {distortion.base:.2g} → {distortion.head:.2g} ms): the time went "
        f"{where}"
    )


def _waits(rounds: Rounds, endpoint: str, service: str, total: Change) -> Iterator[str]:
    """Waits for connections, in the service and in those it calls for this step."""
    if total.shift <= 0:
        return
    still: dict[str, None] = {}  # in the order found, each pool once however many replicas
    for owner in (service, *rounds.evidence.services.calls(endpoint)):
        for label in labels_of(rounds.series, owner, f"{POOL_ACQUIRE}_sum"):
            pool = f"{label.partition('/')[0]} ({owner})"
            wait = Change.of(_wait_ms(rounds, owner, label))
            if wait is None:
                continue
            if not wait.sure or wait.shift < _LEAST_WAIT_MS:
                still[pool] = None
                continue
            share = min(100.0, 100 * wait.shift / total.shift)
            part = f": about {share:.0f} % of the shift" if total.sure else ""
            yield (
                f"the wait for a connection of pool {pool} grew from {wait.base:.2g} to "
                f"{wait.head:.2g} ms{_wait_p99(rounds, owner, label)}{part}"
            )
    if still:
        yield f"waits for a connection that did not move: {', '.join(still)}"


def _siblings(rounds: Rounds, endpoint: str, service: str) -> Iterator[str]:
    """Whether the other endpoints, of the service and of all, moved as well."""
    moved = {step: _moved(quantile_shifts(*rounds.histograms(step))) for step in rounds.steps}
    others = [step for step in moved if step != endpoint]
    if endpoint == JOURNEY:
        slower = ", ".join(f"{step} ({_range(moved, [step])})" for step in others if moved[step])
        yield f"steps that got slower: {slower or 'none by more than its noise'}"
        return
    if others and all(moved[step] for step in others):
        yield f"all {len(moved)} steps moved ({_range(moved, others)}): what all services share"
        return
    of_service = rounds.evidence.services.steps_of(service)
    if siblings := [step for step in of_service if step in others]:
        yield _about_siblings(service, siblings, moved)


def _about_siblings(
    service: str, siblings: Sequence[str], moved: Mapping[str, QuantileShift | None]
) -> str:
    with_it = [step for step in siblings if moved[step]]
    if not with_it:
        return f"no other endpoint of {service} moved: this handler, or what only it calls"
    if len(with_it) == len(siblings):
        spans = _range(moved, siblings)
        return f"every endpoint of {service} moved ({spans}): the service, not one handler"
    still = ", ".join(step for step in siblings if not moved[step])
    return (
        f"of {service}, {', '.join(with_it)} moved too ({_range(moved, with_it)}), {still} did not"
    )


def _cpu(rounds: Rounds, service: str) -> Iterator[str]:
    by_round = cpu_per_request_us(rounds, service)
    cpu = Change.of(by_round)
    if cpu is None or min(cpu.base, cpu.head) <= 0:
        return
    known = by_round[:, (np.nan_to_num(by_round) > 0).all(axis=0)]
    if not known.size:
        return
    base, head = np.exp(np.log(known).mean(axis=1))  # as the costs have it
    change = percent(float(np.log(head / base)))
    means = f"{change}, {base:.0f} → {head:.0f} µs over all its endpoints"
    least = _LEAST_CPU * cpu.base
    if cpu.sure and cpu.shift > least:
        yield f"CPU per request of {service} grew ({means}): it computes more"
    elif cpu.shift + SURE * cpu.error > 2 * least:
        yield f"CPU per request of {service}: too noisy to tell ({means})"
    else:
        yield f"CPU per request of {service} did not grow ({means}): it waits, it does not compute"


def _moved(shifts: Sequence[QuantileShift]) -> QuantileShift | None:
    """The median, or else the slowest quantile, if it got slower."""
    candidates = [s for s in shifts if s.q == 0.5] + [s for s in shifts[-1:] if s.q > 0.5]
    return next((s for s in candidates if s.moved and s.shift_ms > 0), None)


def _range(moved: Mapping[str, QuantileShift | None], steps: Sequence[str]) -> str:
    logs = [shift.log_ratio for step in steps if (shift := moved[step])]
    low, high = percent(min(logs)), percent(max(logs))
    return low if low == high else f"{low} to {high}"


def _mean_ms(rounds: Rounds, step: str, kind: str) -> Floats:
    """Mean by [arm, round], ms; NaN without requests."""
    values_us, counts = rounds.histograms(step, kind)
    return per(counts @ values_us / 1000, counts.sum(axis=-1))


def _wait_ms(rounds: Rounds, owner: str, label: str) -> Floats:
    """Mean wait per acquired connection by [arm, round], ms; NaN where none was acquired."""
    waited_s, acquired = (
        growth(rounds, owner, f"{POOL_ACQUIRE}_{part}/{label}") for part in ("sum", "count")
    )
    return per(1000 * waited_s, acquired)


def _wait_p99(rounds: Rounds, owner: str, label: str) -> str:
    """The p99 of the wait in both arms; empty without buckets."""
    name = POOL_ACQUIRE_BUCKET
    bounds = {
        float(found.rpartition("/")[2]): f"{name}/{found}"
        for found in labels_of(rounds.series, owner, name)
        if found.startswith(f"{label}/")
    }
    ordered = sorted(bounds)
    if len(ordered) < 2 or ordered[-1] != np.inf:
        return ""
    grown = np.array([growth(rounds, owner, bounds[le]) for le in ordered])
    p99 = [histogram_quantile(np.array(ordered), arm, 0.99) for arm in grown.sum(axis=2).T]
    texts = [f"{'over ' if at.at_least else ''}{1000 * at.value:.2g}" for at in p99]
    return f" (p99 {' to '.join(texts)} ms)"
