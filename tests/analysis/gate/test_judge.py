"""A recorded paired run gets the verdict it deserves, and nothing but counted requests matter."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from analysis.judge import judge
from analysis.limits.regression import CostSettings, GateSettings, RegressionSettings
from analysis.limits.thresholds import Thresholds, load_thresholds, parse_thresholds
from analysis.paired import look as gate_look
from analysis.paired.cost_rows import CostRow
from analysis.paired.judge import GateReport
from analysis.report.markdown import markdown
from analysis.report.paired import gate_document
from analysis.words.values import Outcome
from recording.errors import ConfigError
from recording.histogram import Histogram
from recording.hlog import Interval, Tag
from recording.rundir import RunDir
from recording.slots import ARMS
from tests.analysis.gate.paired_recordings import LOOKS, ONE_LOOK, PairedRecording, cost_row, judged

THRESHOLDS = load_thresholds(Path(__file__).parents[3] / "thresholds.toml")
RULE = '[journey]\nlatency = ["p99 < 1 s"]\n'


def gate(folder: Path, thresholds: Thresholds = THRESHOLDS, **changes: object) -> GateReport:
    """The verdict on a recording with some changes."""
    return judged(PairedRecording(**changes).write(folder / "run"), thresholds)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def equal_run(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Two arms that are the same."""
    return PairedRecording().write(tmp_path_factory.mktemp("equal") / "run")


@pytest.fixture(scope="module")
def equal(equal_run: RunDir) -> GateReport:
    """The verdict on them."""
    return judged(equal_run, THRESHOLDS)


@pytest.fixture(scope="module")
def slower(tmp_path_factory: pytest.TempPathFactory) -> GateReport:
    """Charge is 20 % slower in head."""
    return gate(tmp_path_factory.mktemp("slower"), slower={"charge": 1.2}, looks=ONE_LOOK)


# --- verdicts ---------------------------------------------------------------------------------


def test_equal_arms_pass(equal: GateReport) -> None:
    """An A/A run is a PASS with exit code 0 and no breach."""
    assert (equal.verdict, int(equal.exit_code), equal.breaches) == (Outcome.PASS, 0, ())


def test_a_pass_says_how_far_it_looked(equal: GateReport) -> None:
    """Rounds after the look that decided were not judged, whatever they would have shown."""
    assert f"after {equal.context['rounds']} of {LOOKS[-1]} rounds" in equal.summary


def test_a_slower_endpoint_fails_and_is_named(slower: GateReport) -> None:
    """+20 % on charge is a FAIL with exit code 3; no other step is blamed."""
    assert (slower.verdict, int(slower.exit_code)) == (Outcome.FAIL, 3)
    assert {b.subject for b in slower.breaches} == {"charge", "journey"}
    assert slower.summary.startswith("charge: ")


def test_a_row_shows_ratio_interval_and_what_it_could_have_seen(slower: GateReport) -> None:
    """The failing p99 row carries about the injected 1.2, an interval, the smallest detectable."""
    row = next(
        r for r in slower.table()["rows"] if (r["endpoint"], r["metric"]) == ("charge", "p99")
    )
    assert row["ratio"] == pytest.approx(1.2, abs=0.03)
    assert row["ci_low"] < row["ratio"] < row["ci_high"]
    assert 0.05 < row["smallest_detectable"] < 0.1
    assert row["head_ms"] / row["base_ms"] == pytest.approx(1.2, abs=0.05)


def test_too_few_requests_are_inconclusive_and_say_what_it_takes(tmp_path: Path) -> None:
    """With 10 requests per slot no p99 is measured; the answer is a number of rounds."""
    report = gate(tmp_path, per_slot=20)
    assert (report.verdict, int(report.exit_code)) == (Outcome.INCONCLUSIVE, 5)
    assert report.context["more_rounds_needed"] > 0
    assert report.context["more_requests_needed"] > 0


def test_a_killed_run_is_invalid(tmp_path: Path) -> None:
    """What was recorded before the kill would pass; the run is no evidence all the same."""
    report = gate(tmp_path, ended="running", steps=("browse",))
    assert report.verdict is Outcome.INVALID
    assert any("closing count" in reason for reason in report.invalid_reasons)


def test_an_unreadable_manifest_is_invalid(tmp_path: Path) -> None:
    """No traceback, whatever the directory holds."""
    run = PairedRecording(rounds=0).write(tmp_path / "run")
    run.manifest.write_bytes(run.manifest.read_bytes()[:100])
    assert judge(run, THRESHOLDS).verdict is Outcome.INVALID


@pytest.mark.parametrize(
    ("ended", "verdict"), [("interrupted", Outcome.INCONCLUSIVE), ("completed", Outcome.INVALID)]
)
def test_too_short_for_the_first_look(tmp_path: Path, ended: str, verdict: Outcome) -> None:
    """Stopped in good order it cannot tell; one that claims to be complete is spoilt."""
    assert gate(tmp_path, rounds=6, ended=ended, steps=("browse",)).verdict is verdict


def test_a_stop_before_the_first_slot_is_inconclusive(tmp_path: Path) -> None:
    """Ctrl-C while services start is no error."""
    report = gate(tmp_path, rounds=0, ended="interrupted", slots_started=False)
    assert report.verdict is Outcome.INCONCLUSIVE


def test_a_stop_between_the_looks_says_how_far_it_came(tmp_path: Path) -> None:
    """20 of 24 rounds, first look undecided: INCONCLUSIVE, judged on the 16 of the look."""
    report = gate(tmp_path, rounds=20, ended="interrupted", per_slot=20)
    assert report.verdict is Outcome.INCONCLUSIVE
    assert report.inconclusive_reasons[0] == "stopped after 20 of 24 rounds"
    assert (report.context["rounds"], report.context["rounds_recorded"]) == (16, 20)


def test_an_order_that_is_not_balanced_is_invalid(tmp_path: Path) -> None:
    """Base always first: drift would look like a regression, so nothing is judged."""
    report = gate(tmp_path, head_first=(False,) * LOOKS[-1], steps=("browse",))
    assert report.verdict is Outcome.INVALID
    assert not report.gate_rows


# --- what decides -----------------------------------------------------------------------------


def test_the_first_decisive_look_decides(tmp_path: Path, equal: GateReport) -> None:
    """Rounds after it change no row: the same as had the run been stopped there."""
    stopped = gate(tmp_path, rounds=16)
    assert equal.context["rounds"] == stopped.context["rounds"] == 16
    assert equal.table()["rows"] == stopped.table()["rows"]


def test_the_same_recording_gives_the_same_bytes(tmp_path: Path, slower: GateReport) -> None:
    """Written and judged again, verdict.json is identical."""
    assert gate(tmp_path, slower={"charge": 1.2}, looks=ONE_LOOK).to_json() == slower.to_json()


def test_requests_begun_elsewhere_change_nothing(tmp_path: Path, equal: GateReport) -> None:
    """Very slow requests in the cut, the other arm's slot and outside are left out and counted."""
    slots = PairedRecording().slots
    base, head = slots.slots_of(3)
    slow = Histogram.from_values([5e6] * 2_000)
    strays = [
        Interval(Tag("charge", "ok", "head"), slots.start_of(head), slots.cut_s, slow),
        Interval(Tag("charge", "ok", "head"), slots.counted_from(base), 3.0, slow),
        Interval(Tag("charge", "ok", "head"), 0.0, slots.start_s, slow),
    ]
    report = gate(tmp_path, strays=strays)
    assert report.table()["rows"] == equal.table()["rows"]
    assert report.context["requests_excluded"] == equal.context["requests_excluded"] + 6_000


def test_the_limits_come_from_the_thresholds() -> None:
    """`[regression]` with its units; without it what is documented as the default."""
    limits = RULE + (
        '[regression]\nmetrics = ["p50"]\nmin_effect = "25 %"\ntolerated = "30 %"\nfloor = "2 ms"\n'
        'control = ["browse"]\n[regression.costs]\nerror_rate = "0.2 %"\ncpu_per_request = "15 %"\n'
        'pool_high_water = "30 %"\nstarved_slots = "5 %"\nmemory_slope = "1 GB/h"\n'
    )
    assert parse_thresholds(limits).gate == GateSettings(
        RegressionSettings(("p50",), 0.25, 0.3, 2.0),
        CostSettings(error_rate=0.2, cpu=0.15, pool=0.3, starved_slots=5.0, memory_mb_per_h=1024.0),
        ("browse",),
    )
    assert parse_thresholds(RULE).gate == GateSettings()
    own = parse_thresholds(
        limits.replace('["browse"]', '["GET /health"]') + '[steps."GET /health"]'
    )
    assert own.gate.control == ("GET /health",)


def test_a_control_step_is_measured_and_not_judged(tmp_path: Path) -> None:
    """It has no row, may move as it likes, and is named in the report."""
    limits = RULE + (
        '[regression]\nmetrics = ["p95"]\nmin_effect = "5 %"\ntolerated = "10 %"\nfloor = "5 ms"\n'
        'control = ["browse"]\n'
    )
    slower = {"browse": 1.2, "charge": 1.2}
    report = gate(tmp_path, parse_thresholds(limits), slower=slower, looks=ONE_LOOK)
    assert {row.subject for row in report.gate_rows} == {"start_checkout", "charge", "journey"}
    assert {breach.subject for breach in report.breaches} == {"charge", "journey"}
    assert "control, measured and not judged: browse" in markdown(gate_document(report))


def test_a_control_may_be_all_steps_of_a_pattern(tmp_path: Path) -> None:
    """As a section of rules may; one that nobody asks leaves no PASS."""
    limits = RULE + (
        '[regression]\nmetrics = ["p95"]\nmin_effect = "5 %"\ntolerated = "10 %"\nfloor = "5 ms"\n'
        'control = ["*rowse"]\n[steps."*rowse"]\n'
    )
    report = gate(tmp_path, parse_thresholds(limits), looks=ONE_LOOK)
    assert {row.subject for row in report.gate_rows} == {"start_checkout", "charge", "journey"}
    nobody = parse_thresholds(limits.replace("*rowse", "GET /none"))
    report = gate(tmp_path / "nobody", nobody, looks=ONE_LOOK)
    assert report.verdict is Outcome.INCONCLUSIVE
    assert "GET /none is the control" in " ".join(report.inconclusive_reasons)


def test_limits_that_fit_no_test_are_a_configuration_error() -> None:
    """A minimum effect of nothing is refused by name of its section, when the file is read."""
    limits = RULE + (
        '[regression]\nmetrics = ["p95"]\nmin_effect = "0 %"\ntolerated = "10 %"\nfloor = "5 ms"\n'
    )
    with pytest.raises(ConfigError, match=r"\[regression\]: need 0 < min_effect"):
        parse_thresholds(limits)


def test_a_head_that_fails_requests_cannot_pass(tmp_path: Path) -> None:
    """Failures may be fast: 8 % of them FAIL by their rate, whatever latency says."""
    report = gate(tmp_path, failed={"head": 0.08})
    assert report.verdict is Outcome.FAIL
    assert {breach.metric for breach in report.breaches} == {"error_rate"}


def test_failures_that_are_not_judged_leave_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were their rate not among the rows, equal latency would still be no PASS, and say why."""
    monkeypatch.setattr(gate_look, "cost_rows", lambda *_: ())
    report = gate(tmp_path, failed={"head": 0.08})
    assert report.verdict is Outcome.INCONCLUSIVE
    assert any("of head's requests failed" in reason for reason in report.inconclusive_reasons)


def test_a_faster_endpoint_is_a_finding(tmp_path: Path) -> None:
    """An improvement passes and is said."""
    report = gate(tmp_path, slower={"charge": 0.8})
    assert report.verdict is Outcome.PASS
    assert any(line.startswith("charge p95 got faster: -") for line in report.findings)


@pytest.mark.parametrize("arm", ARMS)
def test_a_step_that_one_arm_lacks_is_not_compared(tmp_path: Path, arm: str) -> None:
    """A service more in one of the revisions decides nothing, and is said; the rest is judged."""
    unsampled = [f"payment-gateway@{arm}"]
    lacking = {arm: ("charge",)}
    report = gate(tmp_path, rounds=16, lacking=lacking, unsampled=unsampled, at_urls=True)
    why = f"{arm} has no payment-gateway"
    assert report.verdict is Outcome.PASS, report.summary
    assert f"charge: not compared: {why}" in report.findings
    assert report.context["not_compared"] == {"charge": why}
    assert {row.subject for row in report.gate_rows} == {"browse", "start_checkout", "journey"}
    assert ("charge", "error_rate") not in {(cost.subject, cost.metric) for cost in report.costs}
    assert f"- charge: not compared: {why}" in markdown(gate_document(report))


def test_a_step_that_an_arm_has_and_never_answers_is_compared(tmp_path: Path) -> None:
    """Head is not excused by what it did not do: its row is open, and there is no PASS."""
    report = gate(tmp_path, rounds=16, lacking={"head": ("charge",)}, at_urls=True)
    assert report.verdict is Outcome.INCONCLUSIVE
    assert "not_compared" not in report.context
    (row, _) = (row for row in report.gate_rows if row.subject == "charge")
    assert row.because == "not measured: no requests in 16 of 32 slots"


# --- costs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "verdict"),
    [
        (cost_row(Outcome.FAIL), Outcome.FAIL),
        (cost_row(Outcome.FAIL, lacks="nothing measured"), Outcome.PASS),
        (cost_row(Outcome.INCONCLUSIVE), Outcome.PASS),
        (cost_row(Outcome.PASS), Outcome.PASS),
    ],
)
def test_costs_beside_equal_latency(
    equal_run: RunDir, monkeypatch: pytest.MonkeyPatch, cost: CostRow, verdict: Outcome
) -> None:
    """A failing cost fails the gate; one that cannot tell spoils nothing."""
    monkeypatch.setattr(gate_look, "cost_rows", lambda *_: (cost,))
    report = judged(equal_run, THRESHOLDS)
    assert report.verdict is verdict
    assert [b.subject for b in report.breaches] == ["cart-service"] * (verdict is Outcome.FAIL)
    assert orjson.loads(report.to_json())["costs"][0]["head"] == 400


# --- what is written --------------------------------------------------------------------------


def test_verdict_json_has_what_tools_rely_on(slower: GateReport) -> None:
    """The keys of every verdict, and those of the gate."""
    table = orjson.loads(slower.to_json())
    common = {"verdict", "exit_code", "breaches", "measurements", "invalid_reasons", "findings"}
    assert common | {"rows", "costs", "checks", "inconclusive_reasons", "context"} <= set(table)
    assert {"duration_s", "rounds", "look", "base", "head", "seed", "host"} <= set(table["context"])
    measured = {(m["subject"], m["metric"]) for m in table["measurements"]}
    assert {("charge@base", "p99"), ("charge@head", "p99")} <= measured


def test_every_request_is_counted_or_excluded(equal: GateReport) -> None:
    """Both numbers together are the requests of the log."""
    context = equal.context
    rounds, steps, warmup, cut = 24, 3, 1, 30
    everything = 2 * (rounds + warmup) * steps * (400 + cut)
    assert context["requests_counted"] + context["requests_excluded"] == everything
    assert context["counted"] == dict.fromkeys(ARMS, 16 * steps * 400)
