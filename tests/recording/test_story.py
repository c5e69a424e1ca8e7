"""recording/story.py: the clock of a run that tells a longer story."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.load import Load, Phase
from recording.story import Piece, Story

HOUR_S = 3600.0
TWO = Story((Piece(840.0, 7 * HOUR_S), Piece(300.0, 41 * HOUR_S)))
SOME = st.floats(0.01, 1e6)
STORIES = st.lists(st.tuples(SOME, SOME), min_size=1, max_size=5).map(
    lambda pairs: Story(tuple(Piece(*pair) for pair in pairs))
)


@pytest.mark.parametrize(
    ("run_s", "told_h"), [(0.0, 0.0), (420.0, 3.5), (840.0, 7.0), (990.0, 27.5), (1140.0, 48.0)]
)
def test_a_moment_of_the_run_is_one_of_the_story(run_s: float, told_h: float) -> None:
    """By the pace of its piece, whose borders belong to both."""
    assert TWO.told_at_s(run_s) == pytest.approx(told_h * HOUR_S)


def test_what_comes_after_the_last_piece_goes_at_its_pace() -> None:
    """As what comes before the first one goes at that one's."""
    assert TWO.told_at_s(1150.0) == pytest.approx(48 * HOUR_S + 10 * 41 * 12)
    assert TWO.told_at_s(-1.0) == pytest.approx(-30.0)


@given(STORIES, st.lists(st.floats(0.0, 2.0), min_size=1, max_size=20))
def test_both_ways_are_one(story: Story, shares: list[float]) -> None:
    """From the run to the story and back is where it began."""
    run_s = np.array(sorted(shares)) * sum(piece.run_s for piece in story.pieces)
    told_s = story.told_s(run_s)
    assert np.all(np.diff(told_s) >= 0)
    assert np.allclose(story.run_s(told_s), run_s, rtol=1e-6, atol=1e-6)


def test_phases_tell_all_or_nothing() -> None:
    """A phase that says nothing would leave a hole in the story."""
    first = Phase(name="a", duration=1, users=1, measured=True, tells=60)
    assert Load(phases=(first,)).story == Story((Piece(1.0, 60.0),))
    assert Load(phases=(first.model_copy(update={"tells": None}),)).story is None
    with pytest.raises(ValueError, match="phase 'b' needs tells"):
        Load(phases=(first, Phase(name="b", duration=1, users=1)))


def test_a_phase_without_a_story_is_written_as_before() -> None:
    """Manifests and digests of loads that tell nothing stay as they are."""
    dumped = Phase(name="a", duration=1, users=1).model_dump()
    assert not {"tells", "services"} & set(dumped)
