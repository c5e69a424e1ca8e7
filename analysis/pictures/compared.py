"""The picture of runs made apart: ratios with what is known of their intervals."""

from math import nan

from analysis.compare.side_by_side import Comparison, PairRow
from analysis.pictures.gate import effect_of
from analysis.report.chart import Effect, Forest, Picture


def compared_pictures(found: Comparison) -> tuple[Picture, ...]:
    """Of each step and percentile, B against A, or the run against its baselines."""
    effects = (*map(_pair, found.pairs), *map(effect_of, found.rows))
    return (Forest("Latency, with 95 % intervals", "change, %", effects),) if effects else ()


def _pair(row: PairRow) -> Effect:
    low, high = (nan if end is None else 100 * (end - 1) for end in (row.ci_low, row.ci_high))
    return Effect(f"{row.subject} {row.metric}", 100 * (row.ratio - 1), low, high)
