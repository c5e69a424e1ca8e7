"""What a pool of some size would do: played many times over, from a recording drawn anew each time.

Each of 39 plays takes blocks of the recorded time and hold times at random, as many as there
were, and plays an endless row of them. So a prediction carries what a short recording leaves open:
the lowest and the highest of 39 are a 95 % interval, for one more would lie beyond either with 1 in
40 (Monte Carlo envelopes: Besag and Diggle, 1977).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.twin.contended import play_contended
from analysis.twin.interval import left_open
from analysis.twin.play import Played, play
from analysis.twin.reasons import reasons
from analysis.twin.workload import Resampled, Workload
from recording.arrays import Floats

PLAYS = 39
ARRIVALS, CONTENDED_ARRIVALS = 40_000, 8_000
"""Of each play; one event of a shared database costs several of a queue alone."""
_WARM_UP = 0.2
"""Of each play, until it no longer matters that it began with an empty pool."""
OPTIMISM = 0.2
"""By how much the truth may exceed a prediction of p99, as a share of the truth."""
_PARTS = 4
_MOMENTS = 2_000
"""Of each play, at which its connections in use are counted."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a pool of ``size`` connections (of each replica) does at ``load`` times the recorded
    arrivals.

    ``wait_p50_ms`` and ``wait_p99_ms`` are of the wait for a connection over all who ask, in vain
    or not, as the pool itself records it; inf where it would grow for ever. The p99 is raised
    to 80 % of the interval's upper end where that is more: then the truth is at most 20 %
    above it, as sure as the interval holds.

    ``time_p99_ms`` is the wait and the hold together. Occupancy is a share of the connections.
    ``extrapolated`` says where this rests on more than was recorded.
    """

    size: int
    load: float
    wait_p50_ms: float
    wait_p99_ms: float
    wait_p99_low_ms: float
    wait_p99_high_ms: float
    timeouts_share: float
    """Of all who ask, who did without: the pool turned them away, or they had gone."""
    occupancy_mean: float
    occupancy_p99: float
    throughput_per_s: float
    time_p99_ms: float
    arrivals: int
    extrapolated: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What one play showed."""

    waited_s: Floats
    took_s: Floats
    busy: Floats
    """Connections in use at some moments."""
    busy_mean: float
    in_vain: float
    served_per_s: float
    overloaded: bool


def predict(workload: Workload, size: int, load: float = 1.0, seed: int = 0) -> Prediction:
    """Raises ValueError for a pool without connections or a load of nothing."""
    if size < 1 or not load > 0:
        raise ValueError(f"a pool of {size} at {load} times the load is none")
    rng = np.random.default_rng(seed)
    loaded = workload.scaled(load, rng)
    plays = [_played(loaded.seen_again(rng), size, rng) for _ in range(PLAYS)]
    waits = np.concatenate([seen.waited_s for seen in plays])
    overloaded = 2 * sum(seen.overloaded for seen in plays) > PLAYS
    each_ms = [_quantile_ms(seen.waited_s, 0.99, seen.overloaded) for seen in plays]
    estimate_ms = float(np.median(each_ms))
    low_ms, high_ms = left_open(estimate_ms, np.array([_parts_ms(seen) for seen in plays]))
    high_ms = min(high_ms, 1000 * workload.wait_timeout_s)
    servers = workload.servers(size)
    return Prediction(
        size,
        load,
        wait_p50_ms=_quantile_ms(waits, 0.5, overloaded),
        wait_p99_ms=max(estimate_ms, (1.0 - OPTIMISM) * high_ms),
        wait_p99_low_ms=low_ms,
        wait_p99_high_ms=high_ms,
        timeouts_share=float(np.mean([seen.in_vain for seen in plays])),
        occupancy_mean=float(np.mean([seen.busy_mean for seen in plays])) / servers,
        occupancy_p99=float(np.quantile(np.concatenate([s.busy for s in plays]), 0.99)) / servers,
        throughput_per_s=float(np.mean([seen.served_per_s for seen in plays])),
        time_p99_ms=_quantile_ms(np.concatenate([seen.took_s for seen in plays]), 0.99, overloaded),
        arrivals=waits.size,
        extrapolated=tuple(reasons(workload, size, load, estimate_ms, high_ms)),
    )


def _played(again: Resampled, size: int, rng: np.random.Generator) -> _Seen:
    """One play. In turn, each replica gets every so manieth caller, and one stands for all."""
    of = again.of
    contended = of.contention.cores > 0
    n = CONTENDED_ARRIVALS if contended else ARRIVALS
    apart = of.replicas if of.routing == "round_robin" else 1
    asked_s = again.arrivals_s(rng, n * apart)[::apart]
    servers = of.servers(size) // apart
    playing = play_contended if contended else play
    whole = playing(of, servers, asked_s, again.holds.draw_s(rng, asked_s.size))
    return _seen(whole, asked_s, servers, apart, math.isinf(of.give_up_s))


def _seen(whole: Played, asked_s: Floats, servers: int, apart: int, patient: bool) -> _Seen:
    start_s, end_s = float(asked_s[int(_WARM_UP * asked_s.size)]), float(asked_s[-1])
    played, seconds = whole.since(start_s), end_s - start_s
    served = ~played.in_vain
    held_s = played.held_s[served]
    busy = _busy(whole, np.linspace(start_s, end_s, _MOMENTS))
    return _Seen(
        played.waited_s,
        played.waited_s + np.nan_to_num(played.held_s),
        busy * apart,
        float(np.mean(busy)) * apart,
        1.0 - float(np.mean(served)),
        held_s.size / seconds * apart,
        patient and float(held_s.sum()) / seconds >= servers,
    )


def _parts_ms(seen: _Seen) -> list[float]:
    """The p99 in each of a few stretches of a play."""
    parts = np.array_split(seen.waited_s, _PARTS)
    return [_quantile_ms(part, 0.99, seen.overloaded) for part in parts]


def _busy(whole: Played, moments_s: Floats) -> Floats:
    """Connections in use at each moment: those given out before it, less those given back."""
    served = ~whole.in_vain
    begun_s = np.sort((whole.asked_s + whole.waited_s)[served])
    ended_s = np.sort((whole.asked_s + whole.waited_s + whole.held_s)[served])
    inside = np.searchsorted(begun_s, moments_s) - np.searchsorted(ended_s, moments_s)
    return np.asarray(inside, float)


def _quantile_ms(times_s: Floats, q: float, for_ever: bool) -> float:
    """Nearest rank, as everywhere; inf where it would grow for ever."""
    return math.inf if for_ever else 1000 * float(np.quantile(times_s, q, method="inverted_cdf"))
