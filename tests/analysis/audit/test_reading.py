"""Figures as printed, and the files that they are read from."""

import shutil
from pathlib import Path

import pytest

from analysis.audit.catalogue import Audit, audit
from analysis.published.figures import COUNT, LATENCY, PERCENT, RATE, SIZE, Units, read
from analysis.published.intervals import Interval
from analysis.published.moments import read_clock, read_elapsed
from analysis.published.reading import read_published
from recording.errors import ConfigError

PUBLISHED = Path(__file__).parents[2] / "fixtures" / "published"


@pytest.mark.parametrize(
    ("text", "units", "low", "high"),
    [
        ("89ms", LATENCY, 88.5, 89.5),
        ("2,104 ms", LATENCY, 2103.5, 2104.5),
        ("300 ms", LATENCY, 250, 350),
        ("0.30 s", LATENCY, 295, 305),
        ("0 %", PERCENT, 0, 0.005),
        ("100 %", PERCENT, 0.995, 1.005),
        ("2,800/min", RATE, 2750 / 60, 2850 / 60),
        ("14,247,891", COUNT, 14_247_891, 14_247_891),
        ("2,400", COUNT, 2350, 2450),
        ("~20", COUNT, 19.5, 20.5),
        ("48.7M", COUNT, 48.65e6, 48.75e6),
        ("1.8GB", SIZE, 1.75 * 2**30, 1.85 * 2**30),
    ],
)
def test_a_printed_figure_is_an_interval(text: str, units: Units, low: float, high: float) -> None:
    """Half a unit of the last digit that says something, either way."""
    found = read(text, units)
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize(
    "text", ["", "-3 ms", "89", "89 furlongs", "1,2 ms", "nan ms", "9e999 ms", None, 3]
)
def test_what_is_no_figure_is_refused(text: object) -> None:
    """And it says what may be written."""
    with pytest.raises(ValueError, match="number"):
        read(text, LATENCY)


def test_arithmetic_on_intervals_holds_every_result() -> None:
    """Also over zero."""
    a, b = Interval(1, 2), Interval(-1, 3)
    assert (a - b, a * b) == (Interval(-2, 3), Interval(-2, 6))
    assert (a / b).meets(1e300)
    assert not (1.0 - a).meets(0.5)


def test_moments_know_their_precision() -> None:
    """A minute, or a millisecond."""
    moment = read_elapsed("T+36h+2m")
    assert (moment.s, moment.unit_s) == (129_720, 60)
    clock = read_clock("2025-09-22 14:14:22.401 UTC")
    assert (clock.s % 3600, clock.unit_s) == (pytest.approx(862.401), 0.001)
    for wrong in ("T+", "6h", "T+6x"):
        with pytest.raises(ValueError, match="T\\+6h14m"):
            read_elapsed(wrong)
    with pytest.raises(ValueError, match="month"):
        read_clock("2025-13-22 14:14")


def audited(path: Path) -> Audit:
    return audit(read_published(path), path.name)


@pytest.mark.parametrize(
    "name",
    ["shop_stats.csv", "shop_failures.csv", "k6-summary-export.json", "k6-handle-summary.json"],
)
def test_what_locust_and_k6_wrote_contradicts_nothing(name: str) -> None:
    """Files of real runs, read as they are."""
    found = audited(PUBLISHED / name)
    assert (found.contradictions, found.questions) == ((), ())
    assert found.checked > 20


@pytest.mark.parametrize(
    ("name", "was", "instead", "says"),
    [
        ("shop_stats.csv", "GET,/browse,891", "GET,/browse,981", "requests of the endpoints"),
        ("shop_stats.csv", "28.13833250235058", "38.13833250235058", "endpoints' means"),
        ("shop_stats.csv", "4668,22,", "4668,162,", "in total p50 162 ms"),
        ("shop_failures.csv", "(code=503),9", "(code=503),7", "failures of POST /start"),
        ("shop_stats_history.csv", "190,1187,6", "190,87,6", "a counter falls"),
        ("k6-summary-export.json", '"avg": 59.703', '"avg": 79.703', "sending + waiting"),
        ("k6-handle-summary.json", '"fails": 915', '"fails": 900', "failed + not failed"),
    ],
)  # fmt: skip
def test_an_edited_file_is_found_out(
    tmp_path: Path, name: str, was: str, instead: str, says: str
) -> None:
    """Also across the files that Locust writes beside each other."""
    shutil.copytree(PUBLISHED, tmp_path / "files")
    path = tmp_path / "files" / name
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, instead, 1))
    assert [it for it in audited(path).contradictions if says in it.says]


def test_our_csv_is_the_table_of_endpoints(tmp_path: Path) -> None:
    """With a row for the total."""
    path = tmp_path / "table.csv"
    path.write_text("name,requests,mean,max\na,100,10 ms,90 ms\nb,300,20 ms,\ntotal,500,18 ms,\n")
    said = [it.says for it in audited(path).contradictions]
    assert said == [
        "requests of the endpoints add up to 400, the total says 500",
    ]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "{", "cannot be read as JSON"),
        ("a.json", '{"title": NaN}', "NaN is no number"),
        ("a.json", '{"title": "a", "title": "b"}', "'title' is there twice"),
        ("a.json", '{"endpoint": []}', "did you mean 'endpoints'?"),
        ("a.json", '{"endpoints": [{"name": "a", "mean": "9"}]}', "endpoints.0.mean = '9'"),
        ("a.json", '{"x":' + "[" * 100_000, "nested too deeply"),
        ("a.json", '{"orders": [{"made_by": "buy"}]}', "no endpoint 'buy'"),
        ("a.json", '{"metrics": {}}', "k6 made no HTTP request"),
        ("a.json", '{"metrics": {"http_reqs": {"count": [], "rate": null}}}', "totals.0.requests"),
        ("a.csv", "", "no table of results"),
        ("a.csv", "a,b\n1,2\n", "no table of results"),
        ("a.csv", "name,requests\na\n", "row 2 has not as many fields"),
        ("a.csv", "name,requests\na,1,2\n", "row 2 has not as many fields"),
        ("a.csv", "Name,Request Count,Failure Count,Requests/s\n,0,0,0\n", "no request was made"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, text: str, says: str) -> None:
    """With the file's name, and nothing is audited."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_published(path)
    assert str(path) in str(raised.value)
    assert says in str(raised.value)
