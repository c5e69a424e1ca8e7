"""Files that mean no good: each is an error that says where, or no harm at all."""

import io
import os
from pathlib import Path

import pytest

from harness.foreign.jmeter import DEFAULT
from harness.foreign.reading import read_foreign
from harness.foreign.steps import MOST_CHARS, Steps, parse_steps
from recording.errors import ConfigError
from recording.hlog import GENERATOR, Tag
from recording.profile import JOURNEY
from recording.text import plain
from tests.harness.foreign import files

K6 = "metric_name,timestamp,metric_value,name\n"
JTL = "timeStamp,elapsed,label,success\n"
VEGETA = "1795872000000000000,200,1000000,0,0,,,,0,GET,http://a/\n"
POINT = '{{"metric":"http_req_duration","type":"Point","data":{{"time":{},"value":{}}}}}\n'
K6_JSON = POINT.format('"2026-11-28T13:20:00Z"', 1)
WRONG = {
    "negative time": (f"{JTL}1795872000000,-5,a,true\n", "line 2: elapsed is -5: a number"),
    "nan": (f"{K6}http_req_duration,1795872000,NaN,a\n", "line 2: metric_value is NaN"),
    "inf": (f"{JTL}1795872000000,inf,a,true\n", "line 2: elapsed is inf"),
    "aeons": (f"{K6}http_req_duration,1795872000,1e16,a\n", "line 2: metric_value is 1e16"),
    "no number": (f"{JTL}1795872000000,fast,a,true\n", "line 2: elapsed is fast"),
    "no latency": (f"{JTL}1795872000000,,a,true\n", "line 2: elapsed is nothing"),
    "a day of 1970": (f"{JTL}1795872000000,5,a,true\n\n12,5,a,true\n", "line 4: timeStamp is 12"),
    "no time": (f"{K6}http_req_duration,now,1,a\n", "line 2: timestamp is now: a moment"),
    "after a field of three lines": (
        f'{JTL}1795872000000,5,"a\nb\nc",true\n1795872000000,x,a,true\n', "line 5: elapsed is x",
    ),
    "too many fields": (f"{JTL}1795872000000,5,a,b,true\n", "line 2: 5 fields, and there are 4"),
    "an open quote": (f'{JTL}1795872000000,5,"a,true\n' + "x\n" * 200, "line 2: no end: a quote"),
    "no column": ("timeStamp,label\n1795872000000,a\n", "no header with timeStamp, elapsed, label"),
    "no request": (f"{K6}vus,1795872000,3,\n", "k6 CSV without any request"),
    "days apart": (
        f"{JTL}1595872000000,5,a,true\n1795872000000,5,a,true\n", "2,315 days apart",
    ),
    "vegeta's code": (VEGETA.replace(",200,", ",2000,"), "line 1: code is 2000: an HTTP status"),
    "vegeta's latency": (VEGETA + VEGETA.replace("1000000", "-1", 1).replace(
        "1795872000000-1000000", "1795872000000000000"), "line 2"),
    "no JSON": (f"{K6_JSON}{{nope}}\n{K6_JSON}", "line 2: is no JSON object"),
    "a list": (f"{K6_JSON}[1]\n", "line 2: metric is nothing: the name"),
    "JSON's latency": (
        K6_JSON + POINT.format('"2026-11-28T13:20:00Z"', '"x"'), "line 2: value is x",
    ),
    "JSON's time": (K6_JSON + POINT.format('"noon"', 1), "line 2: time is noon: a moment between"),
    "XML": ("<?xml version='1.0'?>\n<testResults>", "is XML: let JMeter write CSV"),
    "UTF-16": (f"{JTL}1795872000000,5,a,true\n".encode("utf-16"), "is UTF-16"),
    "a cut gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b", "cannot be read: "),
    "endless": (f"{JTL}1795872000000,1e300,a,true\n", "line 2: elapsed is 1e300: a number"),
    "k6's endless": (f"{K6}http_req_duration,1795872000,1e17,a\n", "line 2: metric_value is 1e17"),
    "JSON's endless": (POINT.format('"2026-11-28T13:20:00Z"', "1e300"), "line 1: value is 1e+300"),
    "vegeta's endless": (
        VEGETA + VEGETA.replace("0,200,1000000", "0,200,9e30"), "line 2: latency is 9e30",
    ),
    "a short row": (f"{JTL}1795872000000,5,a,true\n1795872000000,5\n", "line 3: 2 fields, and th"),
    "a short row among quotes": (
        f'{JTL}1795872000000,5,"a,""\n",true\n1795872000000,5,a\n1795872000000,5,b,true\n',
        "line 4: 3 fields",
    ),
    "a log's line": (f"{JTL}1795872000000,5,a,true\n\ndisk full\n\n", "line 4: 1 fields"),
    "a line of NULs": (f"{JTL}1795872000000,5,a,true\n{chr(0) * 99}\n", "line 3: 1 fields"),
    "an unreadable row": (
        "timeStamp,elapsed,label\n1795872000000,5,a\n,,\nx,y,\n", "line 4: is no result of a req",
    ),
    "vegeta's short row": (f"{VEGETA}1795872000000000000,200\n{VEGETA}", "line 2: 2 fields, and"),
    "two files in one": (
        f"{K6}http_req_duration,1795872000,1,a\n{K6}http_req_duration,1795872000,1,a\n",
        "line 3: timestamp is timestamp",
    ),
    "columns of one name": (
        f"timeStamp,elapsed,label,elapsed\n{JTL}", "line 1: more than one column is called elapsed",
    ),
    "ends of lines": (f"{JTL}1795872000000,5,a,true\n".replace("\n", "\r"), "end in CR alone"),
    "slower than an hour": (f"{K6}http_req_duration,1795872000,10800000,a\n", "no more than 1 h"),
    "k6's row without a name": (
        f"{K6}http_req_duration,1795872000,1,a\n,1795872000,9000,a\n",
        "line 3: metric_name is nothing",
    ),
    "k6's name after a blank": (
        f"{K6}http_req_duration,1795872000,1,a\n http_req_duration,1795872000,9000,a\n",
        "line 3: metric_name is http_req_duration: the name of a metric",
    ),
    "JSON's row of no type": (
        K6_JSON + K6_JSON.replace('"Point"', "null"), "line 2: type is nothing: Metric or Point",
    ),
    "JSON's row of another type": (K6_JSON + K6_JSON.replace("Point", "point"), "type is point"),
    "anything": ("to be or not to be\n", "its beginning is that of no results"),
    "a word of 2 MB": ("x" * 2_000_000, "its beginning is that of no results"),
    "one line for Macs": ("a,b\rc,d\r", "its lines end in CR alone"),
    "nothing": ("", "its beginning is that of no results"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_line(name: str, tmp_path: Path) -> None:
    """And with column, text and what is allowed."""
    data, said = WRONG[name]
    path = tmp_path / "results"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(ConfigError) as caught:
        read_foreign(path, Steps())
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_fifo_or_folder_is_not_waited_for(tmp_path: Path) -> None:
    """No regular file is no results."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigError, match="not a regular file"):
            read_foreign(path, Steps())


NAMES = (
    'a,"b"', "line\nend", "nul\x00", "\u202egnp.exe", "x" * 1_000_000, GENERATOR, JOURNEY,
    "orders", "::error::boo", "a/b/c", "a%20b", "=1+1", "", " ", "\ud7ff", "ünïcode ✓", "a@head",
)  # fmt: skip


def test_hostile_names_are_steps_of_their_own(tmp_path: Path) -> None:
    """Plain, short, none taken for something else, and each is found again in the log's tag."""
    requests = [files.Request(n, files.BEGAN_S * 1_000_000, 1000) for n in NAMES if n.strip()]
    path = tmp_path / "results"
    path.write_text(files.jtl(requests, DEFAULT), newline="")
    tally = read_foreign(path, Steps()).tally
    assert len(tally.steps) == len(requests)
    for step in tally.steps:
        assert step == plain(step)
        assert len(step) <= MOST_CHARS + len(" (12345678)")
        assert step not in (GENERATOR, JOURNEY, "orders")
        tag = Tag(step, "ok")
        assert Tag.parse(str(tag)) == tag


def test_too_many_names_are_refused_with_what_to_do(tmp_path: Path) -> None:
    """A name per product is no step; a pattern puts them together."""
    requests = [files.Request(f"/p/{i}", files.BEGAN_S * 1_000_000, 1000) for i in range(1001)]
    path = tmp_path / "results"
    path.write_text(files.jtl(requests, DEFAULT))
    with pytest.raises(ConfigError, match=r"more than 1,000 request names: .* --step"):
        read_foreign(path, Steps())
    assert read_foreign(path, parse_steps(["/p/*=detail"])).tally.steps == ("detail",)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("browse", "write old=new"),
        ("=browse", "write old=new"),
        ("a=generator", "no step can be called that"),
        ("a=journey", "no step can be called that"),
        ("a=b\nc", "no step can be called that"),
    ],
)
def test_a_renaming_says_what_is_wrong_with_it(option: str, said: str) -> None:
    """Before anything is read."""
    with pytest.raises(ConfigError, match=said):
        parse_steps([option])


def test_a_renaming_that_fits_nothing_is_an_error(tmp_path: Path) -> None:
    """It is a slip of the pen, and its rules would have no data."""
    path = tmp_path / "results"
    path.write_text(files.jtl(files.traffic(5), DEFAULT))
    with pytest.raises(ConfigError, match="no request of this name; did you mean 'browse'"):
        read_foreign(path, parse_steps(["browsing=detail"]))


def test_a_clock_that_went_back_costs_no_request(tmp_path: Path) -> None:
    """They are put in order of time."""
    requests = files.traffic(50)
    path = tmp_path / "results"
    path.write_text(files.jtl([*requests[25:], *requests[:25]], DEFAULT))
    tally = read_foreign(path, Steps()).tally
    assert tally.span.begin_us == requests[0].begin_us
    starts = [i.start_s for i in tally.intervals()]
    assert starts == sorted(starts)


def test_a_record_without_an_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not held until memory ends."""
    monkeypatch.setattr("harness.foreign.source.PIECE_BYTES", 1000)
    monkeypatch.setattr("harness.foreign.source.MOST_RECORD_BYTES", 10_000)
    text = io.StringIO()
    text.write(JTL + '1795872000000,5,"')
    text.write("x\n" * 10_000)
    path = tmp_path / "results"
    path.write_text(text.getvalue())
    with pytest.raises(ConfigError, match=r"line 2: no end within .* never closed"):
        read_foreign(path, Steps())


def test_too_many_kinds_of_failure_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error code for every request is no outcome."""
    monkeypatch.setattr("harness.foreign.tally.MOST_TAGS", 20)
    head = "metric_name,timestamp,metric_value,error_code\n"
    rows = (f"http_req_duration,1795872000,1,{code}\n" for code in range(2000, 2021))
    path = tmp_path / "results"
    path.write_text(head + "".join(rows))
    with pytest.raises(ConfigError, match="more than 20 names with their failures"):
        read_foreign(path, Steps())
