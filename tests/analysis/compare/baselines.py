"""Baselines made to order: every step at 100 ms times a factor, p50 to p99."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.compare.baseline import Baseline, Figure
from recording.flow import STEPS

SUBJECTS = (*STEPS, "journey")
WITHIN = 0.003
"""Standard error of a log percentile within a run."""
PERCENTILES = {"p50": 100.0, "p95": 250.0, "p99": 400.0}


def made(
    run_id: str,
    factors: Mapping[str, float] | float = 1.0,
    n: int = 20_000,
    within: float | None = WITHIN,
    **changed: Any,
) -> Baseline:
    """A baseline; `factors` scale a subject's latencies, `changed` replaces fields.

    `within` is the error of its log percentiles, None where it was not kept.
    """
    scale = {} if isinstance(factors, float) else factors
    every = factors if isinstance(factors, float) else 1.0
    figures = [
        latency(s, metric, ms * scale.get(s, every), n, within)
        for s in SUBJECTS
        for metric, ms in PERCENTILES.items()
    ]
    figures += [figure(s, "error_rate", 0.0, 0.0, 0.02, unit="%") for s in SUBJECTS]
    fields: dict[str, Any] = {
        "run_id": run_id,
        "profile": "release",
        "digest": "0123456789ab",
        "host_class": "xeon-2c-8gb-linux6",
        "host": {},
        "started_utc": f"2026-01-01T00:00:00+00:00 {run_id}",
        "measured_s": 150.0,
        "load": {"phases": [{"name": "sustained", "users": 600}]},
        "services": {},
        "seeds": {"load": zlib.crc32(run_id.encode())},
        "figures": tuple(figures),
    }
    return Baseline(**(fields | changed))


def stepped(n: int, factors: Mapping[str, float], **changed: Any) -> list[Baseline]:
    """``n`` of them, a day apart, that scatter by 1 %; the later half is slower by ``factors``."""
    rng, found = np.random.default_rng(n), []
    for i in range(n):
        by = factors if i >= n // 2 else {}
        scale = {s: by.get(s, 1.0) * float(rng.lognormal(sigma=0.01)) for s in SUBJECTS}
        day = f"{1 + i:02d}"
        named: dict[str, Any] = {
            "started_utc": f"2026-03-{day}T10:15:00+00:00",
            "revision": f"{i:02d}" * 20,
        }
        found.append(made(f"202603{day}-101500-release-1f2e3d4c", scale, **(named | changed)))
    return found


def latency(subject: str, metric: str, ms: float, n: int, within: float | None) -> Figure:
    """With the 95 % interval that this error makes."""
    if within is None:
        return figure(subject, metric, ms, n=n)
    reach = float(np.exp(1.959964 * within))
    return figure(subject, metric, ms, ms / reach, ms * reach, n=n)


def figure(
    subject: str,
    metric: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    unit: str = "ms",
    n: int = 20_000,
) -> Figure:
    return Figure(
        subject=subject, metric=metric, value=value, unit=unit, n=n, ci_low=low, ci_high=high
    )


def scattered(k: int, spread: float, seed: int) -> list[Baseline]:
    """`k` baselines whose logs spread by `spread` between runs, each row by itself."""
    rng = np.random.default_rng(seed)
    draws = np.exp(rng.normal(0.0, spread, (k, len(SUBJECTS))))
    rows = [dict(zip(SUBJECTS, map(float, row), strict=True)) for row in draws]
    return [made(f"b{i:02}", factors) for i, factors in enumerate(rows)]
