"""Nothing is found in a report on a run that happened; one wrong figure is."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.audit.catalogue import Audit, audit
from analysis.published.table import Published
from analysis.report.audited import audit_document
from analysis.report.markdown import markdown
from recording.errors import ConfigError
from recording.profile_file import build
from tests.analysis.audit.consistent import report

SECTIONS = {name for name, field in Published.model_fields.items() if field.default == ()}


def audited(table: dict[str, Any]) -> Audit:
    return audit(build(Published, table, "made"), "made")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), digits=st.integers(2, 5))
def test_a_report_on_a_run_that_happened_contradicts_nothing(seed: int, digits: int) -> None:
    """However its figures are rounded: no contradiction, no question."""
    found = audited(report(np.random.default_rng(seed), digits))
    assert (found.contradictions, found.questions) == ((), ())
    assert found.checked > 50


def test_the_reports_have_every_section() -> None:
    """No relation goes untested for want of figures."""
    made = report(np.random.default_rng(1), 4)
    assert SECTIONS - set(made) == {"same", "rate_limits", "growth"}


def figures(at: Any, *path: str | int) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where each stands, and its unit."""
    inside = at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
    for key, below in inside:
        yield from figures(below, *path, key)
    if isinstance(at, str) and (found := re.fullmatch(r"[\d.,]+( \D*)?", at)):
        yield path, found[1] or ""


@settings(max_examples=100, deadline=None)
@given(data=st.data(), number=st.sampled_from(["0", "100", "9e200", "1e-200"]))
def test_no_figure_is_too_odd_to_audit(data: st.DataObject, number: str) -> None:
    """It is refused with its key, or related like any other."""
    table = report(np.random.default_rng(3), 3)
    path, unit = data.draw(st.sampled_from(list(figures(table))))
    at(*path)(table, number + unit)
    with suppress(ConfigError):
        assert markdown(audit_document(audited(table)))


def at(*path: str | int) -> Callable[[dict[str, Any], str], None]:
    """Sets what stands there."""

    def put(table: Any, value: str) -> None:
        for part in path[:-1]:
            table = table[part]
        table[path[-1]] = value

    return put


WRONG = [
    (at("totals", 0, "requests"), "1", "requests of the endpoints add up to"),
    (at("totals", 0, "failures"), "999,999", "failures of the endpoints add up to"),
    (at("totals", 0, "peak_rate"), "0.1/s", "above the peak"),
    (at("endpoints", 0, "rate"), "9,876/s", "not 9,876/s"),
    (at("load", "think_time"), {"min": "60 s", "max": "61 s"}, "think time"),
    (at("totals", 0, "mean"), "9,876 ms", "endpoints' means and requests"),
    (at("totals", 0, "p95"), "0.12 ms", "percentiles allow"),
    (at("services", 0, "p99"), "98,765 ms", "percentiles allow"),
    (at("endpoints", 1, "p99"), "0.11 ms", "is above p99"),
    (at("totals", 0, "max"), "0.91 ms", "the largest of an endpoint"),
    (at("endpoints", 0, "failure_share"), "77 %", "not 77 %"),
    (at("totals", 0, "of"), "17", "failures are those of all"),
    (at("services", 1, "failure_share"), "66 %", "its endpoints failed"),
    (at("orders", 0, "completed"), "99,999,999", "orders completed"),
    (at("orders", 0, "peak_rate"), "1,234/min", "orders peak at"),
    (at("funnel", 0, "share"), "1 %", "go on, not 1 %"),
    (at("gateways", 0, "requests"), "12", "passed 12 of"),
    (at("pools", 0, "concurrent"), "1", "concurrent requests"),
    (at("pools", 0, "in_use"), "999,999", "connections in use of"),
    (at("autoscalers", 0, "means", 0, "utilization"), "444 %", "replicas asks for"),
    (at("series", 0, "peaks", 0, "value"), "0.001 s", "peak 0.001 s, yet"),
    (at("series", 1, "points", 4, "value"), "1 s", "a counter falls"),
    (at("series", 2, "points", 4, "value"), "9,999 MB", "called linear"),
    (at("series", 2, "words", 1, "rate"), "999 MB/h", "not 999 MB/h"),
    (at("events", 2, "clock"), "2031-01-01 00:00:00", "the test began twice"),
    (at("log", 1, "id"), "r-1", "r-1: body 1 and body 2"),
    (at("sizes", 0, "printed"), "1,234 MB", "bytes are"),
    (at("availability", 0, "downtime"), "300 min", "300 min down of 30 d"),
    (at("availability", 0, "uptime"), "12 %", "12 %"),
    (at("incident_counts", 0, "count"), "77", "77 counted"),
    (at("sums", 0, "whole"), "987,654", "not 987,654"),
    (at("shares", 0, "share"), "4 %", "not 4 %"),
]


@pytest.mark.parametrize(("put", "value", "says"), WRONG, ids=[says for _, _, says in WRONG])
def test_one_wrong_figure_is_found(
    put: Callable[[dict[str, Any], Any], None], value: Any, says: str
) -> None:
    """By the relation that is about it."""
    table = deepcopy(report(np.random.default_rng(7), 4))
    put(table, value)
    assert [it.says for it in audited(table).contradictions if says in it.says]
