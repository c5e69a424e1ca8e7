"""A recording that tells a story: moments and memory are the story's, all else is the run's."""

from pathlib import Path

import pytest

from analysis.html.blocks import section
from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.report.document import Lines
from analysis.report.markdown import markdown
from analysis.report.single import run_document
from analysis.words.units import format_moment
from analysis.words.values import Verdict
from recording.load import Load
from recording.series import Sample
from recording.story import Piece, Story
from tests.analysis.recordings import LOAD, Recording

TIMES = 30
LIMITS = parse_thresholds(
    '[cart-service]\nmemory = ["slope < 10 MB/h"]\npool = ["exhausted_windows == 0"]\n'
)


def told(seconds_each: tuple[float, float]) -> Load:
    """The usual load, whose two phases tell so much of a story."""
    pairs = zip(LOAD.phases, seconds_each, strict=True)
    phases = tuple(phase.model_copy(update={"tells": s}) for phase, s in pairs)
    return LOAD.model_copy(update={"phases": phases})


def judged(folder: Path, recording: Recording) -> Verdict:
    return judge(recording.write(folder / "run"), LIMITS)


def slope(verdict: Verdict) -> float:
    return next(m.value for m in verdict.measurements if m.metric == "slope")


def test_memory_grows_by_the_storys_hours(tmp_path: Path) -> None:
    """36 MB an hour of the story are 36 MB/h, however fast the run goes."""
    load = told((10.0 * TIMES, 30.0 * TIMES))
    verdict = judged(tmp_path, Recording(load=load, rss_mb_per_h=36.0 * TIMES))
    assert slope(verdict) == pytest.approx(36.0, rel=0.05)


def test_pieces_of_another_pace_count_alike(tmp_path: Path) -> None:
    """A leak that is steady in the story is a line, though the run's bends where the pace does."""
    paces = (30.0, 300.0)

    def grown(sample: Sample) -> float:
        if sample.metric != "process_resident_memory_bytes":
            return sample.value
        return 2**20 * (100 + 36 / 3600 * story.told_at_s(sample.t_s))

    load = LOAD.model_copy(
        update={
            "phases": (
                LOAD.phases[0].model_copy(update={"tells": 10 * paces[0], "measured": True}),
                LOAD.phases[1].model_copy(update={"tells": 30 * paces[1]}),
            )
        }
    )
    assert load.story is not None
    story = load.story
    verdict = judged(tmp_path, Recording(load=load, said=grown))
    assert slope(verdict) == pytest.approx(36.0, rel=0.02)


def test_moments_are_told_beside_the_runs(tmp_path: Path) -> None:
    """A breach says when it was in the story, and when in the run."""
    pool = ((0.0, 10.0, 2.0, 0.0), (20.0, 10.0, 10.0, 5.0), (22.0, 10.0, 2.0, 0.0))
    load = told((10.0 * TIMES, 30.0 * TIMES))
    verdict = judged(tmp_path, Recording(load=load, pool=pool, timeouts=3.0))
    said = next(b.because for b in verdict.breaches if b.metric == "exhausted_windows")
    assert "exhausted T+10m00s (20s) to T+11m00s (22s)" in said


def test_the_page_has_the_time_table(tmp_path: Path) -> None:
    """Which phase is which part of the story; none where the run tells nothing."""
    load = told((7200.0, 21600.0))
    page = markdown(run_document(judged(tmp_path, Recording(load=load))))
    assert "## Time table" in page
    assert "| sustained | 10s to 40s | T+2h00m to T+8h00m | 720 |" in page
    (tmp_path / "plain").mkdir()
    assert "Time table" not in markdown(run_document(judged(tmp_path / "plain", Recording())))


@pytest.mark.parametrize(
    ("run_s", "said"),
    [
        (0.0, "T+0s (0s)"),
        (748.0, "T+6h14m (12m28s)"),
        (840.0, "T+7h00m (14m)"),
        (900.0, "T+7h00m (15m)"),
    ],
)
def test_a_moment_is_the_storys_to_the_minute(run_s: float, said: str) -> None:
    """With the run's time behind it."""
    assert format_moment(run_s, Story((Piece(840.0, 7 * 3600.0),))) == said


def test_a_moment_of_the_story_leads_to_the_runs_in_the_charts() -> None:
    """Charts are drawn over the run's time."""
    line = "pool exhausted T+6h14m (12m28s) to T+6h19m (12m38s), then nothing"
    page = "".join(section(Lines((line,)), moments=True))
    assert 'data-from="748" data-to="758"' in page
