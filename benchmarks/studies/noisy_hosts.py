"""Simulated hosts worse than any that a calibration should be made on, and coarse clocks."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from analysis.calibration.simulated import MEDIAN_MS, Host
from analysis.regression.data import GateData

NOISY_HOSTS: Final = MappingProxyType(
    {
        "slot-noise-10": Host("each slot its own 10 %", lambda rng, n: rng.normal(0.0, 0.10, n)),
        "slot-noise-15": Host("each slot its own 15 %", lambda rng, n: rng.normal(0.0, 0.15, n)),
    }
)


def on_grid(data: GateData, median_ms: float, grid_ms: float) -> GateData:
    """The same run with another median, seen by a clock that ticks only every `grid_ms`."""
    scaled_us = data.values_us * median_ms / MEDIAN_MS
    ticks_us = 1000 * grid_ms * np.ceil(scaled_us / (1000 * grid_ms))
    values_us, starts = np.unique(ticks_us, return_index=True)
    base, head = (np.add.reduceat(arm, starts, axis=-1) for arm in (data.base, data.head))
    return replace(data, values_us=values_us, base=base, head=head)
