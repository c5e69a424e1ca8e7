"""Numbers that cannot be, such as -1 for "unknown", are no data; they keep no rule."""

from collections.abc import Callable
from math import isnan
from pathlib import Path

import pytest

from analysis.words.values import Outcome
from recording.metric_names import (
    MEMORY_LIMIT,
    OOM_EVENTS,
    ORDERS_DB,
    POOL_ACTIVE,
    REPLICAS,
    RSS,
    UP,
)
from recording.series import Sample
from tests.analysis.recordings import END_S, LOAD
from tests.analysis.test_unknown import CART, row, verdict

Said = Callable[[Sample], float | None]


def saying(metric: str, value: float, every: int = 1) -> Said:
    """A cart that says this in place of what it would, each time or every few seconds."""

    def said(sample: Sample) -> float | None:
        own = sample.subject == CART and sample.metric == metric and int(sample.t_s) % every == 0
        return value if own else sample.value

    return said


@pytest.mark.parametrize("value", [0.0, -1.0])
@pytest.mark.parametrize("rule", ["slope < 10 MB/h", "peak_rss < 500 MB", "time_to_limit > 72 h"])
@pytest.mark.parametrize("every", [1, 7])
def test_no_process_has_no_memory(rule: str, value: float, every: int, tmp_path: Path) -> None:
    """Neither where it says so always, nor now and then."""
    long = {"start_s": 1.0, "end_s": 200.0}
    found = row(tmp_path, f"{CART}.memory", rule, said=saying(RSS, value, every), **long)
    assert found.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_memory_limit_of_nothing_is_none(value: float, tmp_path: Path) -> None:
    """cAdvisor writes 0 for it."""
    grows = {"start_s": 1.0, "end_s": 1200.0, "rss_mb_per_h": 200.0}
    said = saying(MEMORY_LIMIT, value)
    found = row(tmp_path, f"{CART}.memory", "time_to_limit > 72 h", said=said, **grows)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "no memory limit known" in found.because


@pytest.mark.parametrize("rule", ["slope >= 1 MB/h", "time_to_limit < 72 h"])
def test_too_few_samples_keep_no_rule_of_either_direction(rule: str, tmp_path: Path) -> None:
    """A growth that is not known is not at least so much."""
    short = {"start_s": 1.0, "end_s": 6.0, "ledger": ((2.0, "ord-1"), (3.0, "ord-2"))}
    found = row(tmp_path, f"{CART}.memory", rule, **short)
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_counter_of_kills_below_zero_says_nothing(tmp_path: Path) -> None:
    """Of services that were there already."""
    told = [Sample(second, CART, OOM_EVENTS, -1.0) for second in range(int(END_S) + 1)]
    found = row(tmp_path, f"{CART}.memory", "oom_killed == 0", samples=told, urls=True)
    assert found.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("rule", "metric"),
    [
        ("replication_lag < 1 s", "database_replication_lag_seconds"),
        ("deadlocks == 0", "database_deadlocks_total"),
        ("connections < 90 %", "database_connections"),
        ("locks_waiting == 0", "database_locks_waiting"),
    ],
)
def test_a_database_that_says_minus_one_says_nothing(
    rule: str, metric: str, tmp_path: Path
) -> None:
    """Of each of its numbers."""
    told = {UP: 1.0, "database_replicas": 1.0, "database_connections_max": 400.0, metric: -1.0}
    samples = [Sample(s, ORDERS_DB, m, v) for s in range(int(END_S) + 1) for m, v in told.items()]
    found = row(tmp_path, f"{ORDERS_DB}.database", rule, samples=samples)
    assert found.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("restarts", [(), (38,)])
def test_a_restart_does_not_hide_a_saturated_mock(
    restarts: tuple[int, ...], tmp_path: Path
) -> None:
    """Its CPU counter begins anew, and goes on from there."""
    busy = {"cpu": {CART: 1.5}, "restarted_s": {CART: restarts}, "required": ("latency",)}
    found = verdict(tmp_path, "journey.latency", "p99 < 500 ms", **busy)
    assert found.verdict is Outcome.INVALID
    assert "CPU of the cart-service mock" in found.summary


LEFT = {RSS: 110 * 2.0**20, REPLICAS: 2.0, f"{POOL_ACTIVE}/p/0": 0.0}
"""At the end of the cool-down, where all is given back."""
ANOTHER = [Sample(s, CART, f"{POOL_ACTIVE}/q/0", 0.0 if s < 3 else 9.0) for s in range(44)]
"""A second pool, of which nothing is said after the load."""


@pytest.mark.parametrize(
    ("rule", "left", "more", "outcome"),
    [
        ("pool_left == 0", {}, [], Outcome.PASS),
        ("pool_left == 0", {f"{POOL_ACTIVE}/p/0": -1.0}, [], Outcome.INCONCLUSIVE),
        ("pool_left == 0", {}, ANOTHER, Outcome.INCONCLUSIVE),
        ("replicas_left == 0", {REPLICAS: 0.0}, [], Outcome.INCONCLUSIVE),
        ("memory_left < 50 MB", {RSS: 0.0}, [], Outcome.INCONCLUSIVE),
    ],
)
def test_what_is_no_longer_told_was_not_given_back(
    rule: str, left: dict[str, float], more: list[Sample], outcome: Outcome, tmp_path: Path
) -> None:
    """Nor what is said to be less than there can be; a replica that went is another matter."""
    late = [Sample(s, CART, m, v) for s in range(41, 49) for m, v in {**LEFT, **left}.items()]
    samples = [Sample(0, CART, REPLICAS, 2.0), *late, *more]
    cooled = {"t_s": 48.0, "source": "harness", "event": "cooled_down"}
    load = LOAD.model_copy(update={"cooldown": 8.0})
    about = {"load": load, "begins_s": 3.0, "events": [cooled], "required": ("reclaim",)}
    found = row(tmp_path, f"{CART}.reclaim", rule, samples=samples, **about)
    assert found.outcome is outcome


def test_no_request_has_no_failures_nor_none(tmp_path: Path) -> None:
    """A count of nothing is not zero."""
    found = row(tmp_path, "charge.errors", "failures < 9", rate=0.0)
    assert isnan(found.measurement.value)
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_growth_that_is_not_known_is_not_never(tmp_path: Path) -> None:
    """Of one fall nobody can tell whether it was a collection, nor when the limit is reached."""

    def in_other_units(sample: Sample) -> float | None:
        return sample.value / (1024 if sample.metric == RSS and sample.t_s > 100 else 1)

    long = {"start_s": 1.0, "end_s": 200.0, "said": in_other_units}
    found = row(tmp_path, f"{CART}.memory", "time_to_limit > 72 h", **long)
    assert isnan(found.measurement.value)
    assert found.outcome is Outcome.INCONCLUSIVE
