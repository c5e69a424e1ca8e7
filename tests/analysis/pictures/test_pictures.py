"""What a recording shows: each picture is there, on one axis, with its limits."""

from pathlib import Path

import numpy as np
import pytest

from analysis.memory.judge import judge_memory
from analysis.paired.judge import GateReport
from analysis.pictures.gate import gate_pictures
from analysis.pictures.run import run_pictures
from analysis.pictures.services import grown
from analysis.report.chart import Chart, Forest, HeatMap, Picture, Stretch
from recording.flow import STEPS
from tests.analysis.html.pages import RATE_OF_FAIL, SHIPPED, made
from tests.analysis.recordings import END_S


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Picture, ...]:
    """Of the run that fails: charge is slow and its answers are wrong, the pool is exhausted."""
    found, _ = made("fail", tmp_path_factory.mktemp("run"))
    assert found.evidence is not None
    return run_pictures(found.evidence, SHIPPED)


def charts(pictures: tuple[Picture, ...], group: str) -> dict[str, Chart]:
    """Those of a group, by title."""
    return {p.title: p for p in pictures if isinstance(p, Chart) and p.group == group}


def test_each_step_has_its_percentiles_beside_its_limits(pictures: tuple[Picture, ...]) -> None:
    """The limit is where thresholds.toml says, and charge is above it."""
    found = charts(pictures, "Latency by step")
    assert set(found) == set(STEPS)
    charge = found["charge"]
    p99 = next(curve for curve in charge.curves if curve.name == "p99")
    (limit,) = (limit.value for limit in charge.limits if limit.name.startswith("p99"))
    assert limit == 1000.0
    assert np.median(p99.y) == pytest.approx(1650, rel=0.02)


def test_failures_are_shown_by_step_and_kind(pictures: tuple[Picture, ...]) -> None:
    """As a share of all requests: 5 % of the seventh of them."""
    (chart,) = charts(pictures, "Failures").values()
    assert [curve.name.partition(":")[0] for curve in chart.curves] == ["charge"]
    assert chart.curves[0].y.mean() == pytest.approx(5 / 7, rel=0.2)


def test_the_spread_holds_every_request(pictures: tuple[Picture, ...]) -> None:
    """No request is outside of a heat map, and none of it is larger than a page carries."""
    heats = [p for p in pictures if isinstance(p, HeatMap)]
    assert len(heats) == len(STEPS)
    for heat in heats:
        columns, rows = heat.counts.shape
        assert columns <= 150
        assert rows <= 40
        assert heat.counts.shape == (heat.x_edges.size - 1, heat.y_edges.size - 1)
    of_step = int(END_S * RATE_OF_FAIL / len(STEPS))
    for heat in heats:
        assert heat.counts.sum() == pytest.approx(of_step, abs=1)  # outcomes come in whole requests


def test_all_over_time_is_on_one_axis_with_what_went_on(pictures: tuple[Picture, ...]) -> None:
    """Phases and the pool's exhaustion, on every chart; T+0 is when the load began."""
    timed = [p for p in pictures if getattr(p, "over_time", True) and not isinstance(p, Forest)]
    assert len(timed) > 20
    for picture in timed:
        assert not isinstance(picture, Forest)
        names = [one.name for one in picture.stretches]
        assert names[:2] == ["ramp-up", "sustained"]
        assert Stretch(15.0, 25.0, "inventory-lock-service pool p/0 exhausted", "trouble") in (
            picture.stretches
        )


@pytest.mark.parametrize("grows", [True, False])
def test_a_slope_is_drawn_where_the_verdict_rests_on_one(grows: bool) -> None:
    """It is the verdict's own, without the warm-up; memory at rest has none that means anything."""
    t_s = np.arange(0.0, 14_400.0, 5.0)
    warm_mb = 200.0 + 20.0 * (1.0 - np.exp(-t_s / 60.0))
    noise_mb = np.random.default_rng(1).normal(0.0, 0.3, t_s.size)
    verdict = judge_memory(
        t_s, (warm_mb + (40.0 * t_s / 3600.0 if grows else 0.0) + noise_mb) * 2**20
    )
    drawn = [one.slope_mb_per_h for one in grown(verdict)]
    assert drawn == ([verdict.slope_mb_per_h] if grows else [])
    if grows:
        assert drawn[0] == pytest.approx(40.0, rel=0.05)


def test_a_slope_of_memory_is_no_share_of_bases(tmp_path: Path) -> None:
    """Base's may be next to nothing: as a share of it nearly anything would be a vast change."""
    found, _ = made("gate-inconclusive", tmp_path)
    assert isinstance(found.verdict, GateReport)
    assert found.evidence is not None
    drawn = gate_pictures(found.evidence, found.verdict)
    forests = {one.unit: one for one in drawn if isinstance(one, Forest)}
    slopes = [row for row in found.verdict.costs if row.metric == "memory_slope" and row.judged]
    assert {row.subject: row.change for row in slopes} == {
        effect.name: effect.value for effect in forests["MB/h"].effects
    }
    assert slopes
    assert not any("memory" in effect.name for effect in forests["%"].effects)


def test_a_gate_shows_each_row_with_its_interval(tmp_path: Path) -> None:
    """The row that fails lies beyond what is tolerated; each slot is there at its time."""
    found, _ = made("gate-fail", tmp_path)
    assert isinstance(found.verdict, GateReport)
    assert found.evidence is not None
    drawn = gate_pictures(found.evidence, found.verdict)
    forest = next(p for p in drawn if isinstance(p, Forest))
    rows = {effect.name: effect for effect in forest.effects}
    assert len(rows) == len(found.verdict.gate_rows)
    charge = rows["charge p95"]
    assert charge.low < 20 < charge.high
    assert charge.tolerated is not None
    assert charge.tolerated < charge.value
    slots = charts(drawn, "Slots in the order in which they were loaded")["charge"]
    base, head = (set(curve.x) for curve in slots.curves)
    assert len(base) == len(head) == found.verdict.context["rounds"]
    assert not base & head
