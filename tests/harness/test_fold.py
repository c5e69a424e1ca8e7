"""harness/sampling/fold.py over time: counters begin anew, replicas come and go, labels change."""

from collections.abc import Sequence

import numpy as np
import pytest

from harness.sampling.fold import Folded, Series, fold
from harness.sampling.mapping import Wanted
from recording.metrics import MetricRow

NONE = float("nan")


def series(row: MetricRow, values: Sequence[float], from_s: float = 0.0, **labels: str) -> Series:
    """One of theirs, scraped every second."""
    t_s = from_s + np.arange(len(values), dtype=float)
    return Series(Wanted(row, (), "rows", 0), labels, t_s, np.array(values, float))


def row(ours: str, **more: object) -> MetricRow:
    return MetricRow.model_validate({"ours": ours, "theirs": "theirs", **more})


def folded(*found: Series, until: int = 10) -> Folded:
    return fold(found, np.arange(until, dtype=float), 1.0)


def told(*found: Series, until: int = 10) -> dict[str, list[float]]:
    return {name: each.values.tolist() for name, each in folded(*found, until=until).told.items()}


TIMEOUTS = row("connection_pool_timeouts_total", pool=["pool"])
ACTIVE = row("connection_pool_active", pool=["pool"])
STARTED = row("process_start_time_seconds")
REQUESTS = row("http_requests_total", status="code", together="sum", replicas="sum")
MEMORY = row("process_resident_memory_bytes", replicas="max")


def test_one_replica_needs_no_name() -> None:
    """As if its page had been read directly."""
    found = told(series(ACTIVE, [1, 2, 3], pool="db", instance="a:1"), until=3)
    assert found == {"connection_pool_active/db": [1, 2, 3]}


def test_a_counter_that_begins_anew_is_told_as_it_was() -> None:
    """The judge counts what it shows after its fall; nothing is smoothed away."""
    found = told(series(TIMEOUTS, [5, 6, 0, 1], pool="db", instance="a:1"), until=4)
    assert found == {"connection_pool_timeouts_total/db": [5, 6, 0, 1]}


def test_a_replica_that_comes_and_goes_is_told_by_its_name() -> None:
    """Where it is not, nothing is known of it; the other is none the worse."""
    stays = series(ACTIVE, [4] * 10, pool="db", pod="a")
    guest = series(ACTIVE, [7] * 3, from_s=3, pool="db", pod="b")
    found = told(stays, guest)
    assert found["connection_pool_active/db/a"] == [4] * 10
    values = found["connection_pool_active/db/b"]
    assert values[3:6] == [7, 7, 7]
    assert np.isnan(values[:3]).all()
    assert np.isnan(values[8:]).all()  # for two more samples it might only be late


def test_a_sum_of_counters_does_not_fall_when_a_replica_goes() -> None:
    """What it had counted stays counted; one that comes has counted since its start."""
    a = series(REQUESTS, [100, 110, 120, 130, 140, 150, 160, 170, 180, 190], code="200", pod="a")
    b = series(REQUESTS, [0, 5, 10], from_s=3, code="200", pod="b")
    (values,) = told(a, b).values()
    assert values == [100, 110, 120, 130, 145, 160, 170, 180, 190, 200]


def test_a_sum_of_counters_outlives_a_restart() -> None:
    """What was counted before it is not lost, and what is counted after it is new."""
    a = series(REQUESTS, [100, 110, 3, 6], code="200", pod="a")
    b = series(REQUESTS, [50, 50, 50, 50], code="200", pod="b")
    assert told(a, b, until=4) == {"http_requests_total/200": [150, 160, 163, 166]}


def test_a_target_that_is_relabelled_goes_on() -> None:
    """Its counter counts nothing twice, and its start is no other start."""
    before = [series(REQUESTS, [100, 110, 120], code="200", instance="a:1"),
              series(STARTED, [1e9] * 3, instance="a:1")]  # fmt: skip
    after = [series(REQUESTS, [130, 140], from_s=3, code="200", instance="b:1"),
             series(STARTED, [1e9] * 2, from_s=3, instance="b:1")]  # fmt: skip
    found = told(*before, *after, until=5)
    assert found["http_requests_total/200"] == [100, 110, 120, 130, 140]
    assert found["process_start_time_seconds"] == [1e9] * 5


def test_a_pod_in_the_place_of_another_has_started_anew() -> None:
    """Its counters begin at their beginning, and its start is another: a restart."""
    before = [series(REQUESTS, [100, 110, 120], code="200", pod="x"),
              series(STARTED, [1e9] * 3, pod="x")]  # fmt: skip
    after = [series(REQUESTS, [2, 4], from_s=4, code="200", pod="y"),
             series(STARTED, [1e9 + 500] * 2, from_s=4, pod="y")]  # fmt: skip
    found = told(*before, *after, until=6)
    grown = np.diff(found["http_requests_total/200"])
    assert np.where(grown < 0, 2, grown).sum() == 20 + 2 + 2
    assert found["process_start_time_seconds"][-1] == 1e9 + 500
    assert not any("replica" in name for name in found)


def test_of_memory_the_largest_replica_is_judged() -> None:
    """A limit holds for each; a small one that comes adds nothing."""
    a, b = series(MEMORY, [4e8] * 10, pod="a"), series(MEMORY, [1e8] * 5, from_s=2, pod="b")
    assert told(a, b) == {"process_resident_memory_bytes": [4e8] * 10}


def test_replicas_of_what_is_one_number_clash() -> None:
    """Where the row does not say what they are together."""
    one = row("service_replicas")
    (clash,) = folded(series(one, [2], pod="a"), series(one, [3], pod="b"), until=1).clashes
    assert 'pod="a"' in clash.cure
    assert 'replicas = "sum" or "max"' in clash.cure


@pytest.mark.parametrize("every_s", [1.0, 15.0])
def test_a_value_stands_until_its_series_is_overdue(every_s: float) -> None:
    """Two intervals of its own and a half; then a service that is not scraped says nothing."""
    t_s = np.arange(4) * every_s
    found = Series(Wanted(MEMORY, (), "rows", 0), {}, t_s, np.full(4, 4e8))
    values = fold([found], np.arange(0, 120.0), 1.0).told["process_resident_memory_bytes"].values
    assert np.isfinite(values).sum() == int(3 * every_s + 2.5 * every_s) + 1


def test_what_says_nothing_is_no_data() -> None:
    """Less than nothing, no number, and a limit of no memory at all."""
    limit = row("container_spec_memory_limit_bytes")
    assert told(series(limit, [0, 0]), series(MEMORY, [-1, NONE]), until=2) == {}
