"""What a report says of the run before it, of which the verdict knows nothing."""

import shutil
from pathlib import Path

from recording.journey import Journey, Range
from tests.analysis.recordings import JOURNEY, SMALL, Recording
from tests.faults.in_process import loadgate

SLOWER = Journey(think=Range(min=0.9, max=2.5))
LIMITS = '[journey]\nlatency = ["p99 < {} s"]\n'


def page_of(root: Path, limits: Path) -> str:
    """The Markdown report of a run once it was judged."""
    loadgate("analyze", str(root), "--thresholds", str(limits))
    return (root / "report.md").read_text()


def test_a_report_says_what_differs_from_the_last_run_of_its_profile(tmp_path: Path) -> None:
    """Keys of the profile and the thresholds, then and now; that nothing does; none is no block."""
    journeys = {"1": JOURNEY, "2": SLOWER, "3": SLOWER}
    runs = {name: tmp_path / "runs" / f"2026030{name}-101500-made-1f2e3d4c" for name in journeys}
    for name, journey in journeys.items():
        Recording(**SMALL, journey=journey).write(runs[name])
    loose, strict = tmp_path / "loose.toml", tmp_path / "strict.toml"
    loose.write_text(LIMITS.format(2))
    strict.write_text(LIMITS.format(1))
    (runs["1"].parent / "20260302-111500-made-00000000").mkdir()
    assert "What differs" not in page_of(runs["1"], loose)
    changed = page_of(runs["2"], strict).partition("What differs from the last run")[2]
    rows = [row for row in changed.split("\n\n")[1].splitlines() if row.startswith("|")][2:]
    assert len(rows) == 2
    assert "journey.think.max" in rows[0]
    assert rows[0].replace("\\", "").split(" | ")[1:] == ["900ms", "2.5s |"]
    assert "loose.toml" in rows[1]
    assert "nothing but what was drawn: made was set up alike" in page_of(runs["3"], strict)


def test_a_verdict_is_the_same_wherever_its_run_lies(tmp_path: Path) -> None:
    """The run before it decides nothing."""
    limits = tmp_path / "limits.toml"
    limits.write_text(LIMITS.format(1))
    for name in ("20260301-101500-made-1f2e3d4c", "20260302-101500-made-1f2e3d4c"):
        Recording(**SMALL).write(tmp_path / "runs" / name)
    second = tmp_path / "runs" / "20260302-101500-made-1f2e3d4c"
    alone = shutil.copytree(second, tmp_path / "alone" / second.name)
    page_of(second, limits), page_of(alone, limits)
    assert (second / "verdict.json").read_bytes() == (alone / "verdict.json").read_bytes()
