"""Every fault below HTTP, as a raw socket sees it: a real proxy, a real service, real bytes."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.generator.generator import free_port
from harness.proxy.proxy import Proxy
from recording.faults import Fault

BODY = b"x" * 2000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + BODY
PATIENCE_S = 5.0


class Shop(threading.Thread):
    """Answers each request in one piece, and counts them; closes after one that asks for it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.start()

    def run(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        # The proxy resets this side too, at times; the test looks at what the client sees.
        with peer, suppress(ConnectionResetError):
            while asked := peer.recv(4096):
                self.requests += 1
                peer.sendall(ANSWER)
                if b"close" in asked:
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Front:
    """The proxy before a shop, and faults that are begun and ended."""

    def __init__(self, shop: Shop, log: Path) -> None:
        self.shop = shop
        self.proxy = Proxy("127.0.0.1", {"payment": shop.address}, log)
        self.port = self.proxy.ports["payment"]
        self._number = 0

    def begin(self, kind: str, **attributes: Any) -> Callable[[], None]:
        """What ends it."""
        table = {"at": 0, "for": 1, "service": "payment", "kind": kind, **attributes}
        fault, number = Fault.model_validate(table), self._number
        self._number += 1
        self.proxy.begin(number, fault)
        return lambda: self.proxy.end(number, fault)

    def connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)
        made.settimeout(PATIENCE_S)
        return made


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    shop = Shop()
    made = Front(shop, tmp_path / "proxy.log")
    yield made
    made.proxy.stop()
    shop.close()


def ask(client: socket.socket, text: bytes = b"GET / HTTP/1.1\r\n\r\n") -> tuple[bytes, float]:
    """The whole answer, or what came before the end, and seconds. Raises OSError."""
    began_s, got = time.monotonic(), b""
    client.sendall(text)
    while len(got) < len(ANSWER) and (part := client.recv(65536)):
        got += part
    return got, time.monotonic() - began_s


def test_without_a_fault_everything_passes(front: Front) -> None:
    """Several requests on one connection, to the byte."""
    with front.connect() as client:
        assert [ask(client)[0] for _ in range(3)] == [ANSWER] * 3


def test_latency_is_added_to_an_answer_once_and_ends(front: Front) -> None:
    """On a connection that was there already, too."""
    with front.connect() as client:
        end = front.begin("latency", latency=0.2, jitter=0.05)
        took_s = [ask(client)[1] for _ in range(3)]
        assert 0.15 <= min(took_s) < 0.4
        end()
        assert min(ask(client)[1] for _ in range(3)) < 0.15


def test_bandwidth_is_limited(front: Front) -> None:
    """2 KB at 4 KB/s take half a second."""
    front.begin("bandwidth", rate=4)
    with front.connect() as client:
        answer, took_s = ask(client)
    assert answer == ANSWER
    assert 0.45 <= took_s < 5.0


def test_slices_are_small_and_pause(front: Front) -> None:
    """Each read brings a slice; together they are the answer."""
    front.begin("slicer", average_size=500, size_variation=100, delay=0.05)
    with front.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        parts = []
        while sum(map(len, parts)) < len(ANSWER):
            parts.append(client.recv(65536))
    assert b"".join(parts) == ANSWER
    assert len(parts) >= 4
    assert max(map(len, parts)) <= 600


def test_a_connection_is_closed_late(front: Front) -> None:
    """The answer is there at once, the end of the connection after the delay."""
    front.begin("slow_close", delay=1.0)
    with front.connect() as client:
        answer, took_s = ask(client, b"GET /close HTTP/1.1\r\n\r\n")
        began_s = time.monotonic()
        assert client.recv(1) == b""
    assert answer == ANSWER
    assert took_s < 0.8 < time.monotonic() - began_s


def test_a_timeout_lets_nothing_through_and_closes(front: Front) -> None:
    """The shop has answered; not a byte arrives."""
    with front.connect() as client:
        front.begin("timeout", timeout=0.3)
        answer, took_s = ask(client)
    assert (answer, front.shop.requests) == (b"", 1)
    assert 0.25 <= took_s < 5.0


def test_a_timeout_of_zero_holds_the_connection_until_it_is_over(front: Front) -> None:
    """Nothing comes and nothing closes; then it does."""
    end = front.begin("timeout")
    with front.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)
        end()
        assert client.recv(1) == b""


@pytest.mark.parametrize("open_before", [True, False])
def test_a_peer_resets(front: Front, open_before: bool) -> None:
    """RST and not FIN, of connections that are there and of new ones."""
    client = front.connect() if open_before else None
    end = front.begin("reset_peer")
    # A new one may be reset before connect() has returned.
    with pytest.raises(ConnectionResetError), client or front.connect() as struck:
        ask(struck)
    end()
    with front.connect() as client:
        assert ask(client)[0] == ANSWER


def test_data_is_limited(front: Front) -> None:
    """So many bytes of a connection, then its end."""
    front.begin("limit_data", bytes=1000)
    with front.connect() as client:
        assert ask(client)[0] == ANSWER[:1000]


def test_down_refuses_and_comes_back_at_the_same_port(front: Front) -> None:
    """Connections that are there are closed."""
    with front.connect() as client:
        ask(client)
        end = front.begin("down")
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        front.connect()
    end()
    with front.connect() as client:
        assert ask(client)[0] == ANSWER


def test_answers_are_lost_after_the_work_was_done(front: Front) -> None:
    """Every other one of six, each with its connection: the shop has answered all."""
    front.begin("answer_lost", toxicity=0.5)
    lost = 0
    for _ in range(6):
        with front.connect() as client:
            lost += ask(client)[0] == b""
    assert (lost, front.shop.requests) == (3, 6)


def test_toxicity_is_dealt_exactly(front: Front) -> None:
    """A quarter of eight connections is two."""
    front.begin("limit_data", bytes=10, toxicity=0.25)
    whole = 0
    for _ in range(8):
        with front.connect() as client:
            whole += ask(client)[0] == ANSWER
    assert whole == 6


def test_two_toxics_add_up(front: Front) -> None:
    """Late, and cut off."""
    front.begin("latency", latency=0.2)
    front.begin("limit_data", bytes=10)
    with front.connect() as client:
        answer, took_s = ask(client)
    assert answer == ANSWER[:10]
    assert took_s >= 0.2


def test_its_port_can_be_given(tmp_path: Path) -> None:
    """Where a firewall has to know it."""
    shop, port = Shop(), free_port()
    given = {"payment": port, "cart": 0}
    proxy = Proxy("127.0.0.1", dict.fromkeys(given, shop.address), tmp_path / "log", given)
    assert proxy.ports["payment"] == port != proxy.ports["cart"]
    proxy.stop()
    shop.close()


def test_it_ends_with_whoever_started_it(front: Front) -> None:
    """stdin ends, and so does the process: no orphan keeps a port."""
    process = front.proxy._process
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(5) == 0
    assert front.proxy.died == f"the proxy died (exit code 0); see {front.proxy._log}"
    assert not psutil.pid_exists(process.pid)
    front.proxy.stop()
