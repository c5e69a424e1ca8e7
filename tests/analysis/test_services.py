"""Who is judged says the recording, not the code: one service more or less, on either side."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from analysis.evidence.run import load_evidence
from analysis.judge import judge
from analysis.limits.rules import parse_rule
from analysis.limits.thresholds import Thresholds, load_thresholds
from analysis.metrics.case import Case
from analysis.metrics.catalogue import METRICS
from analysis.metrics.metric import Metric
from analysis.metrics.subjects import is_service
from analysis.report.single import rules_table
from analysis.words.units import COUNT
from analysis.words.values import Outcome, Verdict
from recording.flow import FLOW, FOUR, STEPS, Service, Services
from recording.profile import RULE_KINDS, SUBJECTS
from tests.analysis.recordings import Recording
from tests.analysis.test_kept_recordings import SHIPPED, unpacked

WISHES = "wishlist-service"
FIVE = Services(
    (*FOUR.all, Service(key="wishlist", subject=WISHES, steps=("wish",))),
    ("browse", "detail", "wish", *FOUR.order[2:]),
)
LIMITS = {"journey": ("error_rate < 1 %",), "charge": ("p95 < 200 ms",)}
OF_WISHES = {
    WISHES: ("p95 < 200 ms", "error_rate < 1 %", "utilization < 90 %", "restarts == 0"),
    "wish": ("p99 < 1 s",),
}
JUDGE_WITH_FIVE = """
import sys
from pathlib import Path
from recording import flow
wishes = flow.Service(key="wishlist", subject="wishlist-service", steps=("wish",))
flow.FLOW = flow.Services((*flow.FOUR.all, wishes), (*flow.FOUR.order, "wish"))
flow.STEPS = flow.FLOW.steps
from analysis.judge import judge
from analysis.limits.thresholds import load_thresholds
from recording.rundir import RunDir
run, limits = map(Path, sys.argv[1:])
sys.stdout.buffer.write(judge(RunDir(run), load_thresholds(limits)).to_json())
"""


def judged(folder: Path, limits: dict[str, tuple[str, ...]] = LIMITS, **what: Any) -> Verdict:
    rules = {subject: tuple(map(parse_rule, texts)) for subject, texts in limits.items()}
    run = Recording(**what).write(folder / "made")
    return judge(run, Thresholds("t.toml", rules, None))


def test_this_tree_has_the_services_that_its_files_may_name() -> None:
    """One table; whom it calls in turn is one of it, and its steps have an order."""
    assert {*SUBJECTS} == {"journey", "orders", "orders-db", *FLOW.subjects, *STEPS}
    assert {*FLOW.steps} == {*FLOW.order} == {s for one in FLOW.all for s in one.steps}
    for step in FLOW.steps:
        assert step in FLOW.steps_of(FLOW.service_of(step))
        assert {*FLOW.calls(step)} <= {*FLOW.subjects}
    assert (FLOW.service_of("x"), FLOW.steps_of("x"), FLOW.calls("x")) == ("", (), ())
    assert FLOW.in_order(["x", "confirm", "browse"]) == ("browse", "confirm", "x")


def test_a_recording_of_five_services_is_judged_with_them(tmp_path: Path) -> None:
    """By a tree that knows four: its steps in their place, its rules decided, its CPU checked."""
    verdict = judged(tmp_path, LIMITS | OF_WISHES, services=FIVE, steps=FIVE.steps)
    assert verdict.verdict is Outcome.PASS, verdict.summary
    assert {row.outcome for row in verdict.rows} == {Outcome.PASS}
    assert list(verdict.context["outcomes"])[:4] == ["browse", "detail", "wish", "add_to_cart"]
    names = [check.name for check in verdict.checks]
    assert {f"samples of {WISHES}", f"CPU of the {WISHES} mock"} <= {*names}


def test_the_fifth_must_be_sampled_as_the_others(tmp_path: Path) -> None:
    """It was started by the run."""
    verdict = judged(
        tmp_path,
        services=FIVE,
        steps=FIVE.steps,
        said=lambda sample: None if sample.subject == WISHES else sample.value,
    )
    assert f"samples of {WISHES} none, allowed all" in verdict.invalid_reasons


def test_what_a_recording_was_made_without_is_shown_and_counts_for_nothing(
    tmp_path: Path,
) -> None:
    """Four services, and rules about a fifth: a row each, and the verdict as without them."""
    plain = judged(tmp_path / "plain")
    verdict = judged(tmp_path / "more", LIMITS | OF_WISHES)
    assert verdict.verdict is plain.verdict is Outcome.PASS
    assert verdict.summary == plain.summary
    added = [row for row in verdict.rows if row.subject in OF_WISHES]
    assert [row.rule for row in added] == [text for texts in OF_WISHES.values() for text in texts]
    for row in added:
        assert (row.outcome, row.required) == (Outcome.INCONCLUSIVE, False)
        assert row.because == f"no data: this run had no {row.subject}"


def test_its_rules_are_a_row_unless_one_is_required(tmp_path: Path) -> None:
    """Four rules nobody asked about fill no page; the one that keeps a verdict open is named."""
    silent = rules_table(judged(tmp_path / "a", LIMITS | OF_WISHES)).seen_by("page")
    assert "4 rules" in [row.cells[2] for row in silent.rows]
    assert not any("error_rate" in row.cells[2] and row.cells[0] == WISHES for row in silent.rows)
    required = ("errors", f"{WISHES}.errors")
    named = rules_table(judged(tmp_path / "b", LIMITS | OF_WISHES, judged=required))
    of_wishes = [row.cells[2] for row in named.seen_by("page").rows if row.cells[0] == WISHES]
    assert of_wishes == ["error_rate < 1 %", "3 rules"]


def test_a_profile_that_requires_just_that_leaves_no_pass(tmp_path: Path) -> None:
    """A kind of rule is required of whom there is, one of a section of whom it names."""
    verdict = judged(tmp_path, LIMITS | OF_WISHES, judged=("errors", f"{WISHES}.errors"))
    assert verdict.verdict is Outcome.INCONCLUSIVE
    reason = f"{WISHES} error_rate < 1 %: no data: this run had no {WISHES}"
    assert verdict.inconclusive_reasons == (reason,)


def test_rules_that_are_all_about_what_was_not_there_judge_nothing(tmp_path: Path) -> None:
    """Never a PASS."""
    verdict = judged(tmp_path, OF_WISHES)
    assert verdict.verdict is Outcome.INVALID
    assert verdict.invalid_reasons == ("no rule of thresholds.toml applies to this run",)


def test_a_rule_that_yields_no_row_is_never_a_pass(tmp_path: Path) -> None:
    """A metric that measures nothing has no data."""
    mute = Metric(
        "mute", "pool", "", COUNT, of=is_service, measure=lambda _case, _subject: (),
        decide=METRICS["timeouts"].decide, explain=lambda _case, _subject, _measured: "",
    )  # fmt: skip
    rule = parse_rule("timeouts == 0")
    limits = Thresholds(
        "t.toml", {"cart-service": (type(rule)("mute == 0", mute, "==", 0.0),)}, None
    )
    verdict = judge(Recording().write(tmp_path / "made"), limits)
    assert verdict.verdict is Outcome.INCONCLUSIVE
    assert [row.because for row in verdict.rows] == ["no data"]


def test_profiles_may_require_every_kind_of_rule() -> None:
    """Its own list is that of the catalogue, in the same order."""
    assert tuple(dict.fromkeys(metric.kind for metric in METRICS.values())) == RULE_KINDS


def test_a_metric_without_a_measure_cannot_be_built() -> None:
    """Nor without what decides and explains."""
    with pytest.raises(TypeError, match=r"missing 3 .*'measure', 'decide', and 'explain'"):
        Metric("x", "memory", "MB", COUNT, of=is_service)  # type: ignore[call-arg]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """A healthy recording."""
    return Case(load_evidence(Recording().write(tmp_path_factory.mktemp("runs") / "made")))


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_a_metric_measures_itself(case: Case, metric: Metric) -> None:
    """Under its name and in its unit, for everyone who can have it; nobody gets another's value."""
    subjects = [subject for subject in SUBJECTS if metric.of(case.services, subject)]
    assert subjects
    for subject in subjects:
        found = list(metric.measure(case, subject))
        assert found
        assert {(one.metric, one.unit) for one in found} == {(metric.name, metric.unit)}


@pytest.mark.parametrize("name", ["format-1-smoke", "format-2-smoke"])
def test_recordings_of_four_services_judge_as_before_with_a_fifth_present(
    tmp_path: Path, name: str
) -> None:
    """The same bytes; and with limits for the fifth the same verdict, with rows for them."""
    run = unpacked(tmp_path, name)
    before = judge(run, load_thresholds(SHIPPED))

    def with_five(limits: Path) -> bytes:
        command = [sys.executable, "-c", JUDGE_WITH_FIVE, str(run.root), str(limits)]
        return subprocess.run(command, capture_output=True, check=True).stdout

    assert with_five(SHIPPED) == before.to_json()
    limits = tmp_path / "t.toml"
    limits.write_text(SHIPPED.read_text() + f'\n[{WISHES}]\nlatency = ["p99 < 1 s"]\n')
    table = orjson.loads(with_five(limits))
    assert (table["verdict"], table["summary"]) == (before.verdict.value, before.summary)
    assert [row["outcome"] for row in table["rules"] if row["subject"] == WISHES] == [
        "INCONCLUSIVE"
    ]
