"""The pictures of a run, in the order in which a reader asks."""

from analysis.evidence.run import Evidence
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.pictures.canvas import Canvas
from analysis.pictures.database import database
from analysis.pictures.generator import generator
from analysis.pictures.latency import percentiles, spread, tail
from analysis.pictures.load import failures, load
from analysis.pictures.services import cpu, memory, pools, replicas
from analysis.report.chart import Picture

_IN_ORDER = (
    load, percentiles, failures, spread, tail, pools, replicas, memory, cpu, database, generator,
)  # fmt: skip


def run_pictures(evidence: Evidence, thresholds: Thresholds) -> tuple[Picture, ...]:
    """Of a recording that is not paired."""
    canvas = Canvas(Case(evidence), thresholds)
    return tuple(picture for draw in _IN_ORDER for picture in draw(canvas))
