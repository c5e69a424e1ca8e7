"""benchmarks/figures/watch.py: the kernel's counters and what processes used in between."""

import os
import socket

import psutil
import pytest

from benchmarks.figures.watch import Look, Span, Watch, accepted_connections

SNMP = """Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin ActiveOpens PassiveOpens AttemptFails
Tcp: 1 200 32130 31985 2
"""


def test_accepted_connections_are_the_kernels_passive_opens() -> None:
    """The value below the column's name, whatever stands before it."""
    assert accepted_connections(SNMP) == 31985


def test_a_kernel_that_does_not_say_counts_none() -> None:
    """Not every system has the file."""
    assert accepted_connections("") == 0


@pytest.mark.skipif(not os.path.exists("/proc/net/snmp"), reason="Linux only")  # noqa: PTH110
def test_an_accepted_connection_is_counted() -> None:
    """One connect and accept raises the counter by at least one."""
    before = accepted_connections()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        client.close()
        accepted.close()
    assert accepted_connections() >= before + 1


def test_a_span_gives_rates_and_peaks() -> None:
    """CPU is what was used per second, memory the most at any look, over the roles named."""
    looks = (
        Look(10.0, {"w": 1.0}, {"w": 100, "m": 50}, 1000),
        Look(12.0, {"w": 2.0}, {"w": 300, "m": 40}, 1000),
        Look(14.0, {"w": 3.0}, {"w": 200, "m": 90}, 1080),
    )
    span = Span(looks)
    assert (span.cores("w"), span.accepted_per_s) == (0.5, 20.0)
    assert span.peak_bytes("w", "m") == 340


def test_nothing_watched_is_an_error_not_a_zero() -> None:
    """A measured phase without looks has no figures."""
    watch = Watch(lambda: {"me": [psutil.Process()]})
    with pytest.raises(ValueError, match="nothing was watched"):
        watch.between(0.0, 1.0)
