"""How a run tells its story: which of its phases is which of the story's hours, at what pace."""

from collections.abc import Sequence
from itertools import accumulate

from analysis.report.document import Row, Table, numbers, texts
from analysis.words.units import format_elapsed
from recording.durations import format_duration
from recording.load import Load

Told = tuple[str, float, float]
"""A phase, its length in the run and in the story, s."""


def told(load: Load) -> tuple[Told, ...]:
    """Every phase; none where they tell nothing."""
    return tuple((p.name, p.duration, p.tells) for p in load.phases if p.tells is not None)


def time_table(phases: Sequence[Told]) -> Table:
    """One row for each."""
    columns = (*texts("phase", "of the run", "of the story"), *numbers("times as fast"))
    run_s = [0.0, *accumulate(length_s for _, length_s, _ in phases)]
    told_s = [0.0, *accumulate(story_s for _, _, story_s in phases)]
    rows = (
        Row(
            (
                name,
                f"{format_duration(run_s[n])} to {format_duration(run_s[n + 1])}",
                f"{format_elapsed(told_s[n])} to {format_elapsed(told_s[n + 1])}",
                f"{story / length:.3g}",
            )
        )
        for n, (name, length, story) in enumerate(phases)
    )
    return Table(columns, tuple(rows), "Time table")
