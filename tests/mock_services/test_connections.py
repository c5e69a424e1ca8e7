"""The client that services ask each other with, against a server that follows a script."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from mock_services.kit.body import BODY_MAX_BYTES
from mock_services.kit.connections import BrokenOffError, Connections, Reply, UnreadableError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Modelled-Time: 1.5\r\n\r\nok"
OK_REPLY = Reply(200, {b"content-length": b"2", b"x-modelled-time": b"1.5"}, b"ok")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
LAST = OK.replace(b"X-Modelled-Time: 1.5", b"Connection: close")
HALF = OK[:-1]
HUNG_UP = b""

Work = Callable[[Connections], Awaitable[Any]]


def played(answers: Sequence[Sequence[bytes]], work: Work, most: int = 4) -> tuple[Any, list[Any]]:
    """What the work gave, and the number of the connection and the head of each request.

    `answers`: of each connection in turn those to its requests; then, or with HUNG_UP, the server
    closes it.
    """
    heads: list[Any] = []

    async def play() -> Any:
        scripts = iter(enumerate(answers))

        served: list[asyncio.Task[None] | None] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            number, script = next(scripts)
            served.append(asyncio.current_task())
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                for answer in script:
                    heads.append((number, await reader.readuntil(b"\r\n\r\n")))
                    writer.write(answer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = Connections(f"http://127.0.0.1:{port}/base/", most, b"X-Own: 1\r\n")
        async with server:
            try:
                return await asyncio.wait_for(work(client), 10.0)
            finally:
                client.close()
                await asyncio.gather(*filter(None, served))

    return asyncio.run(play()), heads


def get(client: Connections) -> Awaitable[Reply]:
    return client.ask("GET", "/x?a=b", b"X-Request-ID: r\r\n", None)


def post(client: Connections) -> Awaitable[Reply]:
    return client.ask("POST", "/x", b"", b"")


def in_turn(*asks: Callable[[Connections], Awaitable[Reply]]) -> Work:
    async def work(client: Connections) -> list[Reply]:
        return [await ask(client) for ask in asks]

    return work


def test_a_connection_is_used_again() -> None:
    """Its requests are as they should be, and a body in chunks is one."""
    replies, heads = played([[OK, CHUNKED, OK]], in_turn(get, get, get))
    assert [reply.body for reply in replies] == [b"ok"] * 3
    assert replies[0] == OK_REPLY
    _, head = heads[0]
    line, *lines = head.split(b"\r\n")
    assert line == b"GET /base/x?a=b HTTP/1.1"
    assert {b"X-Own: 1", b"X-Request-ID: r"} < {*lines}
    assert [number for number, _ in heads] == [0, 0, 0]


def test_one_that_is_to_be_closed_is_not_used_again() -> None:
    """The server said so in its answer."""
    _, heads = played([[LAST], [OK]], in_turn(get, get))
    assert [number for number, _ in heads] == [0, 1]


def test_what_a_closed_connection_never_heard_is_asked_again_if_it_may_be() -> None:
    """A GET on a kept connection; a POST may have been done, and a new one has no excuse."""
    replies, heads = played([[OK, HUNG_UP], [OK]], in_turn(get, get))
    assert replies == [OK_REPLY] * 2
    assert [number for number, _ in heads] == [0, 0, 1]
    for asks in ((get, post), (get,)):
        script = [[OK] * (len(asks) - 1) + [HUNG_UP], [OK]]
        with pytest.raises(BrokenOffError):
            played(script, in_turn(*asks))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HALF, BrokenOffError),
        (b"SMTP ready\r\n\r\n", UnreadableError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", UnreadableError),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
            % (BODY_MAX_BYTES + 1, bytes(BODY_MAX_BYTES + 1)),
            UnreadableError,
        ),
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes, error: type[Exception]) -> None:
    """And its connection is not used again."""

    async def work(client: Connections) -> Reply:
        with pytest.raises(error):
            await get(client)
        return await get(client)

    reply, heads = played([[answer], [OK]], work)
    assert reply == OK_REPLY
    assert [number for number, _ in heads] == [0, 1]


def test_a_late_answer_is_nobody_elses() -> None:
    """A request that is given up takes its connection with it."""

    async def work(client: Connections) -> Reply:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get(client), 0.05)
        return await get(client)

    reply, heads = played([[b"HTTP/1.1 200 OK\r\n", OK], [OK]], work)
    assert reply == OK_REPLY
    assert [number for number, _ in heads] == [0, 1]


def test_who_was_given_up_is_forgotten_at_once() -> None:
    """Without the garbage collector, which comes seldom: a slow service is no leak here."""

    async def work(client: Connections) -> int:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(get(client), 0.05)
        for _ in range(5):  # the loop tells each that it is closed
            await asyncio.sleep(0)
        return sum(type(one).__name__ == "_Connection" for one in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        left, heads = played([[b"HTTP/1.1 200 OK\r\n", OK]] * 3, work)
    finally:
        gc.enable()
    assert (left, len(heads)) == (0, 3)


def test_no_more_than_so_many_at_once() -> None:
    """The next one waits for a connection."""

    async def work(client: Connections) -> list[Reply]:
        return await asyncio.gather(*(get(client) for _ in range(6)))

    _, heads = played([[OK] * 6, [OK] * 6], work, most=2)
    assert {number for number, _ in heads} == {0, 1}


def test_nobody_there_is_an_os_error() -> None:
    """It says why."""

    async def work(client: Connections) -> None:
        nobody = Connections("http://127.0.0.1:1", 1, b"")
        with pytest.raises(ConnectionRefusedError):
            await get(nobody)

    played([], work)
