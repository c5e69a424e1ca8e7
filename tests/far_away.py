"""A way to a server that takes its time: bytes of both directions come late, in order."""

import asyncio
import random
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class FarAway:
    """Stands before a server of loopback while it is entered, at a port of its own.

    Each way takes ``each_way_s``, give or take ``jitter_s``. Who connects is taken at once, as by
    any proxy.
    """

    def __init__(self, url: str, each_way_s: float, jitter_s: float = 0.0) -> None:
        self._upstream = urlsplit(url)
        self._each_way_s, self._jitter_s = each_way_s, jitter_s
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._random = random.Random(1)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listening.wait(10):
            raise RuntimeError("the way did not open")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{self._upstream.scheme}://127.0.0.1:{port}{self._upstream.path}"
        self._listening.set()
        await self._stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        where = self._upstream.hostname, self._upstream.port
        there = await asyncio.open_connection(*where)
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._carry(reader, there[1]), self._carry(there[0], writer))

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        async with asyncio.TaskGroup() as both:
            both.create_task(_deliver(under_way, sink))
            block = b" "
            while block:
                block = await _next(source)
                late_s = self._each_way_s + self._random.uniform(-1, 1) * self._jitter_s
                under_way.put_nowait((self._loop.time() + max(0.0, late_s), block))


async def _next(source: asyncio.StreamReader) -> bytes:
    """b"" is the end, however it came."""
    try:
        return await source.read(65536)
    except OSError:
        return b""


async def _deliver(
    under_way: "asyncio.Queue[tuple[float, bytes]]", sink: asyncio.StreamWriter
) -> None:
    """The end is passed on as everything else."""
    block = b" "
    while block:
        due_s, block = await under_way.get()
        await asyncio.sleep(due_s - asyncio.get_running_loop().time())
        with suppress(OSError):
            sink.write(block)
            await sink.drain()
    sink.close()
