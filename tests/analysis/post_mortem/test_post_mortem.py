"""`loadgate report RUN --post-mortem`: the seed's, and those of runs of other shapes."""

from pathlib import Path

import pytest

from analysis.limits.thresholds import load_thresholds
from analysis.report.document import Document, Lines, Table
from analysis.report.markdown import markdown
from harness.run.post_mortem import post_mortem_of
from recording.rundir import RunDir
from tests.analysis.gate.paired_recordings import PairedRecording
from tests.analysis.post_mortem.example import PAGE, ROOT, SEED, made
from tests.analysis.recordings import SMALL, Recording
from tests.faults.in_process import loadgate

LIMITS = load_thresholds(ROOT / "thresholds.toml")
SECTIONS = (
    "Executive summary", "Test configuration", "Results by service against its SLA",
    "Data integrity", "Error budget", "Recommendations",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The seed's, made by the command."""
    return made(tmp_path_factory.mktemp("seed"))


def test_the_example_is_what_the_command_makes(page: str) -> None:
    """`make post-mortem` would change nothing."""
    assert page == PAGE.read_text(encoding="utf-8")


def test_it_tells_what_the_post_mortem_found_and_what_it_missed(page: str) -> None:
    """Exhaustion, leak, collection; and the climb, the forecast, the faster leak."""
    found = (
        "T+6h14m | pool locks/all exhausted", "scaled from 2 to 3 replicas",
        "892 of 186,729 requests of start_checkout failed", "memory collected",
    )  # fmt: skip
    missed = (
        "climbs steadily at constant load", "full between T+5h45m and T+6h18m",
        "full again after 7 to 16 h", "2.1 times as fast",
    )  # fmt: skip
    assert [text for text in (*found, *missed) if text not in page] == []


def test_its_recommendations_are_computed_and_a_shorter_ttl_is_none(page: str) -> None:
    """Pool, threshold and expiry suffice, each alone; the time to live only delays it."""
    _, told = page.split("## Recommendations")
    for setting in ("pool_max=25", "scale_threshold_percent=6", "expiry_per_s=4", "eviction=sch"):
        assert f"{setting}" in told
    assert "lock_ttl_s" not in told
    assert "| only delays it: dry at T+12h03m in place of T+6h34m |" in page


def document(run: RunDir) -> Document:
    return post_mortem_of(run, LIMITS)[0]


def titles(of: Document) -> list[str]:
    return [block.title for block in of.seen_by("page").blocks]


def test_of_a_run_without_issues_it_says_so(tmp_path: Path) -> None:
    """And has no recommendation, as nothing was found."""
    found = document(Recording(**SMALL).write(tmp_path / "run"))
    assert "no issue" in str(found.blocks[0])
    assert [title for title in SECTIONS if title not in titles(found)] == ["Recommendations"]
    assert not any(title.startswith("Issue") for title in titles(found))


def test_what_no_mechanism_covers_is_an_issue_without_a_recommendation(tmp_path: Path) -> None:
    """A slow payment gateway: its breach, its reason, and nothing made up."""
    slow = Recording(**SMALL | {"latency_ms": {"charge": 4000.0}, "rate": 200.0})
    found = document(slow.write(tmp_path / "run"))
    (issue,) = (b for b in found.blocks if "payment-gateway/charge: p99 is 4" in b.title)
    assert isinstance(issue, Lines)
    felt = "impact: payment-gateway/charge p99 4393 ms, required < 1000 ms; journey p99 "
    assert str(issue.lines[0]).startswith(felt)
    assert "Recommendations" not in titles(found)


def test_a_lock_pool_unlike_its_mechanism_has_no_what_if(tmp_path: Path) -> None:
    """It ran dry within seconds, the mechanism never: so that is not asked further."""
    dry = ((0.0, 10.0, 2.0, 0.0), (2.0, 10.0, 10.0, 5.0), (3.0, 10.0, 2.0, 0.0))
    found = document(Recording(**SMALL | {"pool": dry, "timeouts": 3.0}).write(tmp_path / "run"))
    (rests_on,) = (b for b in found.blocks if b.title == "What the recommendations rest on")
    assert isinstance(rests_on, Lines)
    assert "is not what was recorded" in str(rests_on.lines)
    assert not any(b.rows for b in found.blocks if isinstance(b, Table) and "what if" in b.title)


def test_the_same_bytes_come_out_twice(tmp_path: Path) -> None:
    """And are kept beside the run, as a page with charts too."""
    run = Recording(**SMALL).write(tmp_path / "run")
    first, second = (markdown(document(run)) for _ in range(2))
    assert first == second
    seen = loadgate("report", str(run.root), "--post-mortem")
    assert seen.exit_code == 0
    assert run.post_mortem.read_text() in seen.text
    assert 'id="data"' in run.post_mortem_page.read_text()


def test_it_is_of_one_run_and_no_json(tmp_path: Path) -> None:
    """Exit code 2, and why."""
    gate = PairedRecording().write(tmp_path / "gate")
    seen = loadgate("report", str(gate.root), "--post-mortem")
    assert (seen.exit_code, "not of a gate or a search" in seen.text) == (2, True)
    seen = loadgate("report", str(SEED), "--post-mortem", "--json")
    assert (seen.exit_code, "leave one" in seen.text) == (2, True)
