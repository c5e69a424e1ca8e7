"""The run directory: one folder that holds all evidence of a run and everything derived."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recording.errors import NotARunError, StorageError

_LEDGERS = tuple(
    f"{what}{arm}.sqlite" for what in ("orders", "payments") for arm in ("", "-base", "-head")
)
COMPANIONS = ("-wal", "-journal")
"""What files beside a database end in that hold what a killed writer had not yet put into it."""
EVIDENCE = (
    "latency.hlog",
    "load.csv",
    "resources.csv",
    "events.jsonl",
    "exemplars.jsonl",
    "ledger/confirmed.csv",
    "ledger/unconfirmed.csv",
    *(f"ledger/{name}{tail}" for name in _LEDGERS for tail in ("", *COMPANIONS)),
)
"""What a verdict reads beside the manifest, where it is there."""
TOKEN_BYTES = 4
"""Of a thousand runs two share a token once in 10,000 times; with two bytes they surely would."""


class _At:
    """Where a file or folder of a run directory lies."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, run: "RunDir", _owner: object) -> Path:
        return run.root / self._name


@dataclass(frozen=True, slots=True)
class RunDir:
    """Paths of a run directory; nothing is opened or checked here."""

    root: Path

    manifest = _At("manifest.json")
    """Profile as resolved, services, versions, host, how the run ended."""
    latency = _At("latency.hlog")
    """HdrHistogram log of latency and distortion."""
    resources = _At("resources.csv")
    """Sampled series of the services: a row per subject and moment, after one of names."""
    load = _At("load.csv")
    """Series of the generator, as those: users, CPU, memory."""
    events = _At("events.jsonl")
    """Phase changes, pool exhaustion, collections, faults, how it ended."""
    exemplars = _At("exemplars.jsonl")
    """Failures and the slowest requests, with X-Request-ID and trace id."""
    ledger = _At("ledger")
    """Folder of both sides' orders."""
    orders = _At("ledger/orders.sqlite")
    """The shop's own ledger (SQLite)."""
    payments = _At("ledger/payments.sqlite")
    """Its payments (SQLite)."""
    confirmed = _At("ledger/confirmed.csv")
    """Orders that clients saw confirmed."""
    unconfirmed = _At("ledger/unconfirmed.csv")
    """Checkouts that clients asked to confirm, and gave up without an order."""
    logs = _At("logs")
    """One log file per process."""
    resume = _At("logs/resume")
    """Laid there by ``loadgate resume`` while the run goes on, and taken away by it."""
    verdict = _At("verdict.json")
    """Derived, as are those below: rebuilt from the rest by ``loadgate report``."""
    report = _At("report.md")
    """The report to attach."""
    page = _At("report.html")
    """The same with charts, in one file."""
    post_mortem = _At("post-mortem.md")
    """Issues, root causes, recommendations, error budget: ``loadgate report --post-mortem``."""
    post_mortem_page = _At("post-mortem.html")
    """The same with charts."""
    comparison = _At("compare.html")
    """How it compares with the last run or the baselines that it was held against."""
    junit = _At("junit.xml")
    """Its rules and checks as test cases."""
    comment = _At("comment.md")
    """A pull request's comment, with a hidden mark to find it again by."""
    load_performance = _At("load-performance.json")
    """What GitLab shows beside a merge request."""
    gitlab_annotations = _At("gitlab-annotations.json")
    """Links that GitLab shows beside the job, of a GitLab job only."""
    compared = _At("compared.json")
    """Of `loadgate compare`: the run held against stored baselines; as the next two."""
    compared_report = _At("compared.md")
    """The same as a page."""
    compared_junit = _At("compared-junit.xml")
    """The same as test cases; of `loadgate gate --capacity`, in head's run, its question."""

    @property
    def token(self) -> str:
        """What its ids of carts and requests carry: the random end of its name."""
        return self.root.name.rpartition("-")[2]

    def name_of(self, path: Path) -> str:
        """A file's name as the run's manifest has it: its path below the run directory."""
        return path.relative_to(self.root).as_posix()

    def orders_of(self, arm: str) -> Path:
        """The ledger of one arm of a paired run; "" is the only one there is elsewhere."""
        return self.ledger / f"orders-{arm}.sqlite" if arm else self.orders

    def payments_of(self, arm: str) -> Path:
        """The payments of one arm; "" outside a paired run."""
        return self.ledger / f"payments-{arm}.sqlite" if arm else self.payments

    def events_of(self, arm: str) -> Path:
        """What one arm's services report; "" outside a paired run."""
        return self.root / f"events-{arm}.jsonl" if arm else self.events


def new_token() -> str:
    """What no other run is known by: eight hexadecimal digits."""
    return secrets.token_hex(TOKEN_BYTES)


def create_run_dir(runs: Path, profile_name: str, now: datetime | None = None) -> RunDir:
    """A fresh directory ``runs/<utc>-<profile>-<token>``. Raises StorageError.

    The token is random, and long enough to tell a run's carts and requests in a shop that keeps
    them from those of all others. A folder that is made here is none of git's business: what one
    gate records would change the tree that the next one compares.
    """
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    run = RunDir(runs / f"{stamp}-{profile_name}-{new_token()}")
    first = not runs.exists()
    try:
        run.root.mkdir(parents=True)
        if first:
            (runs / ".gitignore").write_text("*\n")
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
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NotARunError(f"{runs}: cannot be read: {error.strerror}; name a folder") from None
    return sorted(found, key=lambda run: run.root.name, reverse=True)


def _is_run(path: Path) -> bool:
    try:
        path.joinpath("manifest.json").lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True
