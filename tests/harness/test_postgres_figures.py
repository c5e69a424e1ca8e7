"""harness/sampling/postgres.py: what a real server says of itself, in the sampler's words."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from harness.sampling.postgres import PostgresFigures
from harness.system.deadline import NoAnswerError
from recording.metric_names import (
    DB_COMMITS,
    DB_CONNECTIONS,
    DB_CONNECTIONS_MAX,
    DB_DEADLOCKS,
    DB_LAG,
    DB_LOCKS_WAITING,
    DB_REPLICAS,
    DB_ROLLBACKS,
    DB_SLOW,
    STARTED,
)
from tests.mock_services.mock_process import wait_until
from tests.postgres_server import Server, missing, serving, standby_of

Of = Callable[..., PostgresFigures]
WITHIN_S, SLOW_S = 2.0, 0.3
BY_ACTIVITY, BY_STATEMENTS = f"{DB_SLOW}/pg_stat_activity", f"{DB_SLOW}/pg_stat_statements"


@pytest.fixture
def own() -> Iterator[Server]:
    """One that a test may break."""
    if why := missing():
        pytest.skip(why)
    with serving(deadlock_timeout="50ms") as server:
        yield server


@pytest.fixture
def of() -> Iterator[Of]:
    """of(server): who reads it, until the test ends."""
    with ExitStack() as open_:
        yield lambda server, within_s=WITHIN_S: open_.enter_context(
            closing(PostgresFigures(server.url, within_s, SLOW_S))
        )


def test_a_quiet_server_has_every_figure_but_the_lag_of_replicas(of: Of, postgres: Server) -> None:
    """Nobody replicates it: no data, not zero."""
    found = of(postgres)()
    assert found[DB_CONNECTIONS_MAX] == 40
    assert 1 <= found[DB_CONNECTIONS] < 40
    assert found[DB_REPLICAS] == found[DB_LOCKS_WAITING] == 0
    assert found[STARTED] <= time.time()
    assert DB_LAG not in found
    assert {DB_COMMITS, DB_ROLLBACKS, DB_DEADLOCKS, BY_ACTIVITY} <= {*found}


def test_what_waits_and_what_is_slow_is_seen_once(of: Of, postgres: Server) -> None:
    """A statement that waits for another's lock: one lock, one slow statement however long."""
    figures = of(postgres)
    figures()
    postgres.ask("CREATE TABLE contested AS SELECT 1 AS one")
    held = "LOCK TABLE contested IN ACCESS EXCLUSIVE MODE"
    with psycopg.connect(postgres.url) as holder:
        holder.execute(held)
        waiter = threading.Thread(target=postgres.ask, args=("SELECT * FROM contested",))
        waiter.start()
        seen = wait_until(lambda: (now := figures())[BY_ACTIVITY] and now)
        assert seen[DB_LOCKS_WAITING] == 1
        assert figures()[BY_ACTIVITY] == 1
    waiter.join()


def test_a_deadlock_and_its_rollback_are_counted(of: Of, own: Server) -> None:
    """Two transactions that wait for each other: the server breaks one."""
    figures = of(own)
    before = figures()
    own.ask("CREATE TABLE pair AS SELECT n, 0 AS hits FROM generate_series(1, 2) AS n")
    meet = threading.Barrier(2)
    broken: list[Exception] = []

    def hit(first: int, second: int) -> None:
        try:
            with psycopg.connect(own.url) as connection:
                connection.execute("UPDATE pair SET hits = hits + 1 WHERE n = %s", [first])
                meet.wait(10)
                connection.execute("UPDATE pair SET hits = hits + 1 WHERE n = %s", [second])
        except psycopg.errors.DeadlockDetected as error:
            broken.append(error)

    both = [threading.Thread(target=hit, args=order) for order in ((1, 2), (2, 1))]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(broken) == 1
    after = wait_until(lambda: (now := figures())[DB_DEADLOCKS] > before[DB_DEADLOCKS] and now)
    assert after[DB_DEADLOCKS] - before[DB_DEADLOCKS] == 1
    assert after[DB_ROLLBACKS] > before[DB_ROLLBACKS]


def test_a_killed_server_gives_no_answer_and_is_read_again_once_it_is_back(
    of: Of, own: Server
) -> None:
    """By the same reader; its start is another then."""
    figures = of(own)
    before = figures()
    own.kill()
    with pytest.raises(NoAnswerError):
        figures()
    with pytest.raises(NoAnswerError, match="refused"):
        figures()
    own.start()
    assert figures()[STARTED] > before[STARTED]


def test_a_server_that_hangs_costs_no_more_than_the_deadline(of: Of, own: Server) -> None:
    """Stopped in the middle of a connection: no answer, and the next one is a new connection."""
    figures = of(own, 0.3)
    figures()
    ((backend,),) = own.ask(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%sampler'"
    )
    os.kill(backend, signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(NoAnswerError, match=r"within 0\.3 s"):
        figures()
    assert time.monotonic() - began_s < 20.0
    os.kill(backend, signal.SIGCONT)
    assert figures()[DB_CONNECTIONS_MAX] == 40


@pytest.mark.long
def test_slow_statements_are_told_by_the_extension_where_it_is(of: Of, own: Server) -> None:
    """pg_stat_statements sees those too that ended between two samples."""
    own.stop()
    own.settings["shared_preload_libraries"] = "pg_stat_statements"
    own.start()
    own.ask("CREATE EXTENSION pg_stat_statements")
    figures = of(own)
    assert figures()[BY_STATEMENTS] == 0
    own.ask("SELECT pg_sleep(0.4)")
    assert figures()[BY_STATEMENTS] == 1
    own.ask("SELECT pg_sleep(0.5)")
    own.ask("SELECT pg_sleep(0.01)")
    assert figures()[BY_STATEMENTS] == 2
    assert BY_ACTIVITY not in figures()


@pytest.mark.long
def test_a_replica_that_is_behind_is_seen_to_be(of: Of, own: Server) -> None:
    """Its lag grows while it replays nothing, and is over when it has caught up."""
    with standby_of(own) as replica:
        figures = of(own)
        wait_until(lambda: figures()[DB_REPLICAS] == 1)
        replica.ask("SELECT pg_wal_replay_pause()")
        own.ask("CREATE TABLE late AS SELECT generate_series(1, 1000)")
        wait_until(lambda: figures().get(DB_LAG, 0.0) > 0.0)
        replica.ask("SELECT pg_wal_replay_resume()")
        wait_until(lambda: figures().get(DB_LAG) == 0.0)
