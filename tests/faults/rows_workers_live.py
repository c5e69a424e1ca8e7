"""Faults of masters and workers under load: killed, late, one too many, strangers, not allowed."""

import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgpack
import zmq

from harness.generator.generator import free_port
from harness.system.fetch import fetch
from tests.faults.fault import FIXTURES, Fault, Seen
from tests.faults.hostile_shop import HostileShop
from tests.faults.party import PATIENCE_S, PROFILE, Party, Side, gone_within, party, suspend_locust
from tests.processes import words_of

SHORT = ("load.phases.sustained.duration=4s",)
LONG = ("load.phases.sustained.duration=10s",)
OPEN = ("load.model=arrivals",)
GONE_WITHIN_S = 5.0
Act = Callable[[Party, list[Side]], str]


def together(folder: Path, act: Act, *overrides: str, early: bool = False) -> Seen:
    """Two workers load a shop; once there is load (or before) ``act``, whose words come first."""
    words = [word for text in overrides for word in ("--set", text)]
    with HostileShop() as shop, party(folder) as found:
        found.master(str(PROFILE), *shop.targets(), *words)
        workers = [found.worker(name) for name in ("one", "two")]
        if not early:
            found.measures()
        said = act(found, workers)
        seen = found.over()
        return Seen(seen.exit_code, f"{said}\n{seen.text}", seen.verdict)


def _kill_harness(found: Party, workers: list[Side]) -> str:
    left = [process for side in workers for process in side.tree]
    found.sides[0].kill()
    return gone_within(left, GONE_WITHIN_S)


def _kill_locust_master(found: Party, workers: list[Side]) -> str:
    left = [process for side in workers for process in side.tree]
    next(p for p in found.sides[0].tree[1:] if "locust" in words_of(p)).kill()
    return gone_within(left, GONE_WITHIN_S + 3)


def _third(found: Party, _workers: list[Side]) -> str:
    return found.worker("third").end()


def _strangers(found: Party, _workers: list[Side]) -> str:
    """Garbage, a message of Locust's without a seal, and one with a seal that does not fit."""
    plain = msgpack.dumps(("client_ready", "2.47.0", "stranger"))
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.IDENTITY, b"stranger")
        dealer.setsockopt(zmq.LINGER, 2000)
        dealer.connect(f"tcp://127.0.0.1:{found.port}")
        for message in (b"", b"\xff" * 100, plain, b"x" * 32 + plain, b"\x00" * 32):
            dealer.send(message)
    with socket.create_connection(("127.0.0.1", found.port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
    return ""


def _kill(number: signal.Signals, found: Party, workers: list[Side]) -> str:
    left = workers[1].tree
    os.kill(workers[1].process.pid, number)
    found.happens("worker_lost")
    return gone_within(left, GONE_WITHIN_S)


def _replaced(found: Party, workers: list[Side]) -> str:
    workers[1].kill()
    found.happens("worker_lost")
    return found.worker("late").end()


def _too_late(found: Party, workers: list[Side]) -> str:
    """Its Locust stands still from the start on."""
    workers[1].kill()
    late = found.worker("late")
    suspend_locust(late)
    return late.end()


def _wrong_tokens(found: Party, _workers: list[Side]) -> str:
    wrong = [found.worker("wrong", token="another-token-than-that")]
    wrong += [found.worker("none", token="")]
    return "\n".join(side.end() for side in wrong)


def _refuses(folder: Path, *words: str, dead: bool = False, **env: str) -> Seen:
    """A worker that takes no part is the run's reason."""
    with party(folder) as found:
        with HostileShop() as shop:
            master = found.master(str(PROFILE), *shop.targets(), workers=1)
            master.says("waiting for workers")
            if not dead:
                found.worker("one", *words, **env)
                return found.over()
        found.worker("one", *words, **env)
        return found.over()


def _any_address(folder: Path) -> Seen:
    """The worker is started by the very words that the master printed; mocks have known ports."""
    with party(folder) as found:
        words = ("--set", "load.phases.sustained.duration=4s", "--set", "load.processes=1")
        tiny = str(FIXTURES / "tiny.toml")
        master = found.master(
            tiny, *words, "--bind", "0.0.0.0", workers=1, token=""
        )  # fmt: skip
        master.says("--token ")
        (line,) = re.findall(r"loadgate (worker --master .*)", master.text)
        own = [sys.executable, "-m", "harness.cli", *shlex.split(line)]
        found.start("one", own, folder)
        found.measures()
        for port in range(found.port + 2, found.port + 6):
            assert fetch(f"http://127.0.0.1:{port}/healthz", PATIENCE_S).ok
        address = re.sub(r"--token \S+", "", line)
        seen = found.over()
        return Seen(seen.exit_code, f"{address}\n{seen.text}", seen.verdict)


def _two_masters(folder: Path) -> Seen:
    """One token for both: each has its own worker and its own count."""
    second = free_port(neighbours=1)
    with HostileShop() as shop, party(folder) as found:
        words = (str(PROFILE), *shop.targets(), "--set", *SHORT)
        found.master(*words, workers=1)
        found.master(*words, workers=1, port=second)
        found.worker("one")
        found.worker("two", port=second)
        return found.over()


def _row(name: str, how: str, act: Act, *overrides: str, early: bool = False,
         verdict: str = "", says: str = "", exit_code: int | None = None) -> Fault:  # fmt: skip
    return Fault(
        name, item=15, how=how, do=lambda folder: together(folder, act, *overrides, early=early),
        verdict=verdict, says=says, exit_code=exit_code, live=True, fast=False, limit_s=90.0,
    )  # fmt: skip


LOST = "INCONCLUSIVE|INVALID"
NEVER_TOLD = "never sent its last report"


def _killed() -> Iterator[Fault]:
    yield _row("harness killed, two remote workers", "kill -9 of loadgate run", _kill_harness,
               says="^all gone in time.*one exit 4.*lost.*two exit 4.*lost")  # fmt: skip
    yield _row("harness killed, two remote workers, open model", "kill -9 of loadgate run",
               _kill_harness, *OPEN,
               says="^all gone in time.*one exit 4.*lost.*two exit 4.*lost")  # fmt: skip
    yield _row("Locust's master killed, two remote workers", "kill -9", _kill_locust_master,
               verdict="INVALID", says="^all gone in time.*generator_died")  # fmt: skip
    for number in (signal.SIGKILL, signal.SIGINT):
        act = partial(_kill, number)
        yield _row(f"worker ended by {number.name}, closed model", f"{number.name} of one of two",
                   act, *LONG, verdict=LOST, says=f"^all gone.*({NEVER_TOLD}|request rate)"
                   )  # fmt: skip
    yield _row("worker ended by SIGTERM, open model", "SIGTERM of one of two",
               partial(_kill, signal.SIGTERM), *LONG, *OPEN, verdict="INVALID",
               says="arrivals due")  # fmt: skip


def _joining() -> Iterator[Fault]:
    for model in ((), OPEN):
        of = "open" if model else "closed"
        yield _row(f"a third of two workers, {of} model", "one more worker while there is load",
                   _third, *LONG, *model, verdict="PASS",
                   says="^third exit 2.*the run has the 2 worker")  # fmt: skip
        yield _row(f"strangers' messages, {of} model", "bytes and unsealed messages on the port",
                   _strangers, *SHORT, *model, verdict="PASS", says="messages of strangers"
                   )  # fmt: skip
    yield _row("a replacement after the run", "its Locust starts too late", _too_late, verdict=LOST,
               says="^late exit 4.*is over, and ended without this worker")  # fmt: skip
    yield _row("a replacement, closed model", "kill -9 of one, then another joins", _replaced,
               *LONG, verdict=LOST, says="^late exit 0.*joined as worker 3 of 2.*done"
               )  # fmt: skip
    yield _row("a replacement, open model", "kill -9 of one, then another joins", _replaced, *LONG,
               *OPEN, verdict="INVALID", says="^late exit 2.*the load has begun")  # fmt: skip
    yield _row("workers with a wrong token and with none", "beside two that have it",
               _wrong_tokens, *SHORT, early=True, verdict="PASS",
               says="^wrong exit 2.*has another token.*none exit 2.*needs the token")  # fmt: skip


def _refusals() -> Iterator[Fault]:
    rows = (
        ("a worker's own allow-list", _refuses, ("--allow", "shop.example"), {},
         "host '127.0.0.1' is not allowed .shop.example"),
        ("a live key with a worker", _refuses, (), {"STRIPE_API_KEY": "sk_live_abc"},
         "STRIPE_API_KEY holds a live key"),
        ("a shop that a worker cannot reach", partial(_refuses, dead=True), (), {},
         "not reachable from this worker"),
    )  # fmt: skip
    for name, do, words, env, says in rows:
        yield Fault(
            name, item=15, how="the only worker takes no part", verdict="INVALID",
            do=lambda folder, do=do, words=words, env=env: do(folder, *words, **env),
            says=f"takes no part: .*{says}.*one exit 2", live=True, fast=False,
        )  # fmt: skip


ROWS = (
    *_killed(),
    *_joining(),
    *_refusals(),
    Fault("--bind 0.0.0.0", 15, "the worker's command as printed", do=_any_address,
          verdict="PASS", says=r"^worker --master (?!0\.0\.0\.0|127\.)", live=True, fast=False),
    Fault("one token for two masters", 15, "two runs at once, a worker each", do=_two_masters,
          verdict="PASS", says="master\\d+ exit 0.*done.*done", live=True, fast=False),
)  # fmt: skip
