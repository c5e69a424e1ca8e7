"""The run directory: one folder that holds all evidence of a run and everything derived."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recording.errors import NotARunError, StorageError

DERIVED = ("verdict.json", "report.md", "junit.xml")
"""Rebuilt from the rest by ``loadgate report``; everything else is written once."""
_LEDGERS = ("orders.sqlite", "orders-base.sqlite", "orders-head.sqlite")
EVIDENCE = (
    "latency.hlog",
    "load.csv",
    "resources.csv",
    "events.jsonl",
    "exemplars.jsonl",
    "ledger/confirmed.csv",
    *(f"ledger/{name}{tail}" for name in _LEDGERS for tail in ("", "-wal", "-journal")),
)
"""What a verdict reads beside the manifest, where it is there."""
TOKEN_BYTES = 4
"""Of a thousand runs two share a token once in 10,000 times; with two bytes they surely would."""


@dataclass(frozen=True, slots=True)
class RunDir:
    """Paths of a run directory; nothing is opened or checked here."""

    root: Path

    @property
    def token(self) -> str:
        """What its ids of carts and requests carry: the random end of its name."""
        return self.root.name.rpartition("-")[2]

    def name_of(self, path: Path) -> str:
        """A file's name as the run's manifest has it: its path below the run directory."""
        return path.relative_to(self.root).as_posix()

    @property
    def manifest(self) -> Path:
        """Profile as resolved, versions, host, how the run ended."""
        return self.root / "manifest.json"

    @property
    def latency(self) -> Path:
        """HdrHistogram log of latency and distortion."""
        return self.root / "latency.hlog"

    @property
    def resources(self) -> Path:
        """Sampled series of the services."""
        return self.root / "resources.csv"

    @property
    def load(self) -> Path:
        """Series of the generator: users, CPU, memory."""
        return self.root / "load.csv"

    @property
    def events(self) -> Path:
        """Phase changes, pool exhaustion, collections, faults, how it ended."""
        return self.root / "events.jsonl"

    @property
    def exemplars(self) -> Path:
        """Failures and the slowest requests, with X-Request-ID."""
        return self.root / "exemplars.jsonl"

    @property
    def ledger(self) -> Path:
        """Folder of both sides' orders."""
        return self.root / "ledger"

    @property
    def orders(self) -> Path:
        """The shop's own ledger (SQLite)."""
        return self.ledger / "orders.sqlite"

    def orders_of(self, arm: str) -> Path:
        """The ledger of one arm of a paired run; "" is the only one there is elsewhere."""
        return self.ledger / f"orders-{arm}.sqlite" if arm else self.orders

    def events_of(self, arm: str) -> Path:
        """What one arm's services report; "" outside a paired run."""
        return self.root / f"events-{arm}.jsonl" if arm else self.events

    @property
    def confirmed(self) -> Path:
        """Orders that clients saw confirmed."""
        return self.ledger / "confirmed.csv"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.root / "logs"

    @property
    def verdict(self) -> Path:
        """Derived: the verdict."""
        return self.root / "verdict.json"

    @property
    def report(self) -> Path:
        """Derived: the report to attach."""
        return self.root / "report.md"

    @property
    def junit(self) -> Path:
        """Derived, of a paired run: its rows as test cases."""
        return self.root / "junit.xml"


def new_token() -> str:
    """What no other run is known by: eight hexadecimal digits."""
    return secrets.token_hex(TOKEN_BYTES)


def create_run_dir(runs: Path, profile_name: str, now: datetime | None = None) -> RunDir:
    """A fresh directory ``runs/<utc>-<profile>-<token>``. Raises StorageError.

    The token is random, and long enough to tell a run's carts and requests in a shop that keeps
    them from those of all others.
    """
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    run = RunDir(runs / f"{stamp}-{profile_name}-{new_token()}")
    try:
        run.root.mkdir(parents=True)
        run.logs.mkdir()
        run.ledger.mkdir()
    except OSError as error:
        raise StorageError(f"{run.root}: cannot be created: {error.strerror}") from error
    return run


def open_run_dir(path: Path) -> RunDir:
    """An existing run directory. Raises NotARunError."""
    try:
        path.joinpath("manifest.json").lstat()
    except FileNotFoundError:
        if path.is_dir():
            raise NotARunError(f"{path}: not a run directory (it has no manifest.json)") from None
        raise NotARunError(f"{path}: no such run directory; `loadgate runs` lists them") from None
    except OSError as error:
        raise NotARunError(f"{path}: cannot be read: {error.strerror}") from None
    return RunDir(path)


def list_runs(runs: Path) -> list[RunDir]:
    """Every run directory below ``runs``, newest first, those that cannot be read among them.

    Raises NotARunError where ``runs`` itself cannot be read.
    """
    try:
        found = [RunDir(path) for path in runs.iterdir() if _is_run(path)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise NotARunError(f"{runs}: cannot be read: {error.strerror}") from None
    return sorted(found, key=lambda run: run.root.name, reverse=True)


def _is_run(path: Path) -> bool:
    try:
        path.joinpath("manifest.json").lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True
