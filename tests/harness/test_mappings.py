"""Each ready mapping reads a page as its exporter writes it; a new one is a file and a page."""

import re
from pathlib import Path

import numpy as np
import pytest

from harness.sampling.fold import Folded, fold
from harness.sampling.mapped_page import MappedPages, series_of
from harness.sampling.mapping import mapping, mapping_names, sources_by_subject, wanted
from recording.errors import ConfigError
from recording.flow import Service, Services
from recording.metric_names import ALL_OF_A_SERVICE
from recording.metrics import Metrics, MetricSource
from tests.harness.shop_exporter import exporter

PAGES = Path(__file__).parents[1] / "fixtures" / "exporters"
SAYS = {
    "hikaricp": {
        "connection_pool_active/HikariPool-1": 7, "connection_pool_idle/HikariPool-1": 3,
        "connection_pool_max/HikariPool-1": 10, "connection_pool_waiting/HikariPool-1": 2,
        "connection_pool_timeouts_total/HikariPool-1": 5,
        "connection_pool_acquire_seconds_bucket/HikariPool-1/0.001": 90,
        "connection_pool_acquire_seconds_bucket/HikariPool-1/inf": 100,
        "connection_pool_acquire_seconds_count/HikariPool-1": 100,
        "connection_pool_acquire_seconds_sum/HikariPool-1": 1.25,
        "connection_pool_hold_seconds_count/HikariPool-1": 98,
        "connection_pool_hold_seconds_sum/HikariPool-1": 4.5,
    },
    "jvm": {
        "process_resident_memory_bytes": 3.1e8, "container_spec_memory_limit_bytes": 536870912,
        "process_start_time_seconds": 1.7e9,
    },
    "go-sql": {
        "connection_pool_active/shop": 22, "connection_pool_idle/shop": 3,
        "connection_pool_max/shop": 25,
    },
    "sqlalchemy": {
        "connection_pool_active/sqlalchemy": 6, "connection_pool_idle/sqlalchemy": 4,
        "connection_pool_max/sqlalchemy": 15,
    },
    "otel-pool": {
        "connection_pool_active/shop": 2, "connection_pool_idle/shop": 8,
        "connection_pool_max/shop": 10, "connection_pool_waiting/shop": 0,
        "connection_pool_timeouts_total/shop": 1,
    },
    "pgbouncer": {
        "connection_pool_active/shop": 20, "connection_pool_idle/shop": 0,
        "connection_pool_max/shop": 20, "connection_pool_waiting/shop": 4,
    },
    "postgres": {
        "database_connections": 47, "database_connections_max": 100,
        "database_commits_total": 90100, "database_rollbacks_total": 8,
        "database_deadlocks_total": 2, "database_replication_lag_seconds": 0.5,
        "process_start_time_seconds": 1.7e9,
    },
    "redis": {
        "connection_pool_active/redis": 184, "connection_pool_max/redis": 10000,
        "connection_pool_timeouts_total/redis": 3,
    },
    "redis-memory": {"process_resident_memory_bytes": 1.5e8, "process_start_time_seconds": 1.7e9},
    "cadvisor": {
        "process_resident_memory_bytes": 5e8, "container_spec_memory_limit_bytes": 2**30,
        "container_oom_events_total": 1,
    },
    "kube-state-metrics": {
        "container_restarts_total": 3, "service_replicas": 2,
        "replica_cpu_utilization_ratio": 0.84,
    },
    "process": {
        "process_resident_memory_bytes": 4e8, "process_cpu_seconds_total": 12.5,
        "process_start_time_seconds": 1.7e9,
    },
    "loadgate": {
        "http_requests_total/200": 67, "http_requests_total/503": 3,
        "process_resident_memory_bytes": 4e8,
        "connection_pool_active/locks/0": 7, "connection_pool_active/locks/1": 9,
        "connection_pool_max/locks/0": 10, "connection_pool_max/locks/1": 10,
    },
}  # fmt: skip


def source(*use: str, **more: object) -> MetricSource:
    """Of checkout's page; Kubernetes calls it checkout."""
    about = {"service": "checkout", "page": "/metrics", "named": "checkout", "use": use}
    return MetricSource.model_validate(about | more)


def read(page: str, *sources: MetricSource) -> Folded:
    """A page by all of these sources."""
    return fold(series_of(page, wanted(sources)), np.zeros(1), 1.0)


def values(folded: Folded) -> dict[str, float]:
    return {name: float(told.values[0]) for name, told in folded.told.items()}


@pytest.mark.parametrize("name", mapping_names())
def test_a_mapping_reads_what_its_exporter_writes(name: str) -> None:
    """Every name, unit and label; nothing of a neighbour or of the exporter itself."""
    found = read((PAGES / f"{name}.prom").read_text(), source(name))
    assert found.clashes == ()
    assert values(found) == pytest.approx(SAYS[name])


@pytest.mark.parametrize("name", mapping_names())
def test_a_mapping_says_where_its_names_are_from(name: str) -> None:
    """A page of the exporter's own, and no row twice."""
    of = mapping(name)
    assert of.title
    assert of.source.startswith(("https://", "docs/"))
    rows = [(row.ours, row.theirs, row.where) for row in of.rows]
    assert len({*rows}) == len(rows)
    assert {row.ours for row in of.rows} <= {*ALL_OF_A_SERVICE}


def test_several_mappings_of_a_service_are_put_together() -> None:
    """Pools of different names, and memory from where it is."""
    pages = [(PAGES / f"{name}.prom").read_text() for name in ("hikaricp", "redis", "process")]
    found = read("".join(pages), source("hikaricp", "redis", "process"))
    assert found.clashes == ()
    expected = SAYS["hikaricp"] | SAYS["redis"] | SAYS["process"]
    assert values(found) == pytest.approx(expected)


def test_two_mappings_that_give_one_name_clash() -> None:
    """Both are named, and what would part them; the rest is told."""
    page = "".join((PAGES / f"{name}.prom").read_text() for name in ("jvm", "process"))
    page = page.replace("process_start_time_seconds 1.7E9\n", "", 1)
    found = read(page, source("jvm"), source("process"))
    memory = next(c for c in found.clashes if c.name == "process_resident_memory_bytes")
    assert str(memory) == (
        "process_resident_memory_bytes: both jvm's jvm_memory_used_bytes and process's "
        "process_resident_memory_bytes fall on it; give one source "
        "without = ['process_resident_memory_bytes']"
    )
    assert values(found)["process_cpu_seconds_total"] == 12.5
    cured = ("process_resident_memory_bytes", "process_start_time_seconds")
    assert read(page, source("jvm"), source("process", without=cured)).clashes == ()


def test_two_series_on_one_name_name_the_label_that_parts_them() -> None:
    """Never silently the last; a matcher chooses, and so does a stated sum."""
    page = 'shop_open{shard="a"} 3\nshop_open{shard="b"} 4\n'
    row = {"ours": "connection_pool_active", "theirs": "shop_open", "pool_name": "shop"}
    (clash,) = read(page, source(rows=[row])).clashes
    assert (clash.one, clash.other) == ('shop_open{shard="a"}', 'shop_open{shard="b"}')
    assert """part them by where = 'shard="a"', or say together = "sum" or "max\"""" in clash.cure
    one = read(page, source(rows=[row], where='shard="b"'))
    assert values(one) == {"connection_pool_active/shop": 4.0}
    added = read(page, source(rows=[row | {"together": "sum"}]))
    assert values(added) == {"connection_pool_active/shop": 7.0}


def test_a_clash_that_comes_while_a_page_is_read_is_kept() -> None:
    """Its name is left out from then on, and once it is said why."""
    page = (PAGES / "process.prom").read_text()
    with exporter(page) as shop:
        pages = MappedPages({shop.url: wanted((source("process"),))}, 2.0)
        before = pages()
        shop.text = page + 'process_cpu_seconds_total{shard="b"} 1\n'
        after = [pages(), pages()]
    assert before.keys() - after[1].keys() == {"process_cpu_seconds_total"}
    assert [*pages.seen] == ["process_cpu_seconds_total"]


def test_a_row_of_ones_own_stands_for_that_of_the_mapping() -> None:
    """Of the same name of ours; in milliseconds it is ours in seconds, its bounds too."""
    row = {"ours": "connection_pool_acquire_seconds_bucket", "theirs": "wait_ms_bucket",
           "pool_name": "p", "unit": "ms"}  # fmt: skip
    page = (PAGES / "hikaricp.prom").read_text() + 'wait_ms_bucket{le="50"} 3\n'
    found = values(read(page, source("hikaricp", rows=[row])))
    buckets = {name: value for name, value in found.items() if "_bucket" in name}
    assert buckets == {"connection_pool_acquire_seconds_bucket/p/0.05": 3.0}


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"use": ("hikari",)}, "did you mean 'hikaricp'?"),
        ({"use": ("cadvisor",), "named": ""}, "cadvisor needs named"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(about: dict[str, object], says: str) -> None:
    """An unknown mapping, or one that needs a name."""
    with pytest.raises(ConfigError, match=re.escape(says)):
        wanted((source(**about),))


def test_a_service_that_nobody_knows_is_refused() -> None:
    """With those there are."""
    metrics = Metrics(sources=(source("process", service="chekout"),))
    with pytest.raises(ConfigError, match="did you mean 'checkout'"):
        sources_by_subject(metrics)


def test_services_of_a_shops_own_scenario_are_known() -> None:
    """By their keys, in place of ours."""
    flow = Services((Service(key="shop", subject="web-shop", steps=("item",)),), ("item",))
    metrics = Metrics(sources=(source("process", service="shop"),))
    assert [*sources_by_subject(metrics, flow)] == ["web-shop"]
