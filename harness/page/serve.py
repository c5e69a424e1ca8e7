"""The live page of a run, as a process of its own: what it costs is not taken from the sampler.

    python -m harness.page.serve RUN EPOCH_S EPOCH_WALL_S THRESHOLDS SOCKET [browser]

SOCKET is the descriptor of one that listens already; stdin has the token, and ends when the command
does, or whoever started this: viewers then get the stored report, and the process ends.
"""

import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from analysis.limits.thresholds import load_thresholds
from analysis.report.under_way import waiting_document
from harness.page.app import Feed, application
from harness.page.looks import Looks
from recording.clock import RunClock

log = logging.getLogger(__name__)

EVERY_S = 1.0
LOOK_EVERY_S = 5.0
REST = 9
"""Times as long as a look took, before the next: however long the recording, a tenth of a core."""
FAREWELL_S = 3.0
"""How long viewers may take to fetch the report."""
MOST_VIEWERS = 32
NICE = 10
"""Whatever else wants the processor comes first."""


async def _follow(looks: Looks, feed: Feed) -> None:
    while True:
        if (now := looks.now()) != feed.now:
            feed.change(now=now)
        await asyncio.sleep(EVERY_S)


async def _look(looks: Looks, feed: Feed) -> None:
    """A look that fails is in the log, and the page stays as it was."""
    while True:
        began_s = time.monotonic()
        try:
            if document := await asyncio.to_thread(looks.document):
                feed.change(document=document)
        except Exception:
            log.exception("look failed")
        took_s = time.monotonic() - began_s
        await asyncio.sleep(max(LOOK_EVERY_S - took_s, REST * took_s))


async def _end_of_stdin() -> None:
    words = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(words)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    await words.read()


async def _farewell(looks: Looks, feed: Feed) -> None:
    report = looks.report()
    if report is None:
        return
    feed.change(report=report)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            while feed.served < feed.viewers:
                await feed.changed(FAREWELL_S)


async def _serve(looks: Looks, listener: socket.socket, token: str, browser: bool) -> None:
    feed = Feed(waiting_document(looks.profile.name))
    server = uvicorn.Server(
        uvicorn.Config(
            application(feed, token),
            log_level="warning",
            lifespan="off",
            limit_concurrency=MOST_VIEWERS,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    doing = [asyncio.create_task(act(looks, feed)) for act in (_follow, _look)]
    if browser:
        host, port = listener.getsockname()
        url = f"http://{host}:{port}/{token}/"
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    await _end_of_stdin()
    for task in doing:
        task.cancel()
    await _farewell(looks, feed)
    server.should_exit = True
    await serving


def main(words: Sequence[str]) -> None:
    """Serve until stdin ends."""
    root, epoch_s, epoch_wall_s, thresholds, descriptor, *browser = words
    os.nice(NICE)
    clock = RunClock(float(epoch_s), float(epoch_wall_s))
    looks = Looks(Path(root), clock, load_thresholds(Path(thresholds)))
    listener = socket.socket(fileno=int(descriptor))
    asyncio.run(_serve(looks, listener, sys.stdin.readline().strip(), bool(browser)))


if __name__ == "__main__":
    main(sys.argv[1:])
