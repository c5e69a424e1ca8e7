"""The checkout's database as rules: what a recording says of it, and what it does not."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis.evidence.run import load_evidence
from analysis.judge import judge
from analysis.limits.rules import parse_rule
from analysis.limits.thresholds import Thresholds
from analysis.pictures.run import run_pictures
from analysis.report.markdown import markdown
from analysis.report.single import run_document
from analysis.words.values import Outcome, RuleRow, Verdict
from recording.series import Sample
from tests.analysis.recordings import END_S, Recording

DB, OWNER = "orders-db", "checkout-service"
FIGURES = {
    "up": 1.0,
    "database_connections": 12.0,
    "database_connections_max": 40.0,
    "database_commits_total": 0.0,
    "database_rollbacks_total": 3.0,
    "database_deadlocks_total": 1.0,
    "database_locks_waiting": 0.0,
    "database_replicas": 0.0,
    "database_slow_statements_total/pg_stat_activity": 0.0,
    "process_start_time_seconds": 1000.0,
}
RULES = {
    "connections": "connections < 90 %",
    "replication_lag": "replication_lag < 1 s",
    "deadlocks": "deadlocks == 0",
    "slow_statements": "slow_statements == 0",
    "outages": "outages == 0",
    "commit_rate": "commit_rate > 5 tps",
    "commit_p99": "commit_p99 < 100 ms",
    "slow_commits": "slow_commits == 0",
}
Changed = Mapping[str, float | None]


def figures(changed: Mapping[int, Changed]) -> Iterator[Sample]:
    """Of each second; what ``changed`` from one on stays so, and None is not said any more."""
    now: dict[str, float | None] = dict(FIGURES)
    for second in range(int(END_S) + 1):
        now |= changed.get(second, {})
        said = {"up": 0.0} if not now["up"] else now
        for metric, value in said.items():
            grows = 20.0 * second if metric == "database_commits_total" else 0.0
            if value is not None:
                yield Sample(second, DB, metric, value + grows)


def commits(slow: int) -> Iterator[Sample]:
    """Ten commits a second, ``slow`` of all over 100 ms."""
    for second in range(int(END_S) + 1):
        n = 10.0 * second
        quick = max(0.0, n - slow)
        for bound, count in (("0.005", quick), ("0.1", quick), ("0.25", n), ("+Inf", n)):
            yield Sample(second, OWNER, f"ledger_commit_seconds_bucket/{bound}", count)
        yield Sample(second, OWNER, "ledger_commit_seconds_count", n)


def judged(folder: Path, **what: Any) -> Verdict:
    rules = {DB: tuple(map(parse_rule, RULES.values())), "journey": (parse_rule("mean < 1 s"),)}
    kinds = ("latency", "errors", "pool", "orders", "database")
    run = Recording(judged=kinds, **what).write(folder / "made")
    return judge(run, Thresholds("t.toml", rules, None))


def row(verdict: Verdict, metric: str) -> RuleRow:
    return next(r for r in verdict.rows if r.subject == DB and r.measurement.metric == metric)


def outcome(verdict: Verdict, metric: str) -> tuple[Outcome, str]:
    found = row(verdict, metric)
    return found.outcome, found.measurement.shown


def test_a_healthy_database_keeps_its_rules(tmp_path: Path) -> None:
    """What it counted before the run is not the run's; without a replica there is no lag."""
    verdict = judged(tmp_path, samples=(*figures({}), *commits(0)))
    assert verdict.verdict is Outcome.PASS, verdict.summary
    assert outcome(verdict, "connections") == (Outcome.PASS, "30 %")
    assert outcome(verdict, "commit_rate") == (Outcome.PASS, "20 tps")
    assert outcome(verdict, "deadlocks") == (Outcome.PASS, "0")
    lag = row(verdict, "replication_lag")
    assert (lag.outcome, lag.applies) == (Outcome.INCONCLUSIVE, False)


@pytest.mark.parametrize(
    ("metric", "at_20_s", "shown", "because"),
    [
        ("connections", {"database_connections": 39.0}, "97.5 %", "39 of 40 at T+20s"),
        ("deadlocks", {"database_deadlocks_total": 3.0}, "2", "first at T+20s"),
        (
            "slow_statements",
            {"database_slow_statements_total/pg_stat_activity": 4.0},
            "4",
            "by pg_stat_activity, first at T+20s",
        ),
        (
            "replication_lag",
            {"database_replicas": 1.0, "database_replication_lag_seconds": 1.5},
            "at least 1500 ms",
            "no database_replication_lag_seconds in 10 of 31 samples",
        ),
    ],
)
def test_what_breaks_a_rule_says_when(
    tmp_path: Path, metric: str, at_20_s: Changed, shown: str, because: str
) -> None:
    """Over all of the run, as for pools."""
    verdict = judged(tmp_path, samples=(*figures({20: at_20_s}), *commits(0)))
    assert verdict.verdict is Outcome.FAIL
    assert outcome(verdict, metric) == (Outcome.FAIL, shown)
    assert row(verdict, metric).because == because


def test_slow_commits_are_counted_by_the_service_that_makes_them(tmp_path: Path) -> None:
    """Eight of 400, so the 99th percentile is one of them."""
    verdict = judged(tmp_path, samples=(*figures({}), *commits(8)))
    assert outcome(verdict, "slow_commits") == (Outcome.FAIL, "8")
    assert outcome(verdict, "commit_p99")[0] is Outcome.FAIL


def test_a_ledger_in_a_file_has_commits_and_nothing_else(tmp_path: Path) -> None:
    """Its other rules are shown, and count for nothing."""
    verdict = judged(tmp_path, samples=(*commits(0),))
    assert verdict.verdict is Outcome.PASS, verdict.summary
    assert outcome(verdict, "commit_rate") == (Outcome.PASS, "10 tps")
    for metric in ("connections", "deadlocks", "outages", "slow_statements"):
        found = row(verdict, metric)
        assert (found.applies, found.required, found.measurement.shown) == (False, False, "no data")


def test_a_recording_without_either_is_judged_as_before(tmp_path: Path) -> None:
    """No figure of a database is among its measurements."""
    verdict = judged(tmp_path)
    assert verdict.verdict is Outcome.PASS
    assert not any(row.applies for row in verdict.rows if row.subject == DB)
    assert "Database" not in markdown(run_document(verdict))


def test_what_it_stops_saying_keeps_no_rule(tmp_path: Path) -> None:
    """No data, not zero: no deadlock was seen, and none could have been."""
    silent: Changed = {"database_deadlocks_total": None, "database_connections": None}
    verdict = judged(tmp_path, samples=(*figures({20: silent}), *commits(0)))
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert outcome(verdict, "deadlocks") == (Outcome.INCONCLUSIVE, "at least 0")
    assert outcome(verdict, "connections")[0] is Outcome.INCONCLUSIVE


def test_a_database_that_is_gone_for_a_while_is_a_breach_with_its_cause(tmp_path: Path) -> None:
    """When, why, that it was started anew and what failed meanwhile; not INVALID for it."""
    gone = {20: {"up": 0.0}, 29: {"up": 1.0, "process_start_time_seconds": 1028.0}}
    events = [
        {"t_s": 20.0, "source": "sampler", "event": "sample_failed", "subject": DB,
         "error": "OperationalError: connection refused"},
        *({"t_s": t, "source": OWNER, "event": "ledger_failed"} for t in (5.0, 21.0, 27.5)),
    ]  # fmt: skip
    verdict = judged(
        tmp_path,
        samples=(*figures(gone), *commits(0)),
        events=events,
        breaks={"apply_coupon": "unavailable"},
        breaks_s=range(20, 29),
    )
    assert verdict.verdict is Outcome.FAIL, verdict.invalid_reasons
    said = (
        "gave no answer between T+19s and T+29s, was started anew in it, 2 writes of "
        f"{OWNER} failed meanwhile (OperationalError: connection refused)"
    )
    assert row(verdict, "outages").because == said
    assert f"{DB} {said}" in verdict.findings


def test_orders_that_could_not_be_copied_are_no_data(tmp_path: Path) -> None:
    """The finding says where they are; nothing passes without them."""
    left = {"t_s": 40.0, "source": "harness", "event": "ledger_left", "subject": DB,
            "schema": "loadgate-x", "because": "refused"}  # fmt: skip
    verdict = judged(tmp_path, samples=(*figures({}), *commits(0)), events=[left], ledger=None)
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert "the shop's orders could not be copied into the run" in verdict.inconclusive_reasons
    assert f"{DB}: schema loadgate-x is left: refused" in verdict.findings


def test_the_report_has_a_table_and_charts_of_it(tmp_path: Path) -> None:
    """Every figure, whether a rule is about it or not."""
    verdict = judged(tmp_path, samples=(*figures({}), *commits(0)))
    page = markdown(run_document(verdict))
    table = page[page.index("Database: orders-db") :]
    assert "| rollbacks | 0 |" in table
    assert "| commit_rate | 20 tps |" in table
    drawn = run_pictures(
        load_evidence(Recording(samples=(*figures({}), *commits(0))).write(tmp_path / "drawn")),
        Thresholds("t.toml", {}, None),
    )
    titles = {getattr(each, "title", "") for each in drawn}
    assert {f"{DB} connections", f"{DB} transactions", f"{DB} locks"} <= titles
