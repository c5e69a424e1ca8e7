"""Wrong inputs: what stands in place of a value, a url or a file is refused with exit code 2.

None is fast: tests/recording/test_wrong_inputs.py tries the same tables.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.faults.fault import Fault, Seen
from tests.faults.in_process import loadgate
from tests.recording.not_files import NOT_FILES
from tests.recording.wrong_inputs import WRONG, WRONG_SETTINGS

SEED_RUN = "tests/fixtures/lt-2025-q3-checkout"
WITH_A_FILE = (
    ("run", "FILE"),
    ("run", "smoke", "--thresholds", "FILE"),
    ("mocks", "--profile", "FILE"),
    ("gate", "--base", "url:FILE"),
    ("analyze", SEED_RUN, "--thresholds", "FILE"),
)
MISSPELT = ("servces.cart.ttl_s=1", "load.processes=1", "ttl_s=1", "services.cart.tls_s=1")


def _values() -> Iterator[Fault]:
    for key, value, says in WRONG:
        others = [f"--set=target.{name}=http://localhost:1" for name in ("payment", "cart")]
        more = others if key == "target.checkout" else []
        yield Fault(
            f"{key} = {value!r}", 16, "loadgate run smoke --set",
            do=lambda _, given=f"{key}={value}", more=tuple(more): loadgate(
                "run", "smoke", "--set", given, *more
            ),
            exit_code=2, says=f"{key.split('.')[-1]}.*{_literal(says)}", fast=False, limit_s=20,
        )  # fmt: skip
    for key, value, says in WRONG_SETTINGS:
        yield Fault(
            f"mocks: {key} = {value!r}", 16, "loadgate mocks --set",
            do=lambda _, given=f"{key}={value}": loadgate("mocks", "--set", given),
            exit_code=2, says=_literal(says), fast=False, limit_s=20,
        )  # fmt: skip
    for text in MISSPELT:
        yield Fault(
            f"mocks: misspelt {text}", 16, "loadgate mocks --set",
            do=lambda _, text=text: loadgate("mocks", "--set", text),
            exit_code=2, says="unknown key .* known: ", fast=False, limit_s=20,
        )  # fmt: skip


def _literal(text: str) -> str:
    return "".join(f"\\{c}" if c in ".?()[]+*|" else c for c in text)


def _files() -> Iterator[Fault]:
    for kind, (make, says) in NOT_FILES.items():
        for words in WITH_A_FILE:
            yield Fault(
                f"{kind} as {' '.join(words)}", 13, f"the file given is: {kind}",
                do=partial(_given, make=make, words=words),
                exit_code=2, says=f"given.toml: {_literal(says)}", fast=False, limit_s=20,
            )  # fmt: skip


def _given(folder: Path, make: object, words: tuple[str, ...]) -> Seen:
    path = folder / "given.toml"
    assert callable(make)
    make(path)
    return loadgate(*(word.replace("FILE", str(path)) for word in words))


def _unanswerable(folder: Path) -> Seen:
    limits = folder / "limits.toml"
    limits.write_text('[inventory-lock-service]\nlatency = ["p99 < 1 s"]\n')
    return loadgate("analyze", SEED_RUN, "--thresholds", str(limits))


def _limits() -> Iterator[Fault]:
    yield Fault(
        "a rule that nothing answers", 4, "latency of a service that users never call",
        do=_unanswerable, exit_code=2, says="has no latency rules; allowed: errors, pool",
        fast=False, limit_s=20,
    )  # fmt: skip


ROWS = (*_values(), *_files(), *_limits())
