"""Metrics pages of other people's exporters: what is told by name, added up, or left out."""

import pytest

from harness.sampling.prometheus import flatten


def flat(*lines: str) -> dict[str, float]:
    return dict(flatten("\n".join(lines) + "\n"))


def test_a_metrics_page_becomes_flat_names() -> None:
    """Which pool becomes path parts; what the judge does not read is dropped."""
    page = (
        "# TYPE connection_pool_active gauge",
        'connection_pool_active{pool="locks",replica="0"} 7.0',
        'connection_pool_acquire_seconds_bucket{pool="locks",replica="0",le="+Inf"} 4',
        'replica_cpu_utilization_ratio{replica="0"} 0.84',
        "python_info 1",
    )
    assert flat(*page) == {
        "replica_cpu_utilization_ratio/replica=0": 0.84,
        "connection_pool_active/locks/0": 7.0,
        "connection_pool_acquire_seconds_bucket/locks/0/+Inf": 4.0,
    }


@pytest.mark.parametrize("status", ["status", "code", "status_code"])
@pytest.mark.parametrize("other", ["handler", "endpoint", "instance", "zz"])
def test_requests_are_told_by_their_status_and_added_up(status: str, other: str) -> None:
    """Whatever the exporter calls the label and whatever else it says, none falls on another."""
    page = [
        f'http_requests_total{{{other}="{where}",{status}="{code}"}} {n}'
        for where, code, n in (("a", 200, 60), ("b", 200, 7), ("a", 500, 30), ("b", 503, 3))
    ]
    assert flat(*page) == {
        "http_requests_total/200": 67.0,
        "http_requests_total/500": 30.0,
        "http_requests_total/503": 3.0,
    }


@pytest.mark.parametrize("character", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_only_a_line_feed_ends_a_line(character: str) -> None:
    """A label may hold what Unicode breaks lines at; the page was lost for it."""
    page = (f'http_requests_total{{code="200",path="a{character}b"}} 5', "service_replicas 2")
    assert flat(*page) == {"http_requests_total/200": 5.0, "service_replicas": 2.0}


def test_less_than_nothing_is_unknown() -> None:
    """-1 is how some say so; only of a pool's size it means "unlimited"."""
    page = ('connection_pool_waiting{pool="a"} -1', 'connection_pool_max{pool="a"} -1')
    nothing = ("process_cpu_seconds_total -3", "container_spec_memory_limit_bytes 0")
    assert flat(*page, *nothing) == {"connection_pool_max/a": -1.0}


def test_requests_without_a_status_stay_without_one() -> None:
    """A method is no status, and nobody knows how many of them failed."""
    page = ('http_requests_total{method="GET"} 5', 'http_requests_total{method="POST"} 6')
    assert flat(*page) == {"http_requests_total": 11.0}


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ("", ""),
        ('{pool="a"}', "/a"),
        ('{replica="a"}', "/replica=a"),
        ('{instance="1",pool="a"}', "/a/instance=1"),
        ('{pool="a/b",replica="c"}', "/a%2Fb/c"),
        ('{pool="x,y\\nup,1"}', "/x%2Cy%0Aup%2C1"),
    ],
)
def test_a_pool_keeps_its_labels_apart(labels: str, name: str) -> None:
    """Labels that we do not know keep their names, and no value parts a name or a line."""
    assert flat(f"connection_pool_active{labels} 1") == {f"connection_pool_active{name}": 1.0}


def test_counters_of_one_name_are_added_up_and_gauges_are_no_data() -> None:
    """Two processes used their CPU together; which memory is the service's, nobody can say."""
    page = [
        f'{metric}{{instance="{i}"}} {i}'
        for metric in ("process_cpu_seconds_total", "process_resident_memory_bytes")
        for i in (1, 2)
    ]
    assert flat(*page) == {"process_cpu_seconds_total": 3.0}


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_a_value_that_is_no_number_is_no_data(value: str) -> None:
    """It would be carried forward as if it had been measured."""
    assert flat(f"connection_pool_max {value}", "connection_pool_active 3") == {
        "connection_pool_active": 3.0
    }
