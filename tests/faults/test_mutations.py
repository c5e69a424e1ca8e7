"""Whatever becomes of a file of a recording, the judge neither lies nor falls."""

from tests.faults import mutations


def test_no_mutation_makes_the_judge_lie_or_fall() -> None:
    """A seeded sample; `make faults` tries thousands."""
    assert mutations.run(300) == []
