"""Requests of k6, JMeter and Vegeta, read into a tally."""

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from analysis.statistics.percentiles import quantile
from harness.foreign.jmeter import DEFAULT
from harness.foreign.reading import read_foreign
from harness.foreign.steps import Steps
from harness.foreign.tally import Tally
from recording.histogram import Histogram, merge
from recording.outcomes import OK
from tests.harness.foreign import files

FIXTURES = Path(__file__).parents[2] / "fixtures" / "foreign"
VEGETA = Steps({"GET /browse": "browse"})
Writer = Callable[[Sequence[files.Request]], str]
FORMATS: dict[str, tuple[Writer, Steps]] = {
    "k6-csv": (files.k6_csv, Steps()),
    "jtl": (lambda r: files.jtl(r, ("elapsed", "success", "label", "timeStamp")), Steps()),
    "jtl without header": (lambda r: files.jtl(r, DEFAULT, header=False), Steps()),
    "vegeta-csv": (files.vegeta_csv, VEGETA),
    "vegeta-json": (files.vegeta_json, VEGETA),
}


def read(tmp_path: Path, data: bytes, steps: Steps | None = None) -> Tally:
    path = tmp_path / "results"
    path.write_bytes(data)
    found = read_foreign(path, steps or Steps())
    assert found.digest.sha256 == hashlib.sha256(data).hexdigest()
    assert found.digest.bytes == len(data)
    return found.tally


def of_step(tally: Tally, step: str) -> Histogram:
    return merge(i.histogram for i in tally.intervals() if i.tag.step == step)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same_of_the_same_requests(name: str, tmp_path: Path) -> None:
    """Counts by step and outcome, the span, and latencies to the bucket."""
    requests = files.traffic()
    write, steps = FORMATS[name]
    tally = read(tmp_path, write(requests).encode(), steps)
    assert tally.requests == len(requests)
    for step in ("browse", "GET /cart"):
        expected = Histogram.from_values([r.latency_us for r in requests if r.name == step])
        found = of_step(tally, step)
        assert (found.indices == expected.indices).all()
        assert (found.counts == expected.counts).all()
    failed = sum(i.histogram.n for i in tally.intervals() if i.tag.outcome != OK)
    assert failed == sum(not r.ok for r in requests)
    first, last = requests[0].begin_us, max(r.begin_us + r.latency_us for r in requests)
    assert tally.span.begin_us == first
    assert 0 <= tally.span.end_us - last <= 1000


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        gzip.compress,
        lambda data: data.replace(b"\n", b"\r\n", 40),
        lambda data: data.replace(b"\n", b"\n\n", 3),
        lambda data: data.rstrip(b"\n"),
    ],
    ids=["BOM", "gzip", "mixed CRLF", "empty lines", "no last line end"],
)
def test_how_a_file_was_stored_changes_nothing(
    name: str, spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Every request is there."""
    write, steps = FORMATS[name]
    data = write(files.traffic(60)).encode()
    assert read(tmp_path, spoil(data), steps).requests == 60


@pytest.mark.parametrize("name", FORMATS)
def test_a_last_line_that_was_cut_off_is_left_out_and_counted(name: str, tmp_path: Path) -> None:
    """What a killed tool leaves; everything before it stays."""
    write, steps = FORMATS[name]
    path = tmp_path / "results"
    data = write(files.traffic(60)).encode()
    path.write_bytes(data[: data.rstrip(b"\n").rfind(b"\n") + 8])
    found = read_foreign(path, steps)
    assert (found.tally.requests, found.cut) == (59, 1)


def test_pieces_end_where_records_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with commas, quotes and line ends is one name however the file is cut."""
    monkeypatch.setattr("harness.foreign.source.PIECE_BYTES", 61)
    odd = 'a,"b"\nc\n\n"'
    requests = [files.Request(odd, files.BEGAN_S * 1_000_000 + i, 1000) for i in range(50)]
    tally = read(tmp_path, files.jtl(requests, DEFAULT).encode())
    assert tally.requests == 50
    assert len(tally.steps) == 1


def test_k6s_own_files_say_what_its_summary_says() -> None:
    """Counts, failures and, within a bucket and k6's interpolation, median and maximum."""
    told = json.loads((FIXTURES / "k6-summary.json").read_text())["metrics"]
    for name in ("k6.csv.gz", "k6.json.gz"):
        tally = read_foreign(FIXTURES / name, Steps()).tally
        assert tally.requests == told["http_req_duration"]["count"]
        good = merge(i.histogram for i in tally.intervals() if i.tag.outcome == OK)
        expected = told["http_req_duration{expected_response:true}"]
        assert good.n == expected["count"] == told["http_req_failed"]["fails"]
        assert good.max_us == pytest.approx(1000 * expected["max"], rel=1e-3)
        median_us = quantile(good.values_us, good.counts, 0.5)
        assert median_us == pytest.approx(1000 * expected["med"], rel=0.03)


def test_k6_tells_timeouts_and_refusals() -> None:
    """By its error codes; a timeout's latency is a lower bound."""
    tally = read_foreign(FIXTURES / "k6.json.gz", Steps()).tally
    outcomes = {i.tag.step: i.tag.outcome for i in tally.intervals()}
    assert (outcomes["slow"], outcomes["refused"]) == ("timeout", "connection_refused")


@pytest.mark.parametrize(
    ("time", "divided"), [("s", 10**6), ("ms", 1000), ("us", 1), ("RFC 3339", 0)]
)
def test_k6s_time_formats_are_told_apart(time: str, divided: int, tmp_path: Path) -> None:
    """K6_CSV_TIME_FORMAT is not in the file."""
    end_us = files.BEGAN_S * 1_000_000 + 500_000
    said = end_us // divided if divided else "2026-11-28T13:20:00.5Z"
    text = f"metric_name,timestamp,metric_value,name\nhttp_req_duration,{said},100.0,a\n"
    tally = read(tmp_path, text.encode())
    expected_us = end_us // divided * divided if divided else tally.span.begin_us + 100_000
    assert tally.span.begin_us == expected_us - 100_000


def test_a_transaction_of_jmeter_is_no_request(tmp_path: Path) -> None:
    """It is the sum of requests that are there too."""
    text = (
        "timeStamp,elapsed,label,responseMessage,success\n"
        "1795872000000,10,a,OK,true\n"
        '1795872000000,10,all,"Number of samples in transaction : 1, number of failing samples : 0"'
        ",true\n"
    )
    assert read(tmp_path, text.encode()).steps == ("a",)


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_jmeters_other_delimiters(delimiter: str, tmp_path: Path) -> None:
    """jmeter.save.saveservice.default_delimiter is not in the file."""
    text = files.jtl(files.traffic(20), ("timeStamp", "elapsed", "label", "success"))
    assert read(tmp_path, text.replace(",", delimiter).encode()).requests == 20


def test_jmeter_without_success_or_code_says_nothing_of_failures(tmp_path: Path) -> None:
    """Unknown is not ok."""
    text = files.jtl(files.traffic(20), ("timeStamp", "elapsed", "label"))
    outcomes = {i.tag.outcome for i in read(tmp_path, text.encode()).intervals()}
    assert outcomes == {"untold"}


def test_long_files_get_longer_intervals(tmp_path: Path) -> None:
    """Two days are still some hundred intervals, and no request is lost."""
    hours = np.arange(48 * 60)
    requests = [files.Request("a", (files.BEGAN_S + int(m) * 60) * 1_000_000, 1000) for m in hours]
    tally = read(tmp_path, files.k6_csv(requests).encode())
    assert tally.slot_s == 512
    assert sum(i.histogram.n for i in tally.intervals()) == len(requests)
