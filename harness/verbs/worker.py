"""``loadgate worker``: lend this machine to a master that runs elsewhere."""

import signal
import subprocess
import sys
from types import FrameType
from typing import Annotated

import orjson
import typer

from harness.generator import MASTER_PORT
from harness.handshake import PLAN_PORT_OFFSET, fetch_plan
from harness.paths import PROJECT, environment_of
from harness.preflight import raise_descriptor_limit
from recording.errors import ConfigError, RunFailedError

HELP = """
Generate load for `loadgate run --workers-expected N` on another machine.

The worker waits for the master, takes profile and clock from it, runs until the test ends, and
exits. Start one per core. Nothing is written here: the recording is merged on the master.

Examples:

- master: `loadgate run bf2025 --workers-expected 3 --bind 0.0.0.0`
- each worker: `loadgate worker --master 10.0.0.5`
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("worker", help=HELP)(worker)


def worker(
    master: Annotated[str, typer.Option("--master", metavar="HOST[:PORT]", help="The master.")],
    wait_s: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", help="How long to wait for it.")
    ] = 600.0,
) -> None:
    """Take part in one run."""
    host, _, text = master.partition(":")
    if text and not text.isdigit():
        raise ConfigError(f"--master {master}: write HOST or HOST:PORT")
    port = int(text or MASTER_PORT)
    plan, epoch_s = fetch_plan(host, port + PLAN_PORT_OFFSET, wait_s)
    raise_descriptor_limit()
    command = [sys.executable, "-m", "locust", "-f", str(PROJECT / "locustfiles/checkout_flow.py")]
    command += ["--worker", "--master-host", host, "--master-port", str(port)]
    environment = {
        "LOADGATE_PLAN": orjson.dumps({**plan, "run": None}).decode(),
        "LOADGATE_EPOCH": repr(epoch_s),
    }
    process = subprocess.Popen(command, env={**environment_of(), **environment}, cwd=PROJECT)

    def end(number: int, frame: FrameType | None) -> None:
        process.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if code := process.wait():
        raise RunFailedError(f"Locust ended with exit code {code}")
