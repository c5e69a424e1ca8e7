"""Readers that read slowly, or not at all."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from harness.system.streams import make_unfailing

ROOT = Path(__file__).parents[2]
RUN = """
import os
from harness.system import streams
from harness.screen.live import LiveView
from harness.screen.progress import Now
from harness.screen.plain import Screen
streams.make_unfailing()
with LiveView(Screen(), "a run") as view:
    for t_s in range(300):
        view.note("x" * 1000)
        view.show(Now(20.0 * t_s, "ramp", "", True, 1.0, 1, 1.0, 0, (), {}))
os.write(2, b"the run ended")
os._exit(0)
"""
PRINT = """
from harness.system import streams
streams.make_unfailing()
print("x" * 300_000, flush=True)
"""


def ends(where: int) -> bytes:
    """What a run says on stderr at its end, with its screen on a descriptor that nobody reads."""
    command = [sys.executable, "-c", RUN]
    env = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=where, stderr=subprocess.PIPE,
                          timeout=30, check=False)  # fmt: skip
    return done.stderr


@pytest.mark.parametrize("kind", ["a pipe", "a terminal"])
def test_a_reader_that_never_reads_delays_no_run(kind: str) -> None:
    """`loadgate run | sleep 60`, or a terminal that is stopped: what it would show is left out."""
    reading, writing = os.pipe() if kind == "a pipe" else pty.openpty()
    try:
        assert ends(writing) == b"the run ended"
    finally:
        os.close(reading)
        os.close(writing)


def test_a_reader_that_is_slow_gets_everything_outside_a_run() -> None:
    """`loadgate report RUN | less`: more than a pipe holds, and read late."""
    command = [sys.executable, "-c", PRINT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        assert process.stdout is not None
        assert len(process.stdout.read()) == 300_001
    assert process.returncode == 0


def test_a_stream_that_somebody_put_in_place_of_stdout_stays(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It has no descriptor that could be lost."""
    make_unfailing()
    sys.stdout.write("seen")
    assert capsys.readouterr().out == "seen"
