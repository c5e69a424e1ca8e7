"""Generate load for `loadgate run --workers-expected N` on another machine.

The worker waits for the master, takes profile and clock from it, runs until the test ends, and
exits. Start one per core. Nothing is written here: the recording is merged on the master. It says
when it has joined, and whether the run is done or the master was lost.

It loads the hosts that the plan allows, unless --allow (or LOADGATE_ALLOW, with commas) names
those that this machine may load: then only them.

Users of a scenario module or a locustfile of your own are played with the file that lies here:
start the worker in a checkout of the same revision, in the folder in which the master was started.

Examples:

- master: `loadgate run bf2025 --workers-expected 3 --bind 0.0.0.0`
- each worker: `loadgate worker --master 10.0.0.5 --token-file token.txt`
- `loadgate worker --master 10.0.0.5 --token-file token.txt --allow shop.test`
"""

import os
from typing import Annotated

import typer

from harness import options
from harness.generator.generator import MASTER_PORT
from harness.generator.handshake import Master
from harness.generator.token import VARIABLE, given_token
from harness.run.lend import Lent
from recording.errors import ConfigError
from recording.urls import check_host

ALLOW_VARIABLE = "LOADGATE_ALLOW"


def worker(
    master: Annotated[str, typer.Option("--master", metavar="HOST[:PORT]", help="The master.")],
    wait_s: options.WaitS = 600.0,
    token: options.TokenText = None,
    token_file: options.TokenFile = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow", metavar="HOST", help="A host it may load; repeatable."),
    ] = None,
) -> None:
    """Take part in one run."""
    host, port = _address(master)
    known = given_token(token, token_file)
    if known is None:
        raise ConfigError(
            f"a worker needs the token of its master, which prints it: --token, --token-file "
            f"or {VARIABLE}"
        )
    Lent(Master(host, port, known.text), known, _allowed(allow), typer.echo).work(wait_s)


def _address(master: str) -> tuple[str, int]:
    """Raises ConfigError for what is none."""
    host, _, text = master.partition(":")
    port = int(text) if text.isdecimal() else 0 if text else MASTER_PORT
    try:
        check_host(host)
    except ValueError as error:
        why = str(error).partition(";")[0]
        raise ConfigError(f"--master {master!r}: {why}; write HOST or HOST:PORT") from None
    if not 0 < port <= options.MOST_PORT:
        raise ConfigError(
            f"--master {master!r}: a port is 1 to {options.MOST_PORT}; write HOST or HOST:PORT"
        )
    return host, port


def _allowed(options: list[str] | None) -> list[str]:
    return options or [one for one in os.environ.get(ALLOW_VARIABLE, "").split(",") if one]
