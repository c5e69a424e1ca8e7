"""A recorded run of profiles/lock-pool.toml beside the fluid model of the seed's lock pool.

    python -m benchmarks.studies.lock_pool              # the model alone: the seed and variants
    python -m benchmarks.studies.lock_pool runs/<id>    # the run, and the model of its profile

All is told in the seed's time and size. A profile is to scale by its locks' time to live, 300 s in
the seed: with 10 s it is 30 times as fast and has a thirtieth of the locks, at the same rates.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.tuning.lock_model import HOUR_S, MARKS_H, TTL_S, Plan, Told, play
from mock_services.checkout.settings import CheckoutSettings
from mock_services.inventory_lock.settings import InventoryLockSettings
from recording.arrays import Floats
from recording.events import SCALED
from recording.jsonl import read_json_lines
from recording.manifest import read_manifest
from recording.metric_names import HTTP_REQUESTS, POOL_ACTIVE, POOL_MAX, POOL_WAITING, REPLICA_CPU
from recording.profile import Profile
from recording.rundir import RunDir, open_run_dir
from recording.series_reader import Series, read_series
from recording.timetable import phases_of

LOCKS, CHECKOUT = "inventory-lock-service", "checkout-service"
POD_READY = "pod_ready"
AROUND_S = 5.0
"""A mark's value is the mean over this time on either side of it, s of the run."""
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "the seed": {},
    "sweepers twice as fast": {"expiry_per_s": 7.94},
    "pools of 2,500": {"pool_max": 2500},
    "threshold 65 %": {"scale_threshold_percent": 65.0},
    "on pool utilization": {"scale_on": "pool_utilization"},
}
Row = tuple[str, str, str]


class Scaled:
    """A profile in the seed's time and size."""

    def __init__(self, profile: Profile) -> None:
        tables = profile.services
        given = InventoryLockSettings.model_validate(dict(tables.get("inventory_lock", {})))
        self._checkout = CheckoutSettings.model_validate(dict(tables.get("checkout", {})))
        self._load = profile.load
        self.times = TTL_S / given.lock_ttl_s
        longer = ("scale_hold_s", "pod_scheduling_s", "pod_start_s", "pod_readiness_s")
        self._settings = given.updated(
            {
                **{name: getattr(given, name) * self.times for name in longer},
                "pool_max": round(given.pool_max * self.times),
                "lock_scan_cpu_ms": given.lock_scan_cpu_ms / self.times,
                "lock_ttl_s": TTL_S,
            }
        )

    def plan(self) -> Plan:
        """What the model plays."""
        checkout, load = self._checkout, self._load
        attempts = checkout.lock_attempts
        patience_s = (
            attempts * checkout.lock_attempt_timeout_s
            + (attempts - 1) * checkout.lock_retry_backoff_s
        )
        return Plan(
            self._settings,
            starts_per_s=lambda t_s: load.intended(t_s / self.times) or 0.0,
            hours=self.hours(load.duration_s),
            patience_s=patience_s * self.times,
        )

    def hours(self, t_s: float) -> float:
        """Story's hours of the run's seconds."""
        return t_s * self.times / HOUR_S


def recorded(run: RunDir, scaled: Scaled) -> Told:
    """What happened in a run."""
    series = read_series(run.resources)
    events, _damaged = read_json_lines(run.events)
    start_s = phases_of(events)[0].start_s
    told = Told()
    t_s, held = _summed(series, POOL_ACTIVE)
    _, most = _summed(series, POOL_MAX, t_s)
    _, waiting = _summed(series, POOL_WAITING, t_s)
    hours = (t_s - start_s) * scaled.times / HOUR_S
    dry = hours[(held >= most) & (waiting > 0)]
    told.exhausted_h = float(dry[0]) if len(dry) else None
    around_h = scaled.hours(AROUND_S)
    for mark in MARKS_H:
        near = np.abs(hours - mark) <= around_h
        if near.any():
            told.used[mark] = float(np.mean(100 * held[near] / most[near]))
            told.cpu[mark] = _mean_cpu(series, t_s[near])
    told.scaled_h, told.ready_h = (
        _first(events, name, start_s, scaled) for name in (SCALED, POD_READY)
    )
    _, failed = series.get(CHECKOUT, f"{HTTP_REQUESTS}/503")
    told.failed = float(failed[-1]) * scaled.times if len(failed) else 0.0
    return told


def _summed(series: Series, metric: str, at_s: Floats | None = None) -> tuple[Floats, Floats]:
    """A metric summed over the replicas, each as it was last told; nothing before it began."""
    names = [name for name in series.metrics(LOCKS) if name.startswith(f"{metric}/")]
    each = [series.get(LOCKS, name) for name in names]
    if at_s is None:
        at_s = np.unique(np.concatenate([t_s for t_s, _ in each]))
    total = np.zeros(len(at_s))
    for t_s, values in each:
        last = np.searchsorted(t_s, at_s, side="right") - 1
        total += np.where(last >= 0, values[last], 0.0)
    return at_s, total


def _mean_cpu(series: Series, at_s: Floats) -> float:
    """Percent, mean of the replicas over these moments; nan where none was told."""
    names = [name for name in series.metrics(LOCKS) if name.startswith(f"{REPLICA_CPU}/")]
    found = [v[np.isin(t, at_s)] for t, v in (series.get(LOCKS, name) for name in names)]
    values = np.concatenate(found) if found else np.empty(0)
    return float(100 * np.mean(values)) if len(values) else np.nan


def _first(
    events: Sequence[Mapping[str, Any]], name: str, start_s: float, scaled: Scaled
) -> float | None:
    times = (float(row["t_s"]) for row in events if row.get("event") == name)
    return next((scaled.hours(t_s - start_s) for t_s in times), None)


def rows(told: Told, other: Told) -> list[Row]:
    """What two tell, line by line."""
    pairs: list[Row] = []
    for title, one, two in (("pool", told.used, other.used), ("CPU", told.cpu, other.cpu)):
        pairs += [
            (f"{title} at T+{mark:g}h", _percent(one, mark), _percent(two, mark))
            for mark in MARKS_H
        ]
    for title, name in (
        ("exhausted", "exhausted_h"), ("scaled", "scaled_h"), ("ready", "ready_h"),
    ):  # fmt: skip
        pairs.append((title, _clock(getattr(told, name)), _clock(getattr(other, name))))
    return [*pairs, ("starts failed", f"{told.failed:.0f}", f"{other.failed:.0f}")]


def _percent(of: Mapping[float, float], mark: float) -> str:
    return f"{of[mark]:.0f} %" if mark in of else "–"


def _clock(hour: float | None) -> str:
    if hour is None:
        return "never"
    minutes = round(hour * 60)
    return f"T+{minutes // 60}h{minutes % 60:02d}m"


def show(titles: Row, table: Sequence[Row]) -> None:
    """Print it in columns."""
    for row in (titles, *table):
        print("{:16} {:>12} {:>12}".format(*row))


def main(argv: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", nargs="?", type=Path, help="a run directory")
    chosen = parser.parse_args(argv).run
    if chosen is None:
        for name, changed in VARIANTS.items():
            told = play(Plan(InventoryLockSettings.model_validate(dict(changed)), hours=8.0))
            print(name)
            show(("", "model", ""), [(row[0], row[1], "") for row in rows(told, told)])
        return
    run = open_run_dir(chosen)
    scaled = Scaled(read_manifest(run.manifest).profile)
    print(f"{scaled.times:g} times as fast as the seed, and as small")
    show(("", "run", "model"), rows(recorded(run, scaled), play(scaled.plan())))


if __name__ == "__main__":
    main()
