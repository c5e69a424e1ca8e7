"""What a metrics page can be that is none, or a hostile one: quirks of the step "metrics"."""

import gzip
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.quirks import Exchange

GOOD = "process_cpu_seconds_total 1\nprocess_resident_memory_bytes 104857600\n"
HOSTILE = "".join(
    f'connection_pool_active{{pool="{label}",replica="0"}} 3\n'
    f'http_requests_total{{code="{label}"}} 1\n'
    for label in (
        "a\\npayment-gateway,up,0", "\x1b[2J\x1b[31m", 'a\\"b', "a,b/c", "::error title=x::y",
        "<script>alert(1)</script>", "=cmd()", "%0A", "\N{RIGHT-TO-LEFT OVERRIDE}x", "x" * 10_000,
    )
)  # fmt: skip
NUMBERS = "".join(
    f'connection_pool_active{{pool="requests",replica="{replica}"}} {value}\n'
    for replica, value in enumerate(("NaN", "+Inf", "-Inf", "1e308", "-1e308", "1e999", "-0"))
)
BIG_BLOCKS = 1_600
"""Of 64 KB: a hundred megabytes."""


async def hostile_labels(exchange: "Exchange") -> None:
    """Labels that files, logs, terminals and reports trip over."""
    await exchange.answer(200, (GOOD + HOSTILE).encode())


async def hostile_numbers(exchange: "Exchange") -> None:
    """Values that no pool can have."""
    await exchange.answer(200, (GOOD + NUMBERS).encode())


async def gzipped(exchange: "Exchange") -> None:
    """A good page, compressed."""
    await exchange.answer(200, gzip.compress(GOOD.encode()), "Content-Encoding: gzip\r\n")


async def not_gzipped(exchange: "Exchange") -> None:
    """A page that only says that it is compressed."""
    await exchange.answer(200, GOOD.encode(), "Content-Encoding: gzip\r\n")


async def big_page(exchange: "Exchange") -> None:
    """A hundred megabytes."""
    length = BIG_BLOCKS * 0x10000
    exchange.writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    for _ in range(BIG_BLOCKS):
        exchange.writer.write(b"# " + b"x" * 0xFFFD + b"\n")
        await exchange.writer.drain()


async def redirect_loop(exchange: "Exchange") -> None:
    """Here, says the page."""
    await exchange.answer(302, b"", f"Location: {exchange.request.target}\r\n")


async def no_metrics(exchange: "Exchange") -> None:
    """A page of metrics, none of them known."""
    await exchange.answer(200, b"go_goroutines 8\n")


PAGES = (
    hostile_labels, hostile_numbers, gzipped, not_gzipped, big_page, redirect_loop, no_metrics,
)  # fmt: skip
