"""Searches say what now, and tell a CI one thing: whether what they were asked holds."""

from dataclasses import replace
from math import inf

import pytest

from analysis.advice.searches import for_capacity, for_setting
from analysis.capacity.answer import Answer
from analysis.capacity.asked import Asked as AskedLoad
from analysis.capacity.compare import CapacityGate
from analysis.capacity.gives import Gave
from analysis.capacity.judge import CapacityReport
from analysis.capacity.rows import LevelRow
from analysis.report.cases import of_capacity_gate, of_verdict
from analysis.report.github import annotations
from analysis.report.glance import glance_of
from analysis.tuning.asked import Asked, Setting
from analysis.tuning.judge import TuneReport
from analysis.words.values import Check, Measurement, Outcome, Verdict
from recording.manifest import Manifest, Searched
from recording.profile import Profile
from tests.analysis.ci.test_advice import manifest

LOAD = AskedLoad("arrivals/s", 60.0, "--require", 300.0, 0.05, 60.0, 1)
FOUND = Answer(50.0, 48.0, 52.0, False, 48.0, Gave("pool p", "charge p99"), None, 7.0)
AT_LEAST = replace(FOUND, at_least=True, high=inf)
POOL = Asked((Setting("payment.pool_max", 5, 60, 10),), 20.0)
OWN = Asked((Setting("shop.POOL_SIZE", 5, 60, 10),), 20.0)


def searched(kind: str, command: str) -> Manifest:
    """Of a search with this command."""
    search = Searched(kind=kind, asked={})
    return manifest(search=search, command=command, ended="completed", overrides=("a.b=1",))


def capacity(outcome: Outcome, found: Answer | None = FOUND) -> CapacityReport:
    """With an answer that spoke of 60 arrivals a second."""
    return CapacityReport("r", "p", outcome, "said", found=found, asked=LOAD)


def tried(stage: str, *spoilt: str) -> LevelRow:
    """A level that was no evidence where something spoilt it."""
    return LevelRow(1, stage, 50.0, 5.0, 350.0, "held", 9.0, "charge", 40.0, "p", (), spoilt)


def tuned(outcome: Outcome, *answer: float, sure: bool = True) -> TuneReport:
    """Of one pool."""
    return TuneReport("r", "p", outcome, "said", asked=POOL, answer=answer, sure=sure)


def commands(steps: object) -> list[str]:
    """Those that have one."""
    return [step.command for step in steps if step.command]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("report", "command"),
    [
        (capacity(Outcome.FAIL), "loadgate capacity p --within 300 --require 300 --seed 7"),
        (capacity(Outcome.INCONCLUSIVE), "loadgate capacity p --require 300 --within 600"),
        (replace(capacity(Outcome.INCONCLUSIVE, AT_LEAST), levels=(tried("doubling", "lag"),)),
         "loadgate capacity p --within 300 --require 300 --seed 7"),
        (replace(capacity(Outcome.INCONCLUSIVE, AT_LEAST), levels=(tried("warm-up", "lag"),)),
         "loadgate capacity p --require 300 --within 600"),
        (capacity(Outcome.INVALID, None),
         "loadgate capacity p --within 300 --require 300 --seed 7"),
    ],
)  # fmt: skip
def test_a_search_for_the_largest_load_is_repeated_or_longer(
    report: CapacityReport, command: str
) -> None:
    """An option that changes stands once."""
    known = searched("capacity", "capacity p --within 300 --require 300")
    assert commands(for_capacity(known, report)) == [command]


@pytest.mark.parametrize(
    ("report", "command"),
    [
        (tuned(Outcome.FAIL, 24.0),
         "loadgate run p --set a.b=1 --set services.payment.pool_max=24"),
        (tuned(Outcome.FAIL, 24.0, sure=False),
         "loadgate tune payment.pool_max --range 5..60 --within 120s"),
        (tuned(Outcome.FAIL), "loadgate tune payment.pool_max --range 60..240"),
        (tuned(Outcome.INCONCLUSIVE, 24.0),
         "loadgate tune payment.pool_max --range 5..60 --within 120s"),
    ],
)  # fmt: skip
def test_a_search_for_a_setting_names_what_to_run(report: TuneReport, command: str) -> None:
    """With what is enough, beyond the range, or for longer."""
    known = searched("tune", "tune payment.pool_max --range 5..60")
    assert commands(for_setting(known, report)) == [command]


def test_a_shop_s_own_setting_is_set_where_the_shop_is_started() -> None:
    """As a variable of [arm]; of one that is told by a command, nothing is."""
    known = searched("tune", "tune shop.POOL_SIZE --range 5..60 --today 10")
    arm = {"start": "shop --port {port}"}
    url = dict.fromkeys(("checkout", "payment", "cart"), "http://127.0.0.1:1")
    found = replace(tuned(Outcome.FAIL, 24.0), asked=OWN)
    for more, command in (
        ({"arm": arm}, "loadgate run p --set a.b=1 --set 'arm.environment.POOL_SIZE=\"24\"'"),
        ({"arm": arm, "tune": {"apply": "set {value}"}}, "loadgate run p --set a.b=1"),
        ({"target": url, "tune": {"apply": "set {value}"}}, "loadgate run p --set a.b=1"),
    ):
        profile = Profile.model_validate(known.profile.model_dump() | more)
        of = known.model_copy(update={"profile": profile})
        assert commands(for_setting(of, found)) == [command]


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", [capacity, tuned])
def test_a_search_is_one_case_and_one_alert(kind: type[Verdict], outcome: Outcome) -> None:
    """A level that was no evidence spoils no answer."""
    check = Check("generator lag", "9 ms", "1 ms", ok=False)
    judged = of_verdict(replace(kind(outcome), checks=(check,)))  # type: ignore[call-arg, arg-type]
    invalid = outcome is Outcome.INVALID
    assert [case.outcome for case in judged.rules] == [Outcome.INCONCLUSIVE if invalid else outcome]
    assert [case.outcome for case in judged.evidence] == [
        Outcome.INVALID if invalid else Outcome.INCONCLUSIVE
    ]
    quiet = (Outcome.PASS, Outcome.NOT_MEASURED)
    assert len(list(annotations(judged))) == (outcome not in quiet)


def test_a_gate_on_capacity_is_one_case() -> None:
    """Its searches have cases of their own."""
    arms = capacity(Outcome.PASS), capacity(Outcome.PASS)
    judged = of_capacity_gate(CapacityGate(Outcome.FAIL, "less", None, *arms))
    (case,) = judged.rules
    assert (case.outcome, case.message) == (Outcome.FAIL, "less")
    (line,) = annotations(judged)
    assert line.startswith("::error title=gate --capacity FAIL::less")


@pytest.mark.parametrize("report", [capacity(Outcome.FAIL), tuned(Outcome.FAIL, 24.0)])
def test_the_page_of_a_search_has_its_numbers_at_a_glance(report: Verdict) -> None:
    """What was found, and how long it took; nothing is counted that it has not."""
    found = Measurement("journey", "capacity", 50.0, "arrivals/s", 9, 48.0, 52.0)
    glance = glance_of(replace(report, measurements=(found,), context={"searched_s": 98.0}))
    assert glance is not None
    first, last = glance.figures
    assert (first.title, first.value) in (
        ("largest load", "50 arrivals/s"),
        ("what is enough", "24"),
    )
    assert last.value == "1m38s"
