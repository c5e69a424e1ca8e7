"""Which ready mappings fit a page that an exporter wrote, and whether it tells of a pool."""

import pytest

from harness.adopt.exported import Exported, exported
from harness.sampling.mapping import mapping, mapping_names
from tests.harness.conftest import FIXTURES

OURS = {"loadgate", "process"}
"""Whose names are ours already: their pages are read as they are."""
POOLS = {"go-sql", "hikaricp", "otel-pool", "pgbouncer", "sqlalchemy", "redis", "loadgate"}


def page(name: str) -> str:
    """As the exporter writes it."""
    return (FIXTURES / "exporters" / f"{name}.prom").read_text()


@pytest.mark.parametrize("name", mapping_names())
def test_a_page_is_known_by_its_names(name: str) -> None:
    """Of the mappings that are used no two say the same."""
    found = exported("/metrics", page(name))
    assert (name in found.use) is (name not in OURS)
    said = [row.ours for use in found.use for row in mapping(use).rows if row.theirs in page(name)]
    assert len({*said}) == len(said)
    assert found.pool is (name in POOLS)


def test_a_process_beside_a_pool_is_told_by_the_mapping_of_processes() -> None:
    """Not by the one of our own names, which has its three too."""
    found = exported("/metrics", page("hikaricp") + page("process"))
    assert found.use == ("hikaricp", "process")


def test_a_page_of_something_else_is_none() -> None:
    """Nor is one that is no page of metrics."""
    nothing = Exported()
    assert exported("/metrics", "# HELP shop_x x\nshop_x 1\n") == nothing
    assert exported("/metrics", "<html>process_resident_memory_bytes {") == nothing
