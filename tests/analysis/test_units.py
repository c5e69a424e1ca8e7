import pytest

from analysis.words.units import format_elapsed
from analysis.words.values import show


@pytest.mark.parametrize(
    ("elapsed_s", "text"),
    [
        (0, "T+0s"),
        (42.4, "T+42s"),
        (59.6, "T+1m00s"),
        (200, "T+3m20s"),
        (6 * 3600 + 14 * 60, "T+6h14m"),
        (6 * 3600, "T+6h00m"),
        (36 * 3600 + 134, "T+36h02m14s"),
        (-30, "T-30s"),
        (-0.2, "T+0s"),
    ],
)
def test_elapsed_time_reads_as_in_the_post_mortem(elapsed_s: float, text: str) -> None:
    """Moments of a test are written as the seed writes them."""
    assert format_elapsed(elapsed_s) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.29655e-11, "MB/h", "0 MB/h"),  # a line through what does not change
        (-3e-13, "MB/h", "0 MB/h"),
        (0.0000902, "%", "0.0000902 %"),
        (-0.592, "ms", "-0.592 ms"),
        (float("nan"), "%", "no data"),
        (1.0, "connections", "1 connection"),
        (1.0, "tps", "1 tps"),
        (1.0, "ms", "1 ms"),
        (1.0, "arrivals/s", "1 arrivals/s"),
    ],
)
def test_a_figure_reads_as_people_write_it(value: float, unit: str, text: str) -> None:
    """What is rounded off is nothing; what is not known is none."""
    assert show(value, unit) == text
