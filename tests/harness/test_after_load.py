"""What a Prometheus is asked after the load: by its own clock, in time, believed with care."""

from pathlib import Path

import numpy as np
import pytest

from harness.sampling.after_load import AfterLoad
from harness.sampling.fold import Series
from harness.sampling.mapping import Wanted, wanted
from harness.sampling.prometheus_server import NO_GOOD_ANSWER, PrometheusServer
from recording.clock import RunClock
from recording.jsonl import read_json_lines
from recording.metrics import MetricSource
from recording.rundir import RunDir
from recording.series_reader import Series as Recorded
from recording.series_reader import read_series
from tests.harness.shop_exporter import exporter

ROWS = wanted((MetricSource(service="checkout", use=("process",)),))
MEMORY, CPU, STARTED = (row.row.ours for row in ROWS)
AHEAD_S = 7 * 3600.0
"""The server's clock: another time zone taken for UTC, and wrong by some seconds."""


class FarServer:
    """A Prometheus that scrapes every second, with a clock of its own; ``from_s`` to ``to_s``."""

    def __init__(self, clock: RunClock, from_s: float, to_s: float) -> None:
        self._clock, self._span = clock, (from_s, to_s)

    def now_s(self) -> float:
        return self._clock.now_s() + AHEAD_S

    def newest_s(self, _wanted: Wanted) -> float | None:
        return self._span[1] + AHEAD_S

    def series(self, row: Wanted, from_s: float, to_s: float, step_s: float) -> list[Series]:
        t_s = np.arange(*self._span) + AHEAD_S
        t_s = t_s[(t_s >= from_s) & (t_s <= to_s)]
        values = {MEMORY: 4e8, STARTED: 1.7e9}.get(row.row.ours, t_s - AHEAD_S)
        return [Series(row, {"instance": "a"}, t_s, np.broadcast_to(values, t_s.shape).copy())]


def collected(
    folder: Path, server: object, clock: RunClock, settle_s: float = 5.0
) -> tuple[Recorded, list[tuple[str, str]]]:
    """What is in resources.csv then, and what was said to be missing."""
    run = RunDir(folder / "run")
    run.root.mkdir()
    after = AfterLoad(server, {"checkout-service": ROWS}, 1.0, settle_s)  # type: ignore[arg-type]
    missing = list(after.collect(run, clock, lambda: False))
    return read_series(run.resources), missing


@pytest.fixture
def clock() -> RunClock:
    """Of a run that began half a minute ago."""
    now = RunClock.start()
    return RunClock(now.epoch_s - 30.0, now.epoch_wall_s - 30.0)


def test_samples_stand_at_the_runs_own_times(tmp_path: Path, clock: RunClock) -> None:
    """However wrong the server's clock is: its counter says when each was taken."""
    found, missing = collected(tmp_path, FarServer(clock, -60.0, 31.0), clock)
    t_s, cpu = found.get("checkout-service", CPU)
    assert t_s.size >= 31
    assert np.abs(t_s - cpu).max() <= 1.1
    assert found.get("checkout-service", "up")[1].tolist() == [1.0] * t_s.size
    assert missing == []


def test_what_was_not_scraped_is_no_data(tmp_path: Path, clock: RunClock) -> None:
    """A server that was down until T+20s: it was not up for the service either."""
    found, _ = collected(tmp_path, FarServer(clock, 20.0, 31.0), clock)
    t_s, up = found.get("checkout-service", "up")
    assert set(up[t_s < 19].tolist()) == {0.0}
    assert set(up[t_s > 21].tolist()) == {1.0}
    assert found.get("checkout-service", MEMORY)[0].min() > 18


def test_a_constant_that_was_scraped_no_more_is_on_record(tmp_path: Path, clock: RunClock) -> None:
    """Its last value would be taken for the one of the load's end."""
    rows = wanted((MetricSource(service="checkout", use=("hikaricp",)),))

    class Forgetful(FarServer):
        def series(self, row: Wanted, from_s: float, to_s: float, step_s: float) -> list[Series]:
            (every,) = super().series(row, from_s, to_s, step_s)
            if row.row.ours not in ("connection_pool_active", "connection_pool_max"):
                return []
            to = every.t_s < (15.0 if row.row.ours.endswith("_max") else np.inf) + AHEAD_S
            return [Series(row, {"pool": "a"}, every.t_s[to], np.full(int(to.sum()), 5.0))]

    run = RunDir(tmp_path / "run")
    run.root.mkdir()
    server = Forgetful(clock, -60.0, 31.0)
    after = AfterLoad(server, {"checkout-service": rows}, 1.0, 5.0)  # type: ignore[arg-type]
    assert not [*after.collect(run, clock, lambda: False)]
    (row,), _ = read_json_lines(run.events)
    assert row["event"] == "metrics_vanished"
    assert row["metrics"] == ["connection_pool_max/a"]
    assert 15 < row["from_s"] < 20


def test_an_end_that_nobody_scraped_is_said(tmp_path: Path, clock: RunClock) -> None:
    """Once ``settle`` is over; what there is of the run is kept."""
    found, missing = collected(tmp_path, FarServer(clock, -60.0, 20.0), clock, settle_s=0.0)
    ((subject, why),) = missing
    assert (subject, "the load's end was not scraped in time" in why) == ("checkout-service", True)
    assert found.get("checkout-service", MEMORY)[0].max() < 24


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"status":"error","errorType":"bad_data","error":"parse error\\n\\u001b[31m"}', "parse"),
        ("<html>log in</html>", "no answer of a Prometheus"),
        ('{"status":"success","data":{}}', "result"),
        ('{"status":"success","data":{"result":[{"metric":{},"values":[["a","b"]]}]}}', ""),
        ("[1]", "status 200"),
        (None, "503"),
    ],
)
def test_an_answer_that_is_none_is_no_data(
    tmp_path: Path, clock: RunClock, text: str | None, says: str
) -> None:
    """And said, without what a terminal would obey."""
    with exporter("") as stranger:
        stranger.text = text
        found, missing = collected(tmp_path, PrometheusServer(stranger.url, 2.0), clock)
    ((_, why),) = missing
    assert why.startswith("Prometheus gave no good answer")
    assert says in why
    assert "\x1b" not in why
    assert found.values == {}


def test_one_that_does_not_answer_costs_its_deadline(tmp_path: Path, clock: RunClock) -> None:
    """Nothing listens there."""
    found, missing = collected(tmp_path, PrometheusServer("http://127.0.0.1:9", 1.0), clock)
    assert len(missing) == 1
    assert found.values == {}


def test_the_token_goes_to_prometheus_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a bearer's; the other variable is for pages."""
    monkeypatch.setenv("LOADGATE_PROMETHEUS_TOKEN", "token-of-prometheus")
    monkeypatch.setenv("LOADGATE_METRICS_TOKEN", "token-of-pages-only")
    with exporter('{"status":"success","data":{"result":[1,"2"]}}') as it:
        assert PrometheusServer(it.url, 2.0).now_s() == 2.0
    (asked,) = it.asked
    assert asked["Authorization"] == "Bearer token-of-prometheus"


def test_a_long_run_is_asked_for_in_pieces(clock: RunClock) -> None:
    """Of an hour each, so that no answer is refused for its length."""
    with exporter('{"status":"success","data":{"result":[]}}') as it:
        PrometheusServer(it.url, 2.0).series(ROWS[0], 0.0, 3 * 3600.0, 1.0)
    assert len(it.asked) == 3
    with pytest.raises(NO_GOOD_ANSWER):
        PrometheusServer(it.url, 1.0).series(ROWS[0], 0.0, 10.0, 1.0)
