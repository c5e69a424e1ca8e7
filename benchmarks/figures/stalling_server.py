"""A shop that stands still for a second every twenty, and knows what everybody waited.

    python -m benchmarks.figures.stalling_server LOG

It prints its port. LOG gets a line for each request before it is answered: when it came (Unix time)
and how long it took, s. Nothing in here blocks, so a request that comes while the shop stands
still is noticed at once and answered when that is over.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import TextIO

EVERY_S, STALL_S = 20.0, 1.0
TAKES_S = 0.02
"""What an answer takes at any other time."""
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_END = b"\r\n\r\n"


def answered_s(came_s: float) -> float:
    """When a request is answered that came at this Unix time."""
    due_s = came_s + TAKES_S
    within_s = due_s % EVERY_S
    return due_s - within_s + STALL_S if within_s < STALL_S else due_s


async def main(log: TextIO) -> None:
    """Serve on a free port until the process is ended."""
    server = await asyncio.start_server(_Shop(log).connected, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


class _Shop:
    def __init__(self, log: TextIO) -> None:
        self._log = log

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(_END)
                came_s = time.time()
                await asyncio.sleep(answered_s(came_s) - came_s)
                self._log.write(f"{came_s:.6f} {time.time() - came_s:.6f}\n")
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", buffering=1) as file:
        asyncio.run(main(file))
