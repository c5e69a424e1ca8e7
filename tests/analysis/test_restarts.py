"""Restarts of a service: counted, named, a rule, and no data where nothing tells."""

from pathlib import Path

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome, Verdict
from recording.series import Sample
from tests.analysis.recordings import SERVICES, Recording

CPU, STARTED = "process_cpu_seconds_total", "process_start_time_seconds"
RESTARTS = "container_restarts_total"
LIMITS = parse_thresholds(
    '[journey]\nlatency = ["p99 < 300 ms"]\n'
    + "".join(f'[{service}]\nprocess = ["restarts == 0"]\n' for service in SERVICES)
)


def judged(folder: Path, recording: Recording) -> Verdict:
    recording.judged = ("latency", "process")
    return judge(recording.write(folder / "run"), LIMITS)


def test_services_that_stay_up_keep_the_rule(tmp_path: Path) -> None:
    """A CPU counter that only grows is a process that lived; all four are decided."""
    verdict = judged(tmp_path, Recording())
    assert verdict.verdict is Outcome.PASS
    assert [r.outcome for r in verdict.rows if r.kind == "process"] == [Outcome.PASS] * 4


@pytest.mark.parametrize("service", SERVICES)
def test_a_restart_breaks_the_rule_of_its_service(tmp_path: Path, service: str) -> None:
    """The breach and a finding say whose it was and when."""
    verdict = judged(tmp_path, Recording(restarted_s={service: (25,)}))
    (breach,) = verdict.breaches
    assert (breach.subject, breach.actual) == (service, 1)
    assert breach.because == "restarted before T+25s"
    assert f"{service} restarted before T+25s" in verdict.findings


def test_every_restart_counts(tmp_path: Path) -> None:
    """Outside the measured phases as well; more than three are summed up."""
    verdict = judged(tmp_path, Recording(restarted_s={"cart-service": (3, 12, 20, 33)}))
    (breach,) = verdict.breaches
    assert breach.actual == 4
    assert breach.because == "restarted before T+3s, T+12s, T+20s and 1 times more"


def test_another_start_time_is_a_restart(tmp_path: Path) -> None:
    """Where no CPU counter is exported, the start time of the process tells."""
    samples = [Sample(s, "cart-service", STARTED, 1e9 + (s >= 30)) for s in range(41)]
    verdict = judged(tmp_path, Recording(without=(CPU,), samples=samples))
    (breach,) = verdict.breaches
    assert (breach.subject, breach.actual) == ("cart-service", 1)


def test_kubernetes_counts_restarts(tmp_path: Path) -> None:
    """What its counter grew by, each at the sample that first shows it."""
    counted = [Sample(s, "cart-service", RESTARTS, 7.0 + 2 * (s >= 30)) for s in range(41)]
    verdict = judged(tmp_path, Recording(without=(CPU,), samples=counted))
    (breach,) = verdict.breaches
    assert (breach.subject, breach.actual) == ("cart-service", 2)


def test_one_restart_that_two_tell_of_is_one(tmp_path: Path) -> None:
    """The process at once, Kubernetes at its next scrape."""
    told = [Sample(s, "cart-service", STARTED, 1e9 + (s >= 30)) for s in range(41)]
    counted = [Sample(s, "cart-service", RESTARTS, float(s >= 35)) for s in range(41)]
    verdict = judged(tmp_path, Recording(without=(CPU,), samples=told + counted))
    assert [breach.actual for breach in verdict.breaches] == [1]


def test_a_replica_that_comes_is_no_restart(tmp_path: Path) -> None:
    """Each says when itself has started; one of them anew is."""
    a, b = (f"{STARTED}/replica={name}" for name in "ab")
    came = [Sample(s, "cart-service", a, 1e9) for s in range(41)]
    came += [Sample(s, "cart-service", b, 1e9 + 20 + (s >= 35)) for s in range(20, 41)]
    verdict = judged(tmp_path, Recording(without=(CPU,), samples=came))
    (breach,) = verdict.breaches
    assert (breach.actual, breach.because) == (1, "restarted before T+35s")


def test_what_nothing_tells_is_no_data_and_no_pass(tmp_path: Path) -> None:
    """A required rule without a CPU counter or a start time is not kept."""
    verdict = judged(tmp_path, Recording(without=(CPU,)))
    assert verdict.verdict is Outcome.INCONCLUSIVE
    rows = [row for row in verdict.rows if row.kind == "process"]
    assert {row.because for row in rows} == {
        f"no data: it exports neither {CPU} nor {STARTED} nor {RESTARTS}"
    }
