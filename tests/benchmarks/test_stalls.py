"""benchmarks/figures/stalls.py: the shop that stands still, and its truth."""

import time
from pathlib import Path

import httpx
import pytest

from benchmarks.figures.stalling_server import EVERY_S, STALL_S, TAKES_S, answered_s
from benchmarks.figures.stalls import Shop, shop

LONG_AGO_S, LONG_AFTER_S = 0.0, 1e12


def test_it_stands_still_for_a_second_every_twenty() -> None:
    """Whatever is due meanwhile is answered when that is over; all else as ever."""
    stall_s = 5 * EVERY_S
    assert answered_s(stall_s - 0.5) == pytest.approx(stall_s - 0.5 + TAKES_S)
    assert answered_s(stall_s + 0.3) == pytest.approx(stall_s + STALL_S)
    assert answered_s(stall_s - TAKES_S / 2) == pytest.approx(stall_s + STALL_S)
    assert answered_s(stall_s + STALL_S) == pytest.approx(stall_s + STALL_S + TAKES_S)


def test_its_own_p99_is_of_a_stretch(tmp_path: Path) -> None:
    """Nearest rank, ms, of the requests that came in it."""
    log = tmp_path / "log"
    lines = (f"{n}.0 {(n + 1) / 1000}\n" for n in range(200))
    log.write_text("".join(lines))
    assert Shop("", log).p99_ms(0.0, 100.0) == pytest.approx(99.0)
    assert Shop("", log).p99_ms(100.0, 200.0) == pytest.approx(199.0)


def test_it_notes_what_everybody_waited(tmp_path: Path) -> None:
    """As long as the client saw, or a little less."""
    with shop(tmp_path) as one, httpx.Client(trust_env=False) as client:
        began_s = time.perf_counter()
        client.get(one.url)
        took_ms = (time.perf_counter() - began_s) * 1000
        assert 1000 * TAKES_S <= one.p99_ms(LONG_AGO_S, LONG_AFTER_S) <= took_ms
