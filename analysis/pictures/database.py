"""What the checkout's database said of itself: connections, transactions, locks, lag, commits."""

from collections.abc import Iterator

from analysis.evidence.orders_db import owner
from analysis.pictures.canvas import Canvas
from analysis.pictures.services import rate
from analysis.report.chart import Chart, Curve
from recording.metric_names import (
    COMMIT_COUNT,
    DB_COMMITS,
    DB_CONNECTIONS,
    DB_CONNECTIONS_MAX,
    DB_LAG,
    DB_LOCKS_WAITING,
    DB_ROLLBACKS,
    ORDERS_DB,
)

_GROUP = "Database"


def database(canvas: Canvas) -> Iterator[Chart]:
    """Of a ledger in a file only its commits are known."""
    named = {"in use": DB_CONNECTIONS, "at most": DB_CONNECTIONS_MAX}
    held = [_curve(canvas, name, metric) for name, metric in named.items()]
    yield from canvas.over_time(f"{ORDERS_DB} connections", "connections", held, _GROUP)
    ended = {"committed": DB_COMMITS, "rolled back": DB_ROLLBACKS}
    done = [_rate(canvas, name, ORDERS_DB, metric) for name, metric in ended.items()]
    done.append(_rate(canvas, "commits of its ledger", owner(canvas.case.services), COMMIT_COUNT))
    yield from canvas.over_time(f"{ORDERS_DB} transactions", "per second", done, _GROUP)
    waiting = [_curve(canvas, "locks waited for", DB_LOCKS_WAITING)]
    yield from canvas.over_time(f"{ORDERS_DB} locks", "locks", waiting, _GROUP)
    lag = [_curve(canvas, "replication lag", DB_LAG)]
    yield from canvas.over_time(f"{ORDERS_DB} replication", "s", lag, _GROUP)


def _curve(canvas: Canvas, name: str, metric: str) -> Curve:
    return canvas.curve(name, *canvas.case.evidence.resources.get(ORDERS_DB, metric))


def _rate(canvas: Canvas, name: str, subject: str, metric: str) -> Curve:
    return rate(canvas, name, *canvas.case.evidence.resources.get(subject, metric))
