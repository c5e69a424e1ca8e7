"""What several tests of the generator need."""

import resource
import socket
from collections.abc import Iterator

import pytest

BEYOND_SELECT = 1024


@pytest.fixture
def beyond_select() -> Iterator[list[socket.socket]]:
    """Sockets that take every descriptor which select() can watch."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    held = [one for _ in range(BEYOND_SELECT // 2 + 1) for one in socket.socketpair()]
    yield held
    for one in held:
        one.close()
