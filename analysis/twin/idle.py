"""Hold times as an idle database would make them, from those that were recorded under load."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from analysis.twin.contended import play_contended
from analysis.twin.workload import Workload

_HALVINGS, _ARRIVALS, _LEAST = 12, 6_000, 0.01


def idle(workload: Workload) -> Workload:
    """With all holds shortened by one factor, so that the pool of the recorded size, played under
    the recorded arrivals, stretches them to the recorded mean.

    As they are where that size is not known.
    """
    size = workload.recorded.size
    if not math.isfinite(size):
        text = "recorded holds are taken to be those of an idle database"
        return replace(workload, assumed=(*workload.assumed, text))
    low, high = _LEAST, 1.0
    for _ in range(_HALVINGS):
        factor = math.sqrt(low * high)
        longer = _mean_held_s(_shortened(workload, factor), int(size)) > workload.holds.mean_s
        low, high = (low, factor) if longer else (factor, high)
    text = f"an idle database holds a connection {factor:.2f} times as long as was recorded"
    return replace(_shortened(workload, factor), assumed=(*workload.assumed, text))


def _shortened(workload: Workload, factor: float) -> Workload:
    return replace(workload, holds=workload.holds.scaled(factor))


def _mean_held_s(workload: Workload, size: int) -> float:
    """Played with the same draws for every factor, so that they differ by nothing else."""
    rng = np.random.default_rng(0)
    asked_s = workload.seen_again(rng).arrivals_s(rng, _ARRIVALS)
    holds_s = workload.holds.draw_s(rng, asked_s.size)
    played = play_contended(workload, workload.servers(size), asked_s, holds_s)
    return float(np.nanmean(played.held_s))
