"""The whole chain with real processes: record, judge, and survive what goes wrong."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from recording.flow import STEPS
from recording.hlog import LATENCY
from recording.metric_names import CPU, LOCUST, USERS
from recording.series_reader import read_series
from tests.harness.conftest import StartRun, gone, repeated_when_starved, wait_for
from tests.hlog_file import read_hlog

pytestmark = pytest.mark.live


def reconciled(verdict: dict[str, object]) -> bool:
    """Whether every confirmed order is in the ledger and every other one was in flight."""
    rows = [row for row in verdict["rules"] if row["subject"] == "orders"]  # type: ignore[attr-defined]
    said = re.search(r"orders: (\d+) confirmed to clients", " ".join(verdict["findings"]))  # type: ignore[arg-type]
    # In so short a run all orders could pass for such that were in flight at its end.
    known = said is not None and int(said[1]) > 0
    return known and len(rows) == 2 and all(row["outcome"] == "PASS" for row in rows)


@repeated_when_starved
def test_a_healthy_run_passes_and_leaves_the_whole_run_directory(start_run: StartRun) -> None:
    """Exit 0, every step recorded by two workers, orders reconciled, no process left."""
    run = start_run()
    run.wait_until_measuring()
    below = run.descendants()
    code = run.finish()
    output = run.process.stdout.read() if run.process.stdout else ""
    assert code == 0, output
    assert gone(below)
    verdict = run.verdict()
    assert (verdict["verdict"], verdict["exit_code"], verdict["breaches"]) == ("PASS", 0, [])
    assert reconciled(verdict)
    names = {path.name for path in run.root.iterdir()}
    assert names >= {
        "manifest.json", "latency.hlog", "resources.csv", "load.csv", "events.jsonl",
        "exemplars.jsonl", "ledger", "logs", "verdict.json", "report.md",
    }  # fmt: skip
    intervals = read_hlog(run.root / "latency.hlog").intervals
    seen = {i.tag.step for i in intervals if i.tag.kind == LATENCY}
    assert seen >= set(STEPS)
    counted = next(e for e in run.events() if e["event"] == "generator_ended")
    assert counted["recorded"] == counted["locust_requests"] > 100
    workers = read_series(run.root / "load.csv").subjects(CPU)
    assert workers == ["locust-worker-01", "locust-worker-02"]


@repeated_when_starved
def test_a_breach_exits_3_and_names_rule_subject_actual_and_required(start_run: StartRun) -> None:
    """A lock pool of one connection: exhaustion windows, and the seed's exact 503 body."""
    run = start_run(
        "--set", "services.inventory_lock.pool_max=1",
        "--set", "services.inventory_lock.wait_timeout_s=1",
    )  # fmt: skip
    assert run.finish() == 3
    breaches = {b["subject"]: b for b in run.verdict()["breaches"]}
    pool = breaches["inventory-lock-service"]
    assert pool["metric"] == "exhausted_windows"
    assert pool["actual"] >= 1
    assert pool["required"] == "== 0"
    assert '"error":"ConnectionPoolExhausted"' in pool["because"]
    assert '"message":"no available connections, waited 1000ms"' in pool["because"]
    assert breaches["journey"]["because"]


ONE_WORKER = ("--set", "load.processes=1")


@repeated_when_starved
def test_an_interrupt_is_an_orderly_stop_with_a_verdict(start_run: StartRun) -> None:
    """Ctrl-C: requests in flight finish, orders reconcile, and a cut-short run cannot PASS."""
    run = start_run(*ONE_WORKER)
    run.wait_until_measuring()
    below = run.descendants()
    run.process.send_signal(signal.SIGINT)
    assert run.finish() == 5
    verdict = run.verdict()
    assert any("stopped early" in reason for reason in verdict["inconclusive_reasons"])
    assert verdict["invalid_reasons"] == []
    assert reconciled(verdict)
    assert gone(below)


@repeated_when_starved
def test_shoppers_that_retry_are_recorded_and_fit_the_load(start_run: StartRun) -> None:
    """Three charges of ten fail: each is a failure, each is asked again, and nobody gives up."""
    run = start_run(
        *ONE_WORKER,
        "--set", "services.payment.error_share=0.3",
        "--set", "journey.retries=10",
        "--set", "journey.retry_backoff=5ms",
        "--set", "validity.rate_tolerance=0.15",
    )  # fmt: skip
    assert run.finish() == 3
    verdict = run.verdict()
    assert verdict["invalid_reasons"] == []
    assert {breach["subject"] for breach in verdict["breaches"]} <= {
        "journey",
        "payment-gateway/charge",
    }
    assert reconciled(verdict)
    tags = Counter[str]()
    for interval in read_hlog(run.root / "latency.hlog").intervals:
        if interval.tag.step == "charge":
            tags[f"{interval.tag.outcome}/{interval.tag.kind}"] += interval.histogram.n
    failed, again = tags["http_5xx/latency"], tags["http_5xx/retry"]
    assert failed >= again >= 0.8 * failed > 10
    closing = next(e for e in run.events() if e["event"] == "generator_ended")
    assert closing["given_up"] == 0
    assert (run.root / "ledger" / "unconfirmed.csv").read_text().count("\n") == 1


def test_a_mock_that_dies_makes_the_run_invalid(start_run: StartRun) -> None:
    """kill -9 of payment: exit 4, the reason names it, nothing is left running."""
    run = start_run(*ONE_WORKER)
    run.wait_until_measuring()
    below = run.descendants()
    run.service("payment").kill()
    assert run.finish() == 4
    assert any("payment-gateway died" in why for why in run.verdict()["invalid_reasons"])
    assert gone(below)


def test_killing_locust_leaves_a_readable_invalid_run(start_run: StartRun) -> None:
    """kill -9 of the master: exit 4, orders reconcile all the same, workers end by themselves."""
    run = start_run(*ONE_WORKER)
    run.wait_until_measuring()
    below = run.descendants()
    run.locust().kill()
    assert run.finish() == 4
    verdict = run.verdict()
    assert any("generator_died" in why for why in verdict["invalid_reasons"])
    assert reconciled(verdict)
    wait_for(lambda: gone(below), 5)


def test_killing_a_locust_worker_is_noticed(start_run: StartRun) -> None:
    """kill -9 of one of two workers: an event and a rebalanced load; INVALID as load was lost."""
    run = start_run(
        "--set", "load.phases.sustained.duration=9s", "--set", "validity.rate_tolerance=0.2"
    )
    run.wait_until_measuring()
    run.locust().children()[0].kill()
    assert run.finish() == 4
    verdict = run.verdict()
    assert any(why.startswith("request rate") for why in verdict["invalid_reasons"])
    assert any("was lost at" in finding for finding in verdict["findings"])
    assert reconciled(verdict)
    t_s, users = read_series(run.root / "load.csv").get(LOCUST, USERS)
    assert users[t_s > 12].max() == 20


def test_a_worker_that_stalls_past_the_end_is_waited_for(start_run: StartRun) -> None:
    """Called lost by Locust, it still delivers what it recorded: no request is missing."""
    run = start_run()
    run.wait_until_measuring()
    worker = run.locust().children()[0]
    worker.suspend()
    try:
        run.wait_for(lambda: [e for e in run.events() if e["event"] == "awaiting_workers"])
    finally:
        worker.resume()  # a stopped process would not even notice that its parent is gone
    run.finish()
    counted = next(e for e in run.events() if e["event"] == "generator_ended")
    assert counted["recorded"] == counted["locust_requests"] > 100


def test_killing_the_harness_leaves_no_orphans_and_a_readable_run(start_run: StartRun) -> None:
    """kill -9 of the harness: every child ends by itself; analyze says INVALID, not a traceback."""
    run = start_run()
    run.wait_until_measuring()
    below = run.descendants()
    assert len(below) >= 7  # four mocks, Locust's master and two workers
    run.process.kill()
    wait_for(lambda: gone(below), 10)
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "analyze", str(run.root), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    verdict = json.loads(done.stdout)
    assert verdict["verdict"] == "INVALID"
    assert verdict["context"]["requests_measured"] > 0


def test_a_full_disk_ends_the_run_clearly(start_run: StartRun, tmp_path: Path) -> None:
    """When the log cannot grow, the run stops with exit 4 and says so."""
    run = start_run(*ONE_WORKER)
    run.wait_until_measuring()
    below = run.descendants()
    log = run.root / "latency.hlog"
    # The writer's descriptor points at a device that is always full from now on.
    worker = run.locust()
    descriptor = next(f.fd for f in worker.open_files() if f.path == str(log))
    assert descriptor > 2
    limit = log.stat().st_size
    subprocess.run(
        ["prlimit", f"--pid={worker.pid}", f"--fsize={limit}"], check=True, env=os.environ
    )
    assert run.finish() == 4
    output = run.process.stdout.read() if run.process.stdout else ""
    assert "INVALID" in output
    assert gone(below)
