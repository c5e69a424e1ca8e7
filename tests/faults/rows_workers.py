"""Faults of workers, tokens, live keys and private authorities."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

from tests.faults.fault import Fault, Seen
from tests.faults.in_process import loadgate

LIVE = ("sk_live_abc", "rk_live_abc")
TOKEN = "a-token-of-this-row"
CLOSED = "127.0.0.1:9"

ON_THE_COMMAND_LINE = {
    "a payment key": "description={}",
    "a url": "target.checkout=http://127.0.0.1:1/?key={}",
    "a url, encoded": "target.checkout=http://127.0.0.1:1/?key=x",
    "a service's setting": "services.payment.note={}",
    "a header of a service": "services.cart.headers=Bearer {}",
}
IN_THE_ENVIRONMENT = ("STRIPE_API_KEY", "PAYMENT_HEADERS", "HTTP_PROXY")
BAD_TOKENS = {"short": "abc", "empty": "", "with a space": "a token with spaces", "ü": "ü" * 20}
BAD_BINDS = ("999.1.1.1", "192.0.2.1", "no-such-host.invalid", "::1")
BAD_FILES = {"absent": None, "empty": "", "text": "hello", "cut off": "-----BEGIN CERTIFICATE-----"}


def smoke(*words: str, **env: str) -> Callable[[Path], Seen]:
    """A run that must not begin."""
    return lambda folder: within(env, "run", "smoke", "--runs", str(folder / "runs"), *words)


def worker(*words: str, **env: str) -> Callable[[Path], Seen]:
    """A worker that must not begin."""
    return lambda _: within(env, "worker", "--master", CLOSED, "--wait", "0.5", *words)


def within(env: Mapping[str, str], *words: str) -> Seen:
    """A command that starts no process, so none is started for it."""
    with patch.dict("os.environ", env):
        return loadgate(*words)


def _live_keys() -> Iterator[Fault]:
    for key in LIVE:
        for place, text in ON_THE_COMMAND_LINE.items():
            pair = text.format(key) if "{}" in text else f"{text}{key.replace('_', '%5F')}"
            yield Fault(
                f"live key {key[:2]} in {place}", item=15, how=f"--set {pair.split('=')[0]}=…",
                do=smoke("--set", pair), exit_code=2, says="live key|unknown key|no query",
                fast=False,
            )  # fmt: skip
        for name in IN_THE_ENVIRONMENT:
            yield Fault(
                f"live key {key[:2]} in {name}", item=15, how="in the environment of the run",
                do=smoke(**{name: f"Bearer {key}"}), exit_code=2, says=f"{name} holds a live key",
                fast=name == "HTTP_PROXY" and key == LIVE[1],
            )  # fmt: skip


def _tokens() -> Iterator[Fault]:
    yield Fault(
        "worker without a token", item=15, how="loadgate worker --master",
        do=worker(), exit_code=2, says="needs the token of its master",
    )  # fmt: skip
    yield Fault(
        "no master", item=15, how="nobody listens there",
        do=worker("--token", TOKEN), exit_code=4, says="no master at", fast=False,
    )  # fmt: skip
    for name, token in BAD_TOKENS.items():
        yield Fault(
            f"token {name}", item=15, how="LOADGATE_TOKEN of a worker",
            do=worker(LOADGATE_TOKEN=token), exit_code=2, says="LOADGATE_TOKEN: a token has",
            fast=False,
        )  # fmt: skip
        yield Fault(
            f"token {name} for the master", item=15, how="run --workers-expected 1 --token",
            do=smoke("--workers-expected", "1", f"--token={token}"), exit_code=2,
            says="--token: a token has", fast=False,
        )  # fmt: skip
    yield Fault(
        "token file that is not there", item=15, how="--token-file",
        do=worker("--token-file", "/no/such/file"), exit_code=2, says="cannot be read", fast=False,
    )  # fmt: skip


def _waits() -> Iterator[Fault]:
    for seconds in ("nan", "inf", "0", "-1", "soon"):
        for verb, do in (
            ("run", smoke("--workers-expected", "1", f"--wait={seconds}")),
            ("worker", worker(f"--wait={seconds}", "--token", TOKEN)),
        ):
            yield Fault(
                f"{verb} --wait {seconds}", item=16, how="the master or its workers never come",
                do=do, exit_code=2, says="--wait", fast=seconds == "nan", limit_s=20,
            )  # fmt: skip
    for port in ("65535", "99999", "0", "²", "x"):
        yield Fault(
            f"worker --master host:{port}", item=16, how="no port",
            do=worker("--token", TOKEN, "--master", f"127.0.0.1:{port}"), exit_code=2,
            says="write HOST or HOST:PORT", fast=port == "99999", limit_s=20,
        )  # fmt: skip


def _addresses() -> Iterator[Fault]:
    for host in BAD_BINDS:
        yield Fault(
            f"--bind {host}", item=15, how="run --workers-expected 1",
            do=smoke("--workers-expected", "1", "--bind", host), exit_code=2,
            says="cannot listen there", fast=host == "192.0.2.1",
        )  # fmt: skip


def _authorities() -> Iterator[Fault]:
    urls = [f"target.{name}=https://127.0.0.1:9" for name in ("checkout", "payment", "cart")]
    words = [word for url in urls for word in ("--set", url)]
    for name, content in BAD_FILES.items():

        def do(folder: Path, content: str | None = content) -> Seen:
            file = folder / "ca.pem"
            if content is not None:
                file.write_text(content)
            return smoke(*words, "--set", f"target.ca_file={file}")(folder)

        yield Fault(
            f"ca_file {name}", item=16, how="target.ca_file", do=do, exit_code=2,
            says="target.ca_file .*ca.pem: ", fast=name == "text",
        )  # fmt: skip


ROWS = (*_live_keys(), *_tokens(), *_waits(), *_addresses(), *_authorities())
