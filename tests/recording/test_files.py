"""The other files of a run directory: JSON lines, series, orders, manifest."""

import sqlite3
from pathlib import Path

import pytest

from recording.errors import ConfigError, NotARunError, StorageError
from recording.jsonl import JsonLinesWriter, read_json_lines
from recording.ledgers import read_orders
from recording.load import Load, Phase
from recording.manifest import Manifest, read_manifest, write_manifest
from recording.orders import ConfirmedOrdersWriter
from recording.orders_reader import read_confirmed
from recording.profile import Profile
from recording.rundir import create_run_dir, list_runs, open_run_dir
from recording.series import (
    LONG_HEADER,
    MOST_NAMES,
    SERIES_HEADER,
    Sample,
    SeriesRows,
    SeriesWriter,
)
from recording.series_reader import Series, read_series
from recording.timetable import phases_of

LOAD = Load(phases=(Phase(name="only", duration=1, users=1, measured=True),))


def manifest(run_id: str = "r") -> Manifest:
    return Manifest(
        run_id=run_id,
        profile=Profile(name="p", load=LOAD),
        started_utc="2025-09-22T08:00:00+00:00",
        epoch_wall_s=0.0,
    )


def test_json_lines_cut_at_any_byte_keep_whole_lines(tmp_path: Path) -> None:
    """Every prefix is readable; a cut-off line is counted."""
    path = tmp_path / "events.jsonl"
    writer = JsonLinesWriter(path)
    writer.write({"event": "a", "t_s": 1.5}, {"event": "b"})
    writer.close()
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        rows, damaged = read_json_lines(path)
        assert len(rows) == data[:cut].count(b"\n")
        assert damaged == bool(data[:cut].rpartition(b"\n")[2])


def test_lines_that_are_not_objects_are_damage(tmp_path: Path) -> None:
    """A number or a list is no event."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "a"}\n7\n[1]\nnonsense\n')
    assert read_json_lines(path) == ([{"event": "a"}], 3)


def test_series_come_back_by_subject_and_metric(tmp_path: Path) -> None:
    """Times and values of one metric, in time order, full precision."""
    path = tmp_path / "resources.csv"
    writer = SeriesWriter(path)
    writer.write([Sample(2.0, "cart", "rss", 7.0), Sample(1.0, "cart", "rss", 1 / 3)])
    writer.write([Sample(1.0, "cart", "up", 1.0), Sample(1.0, "checkout", "up", 0.0)])
    writer.close()
    series = read_series(path)
    t_s, values = series.get("cart", "rss")
    assert (t_s.tolist(), values.tolist()) == ([1.0, 2.0], [1 / 3, 7.0])
    assert series.subjects("up") == ["cart", "checkout"]
    assert series.metrics("cart") == ["rss", "up"]
    assert series.get("cart", "none")[0].size == 0


def samples_in(series: Series) -> int:
    """Number of samples of all metrics together."""
    return sum(t_s.size for t_s, _ in series.values.values())


def test_series_cut_at_any_byte_stay_readable(tmp_path: Path) -> None:
    """Whole lines are kept, whatever the cut leaves of the last one."""
    path = tmp_path / "resources.csv"
    writer = SeriesWriter(path)
    writer.write(Sample(float(i), "cart", "rss", 100.0 + i) for i in range(5))
    writer.close()
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        series = read_series(path)
        assert samples_in(series) == max(0, data[:cut].count(b"\n") - 2)
        assert bool(series.damaged_lines) == bool(data[:cut].rpartition(b"\n")[2])


def test_confirmed_orders_come_back(tmp_path: Path) -> None:
    """Ids and times as written; a cut-off id is not an order."""
    path = tmp_path / "confirmed.csv"
    writer = ConfirmedOrdersWriter(path)
    writer.write([(1.0, "ord-lt-00001", ""), (2.5, "ord-lt-00002", "head")])
    writer.close()
    assert read_confirmed(path)[0]["order_id"].to_list() == ["ord-lt-00001", "ord-lt-00002"]
    assert read_confirmed(path)[0]["arm"].to_list() == ["", "head"]
    path.write_bytes(path.read_bytes()[:-4])
    assert read_confirmed(path)[0]["order_id"].to_list() == ["ord-lt-00001"]
    path.write_text("t_s,order_id\n1.000,ord-lt-00001\n")  # as older runs have it
    assert read_confirmed(path)[0].rows() == [(1.0, "ord-lt-00001", "")]
    assert read_confirmed(tmp_path / "none.csv")[0].is_empty()


ODD_IDS = (
    "a,b",
    'say "x"',
    "two\nlines",
    "cr\rlf\r\n",
    "süß",
    "日本",
    '"',
    ",",
    " ",
    "a\x00b",
    "'",
)


def test_order_ids_with_anything_in_them_come_back(tmp_path: Path) -> None:
    """Commas, quotes, line ends and letters of any alphabet: the shop chooses its ids."""
    path = tmp_path / "confirmed.csv"
    writer = ConfirmedOrdersWriter(path)
    writer.write([(1.0, order_id, "head") for order_id in ODD_IDS])
    writer.close()
    found, damaged = read_confirmed(path)
    assert damaged == 0
    assert found.rows() == [(1.0, order_id, "head") for order_id in ODD_IDS]


DAMAGED_ORDERS = (
    b"1.000,ord-\xff,\n", b"nan,ord-1,\n", b"inf,ord-1,\n", b"-1,ord-1,\n", b"1e309,ord-1,\n",
    b"1.000,ord-1\n", b"1.000,ord-1,,\n", b"1.000,,\n", b"x,ord-1,\n", b'1.000,"ord-1,\n', b"1.0",
    b"\n",
)  # fmt: skip


@pytest.mark.parametrize("line", DAMAGED_ORDERS)
def test_a_damaged_order_is_counted(tmp_path: Path, line: bytes) -> None:
    """No number, no id, no UTF-8, too few or too many cells: one damaged line, the rest stays."""
    path = tmp_path / "confirmed.csv"
    path.write_bytes(b"t_s,order_id,arm\n1.000,ord-1,\n" + line)
    found, damaged = read_confirmed(path)
    assert (found["order_id"].to_list(), damaged) == (["ord-1"], 1)


@pytest.mark.parametrize("header", [b"x\n", b"t_s\n", b"t_s,order_id,arm", b"\xff\n", b"\n"])
def test_orders_without_their_first_line_are_damage(tmp_path: Path, header: bytes) -> None:
    """A file of something else has no orders."""
    path = tmp_path / "confirmed.csv"
    path.write_bytes(header)
    found, damaged = read_confirmed(path)
    assert (found.is_empty(), damaged) == (True, 1)


@pytest.mark.parametrize(
    "cells", ["nan,1", "inf,1", "-1,1", "1e309,1", "1,nan", "1,inf", "1,1e300", "1,x", "x,1"]
)
def test_samples_that_are_no_finite_numbers_are_damage(tmp_path: Path, cells: str) -> None:
    """In time or in value, and in either form of the file."""
    t_s, value = cells.split(",")
    path = tmp_path / "load.csv"
    path.write_text(f"{SERIES_HEADER}names,a,n,m\n1.0,a,,2\n{t_s},a,7,{value}\n")
    series = read_series(path)
    assert (samples_in(series), series.damaged_lines) == (1, 1)
    path.write_text(f"{LONG_HEADER}1.0,a,m,2.0\n{t_s},a,m,{value}\n")
    series = read_series(path)
    assert (samples_in(series), series.damaged_lines) == (1, 1)


@pytest.mark.parametrize("row", ["2.0,a,1", "2.0,a,1,2,3", "2.0,b,1,2", "2.0", "", "names,a"])
def test_a_row_that_does_not_fit_its_names_is_damage(tmp_path: Path, row: str) -> None:
    """Nobody can say which metrics its values are of."""
    path = tmp_path / "load.csv"
    path.write_text(f"{SERIES_HEADER}names,a,m,n\n1.0,a,2,3\n{row}\n4.0,a,5,6\n")
    series = read_series(path)
    assert (samples_in(series), series.damaged_lines) == (4, 1)
    assert [s.value for s in SeriesRows().samples(path.read_text())][-4:] == [2, 3, 5, 6]


SAMPLES = (
    Sample(1.0, "cart", "up", 1.0), Sample(1.0, "cart", "rss", 1e9),
    Sample(1.0, "shop", "up", 0.0), Sample(2.0, "cart", "rss", 1 / 3),
    Sample(2.0, "cart", "rss", 5.0), Sample(3.0, "cart", "late", 2.0**60),
    Sample(4.0, "cart", "up", -0.5),
)  # fmt: skip


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Rows with holes, a metric that appears late, two values of one moment, another writer."""
    path = tmp_path / "resources.csv"
    for some in (SAMPLES[:3], SAMPLES[3:]):
        with SeriesWriter(path) as writer:
            writer.write(some)
    assert tuple(SeriesRows().samples(path.read_text())) == SAMPLES
    series = read_series(path)
    assert series.damaged_lines == 0
    whole = {
        Sample(t_s, *key, value)
        for key, (times, values) in series.values.items()
        for t_s, value in zip(times.tolist(), values.tolist(), strict=True)
    }
    assert whole == set(SAMPLES)


def test_a_value_that_is_the_one_before_is_said_so(tmp_path: Path) -> None:
    """Not where that is no shorter, nor beyond one that was not sampled; both ways of reading."""
    path = tmp_path / "resources.csv"
    buckets = [120.0, 120.0, 7.0, 7.0, 0.25, 0.25, 0.25]
    with SeriesWriter(path) as writer:
        writer.write(Sample(1.0, "cart", f"b{n}", value) for n, value in enumerate(buckets))
        writer.write([Sample(2.0, "cart", "b0", 33.0), Sample(2.0, "cart", "b2", 33.0)])
    assert path.read_text().splitlines()[-2:] == [
        '1.000,cart,120,",7,7,0.25,","', "2.000,cart,33,,33,,,,"
    ]  # fmt: skip
    rows = list(SeriesRows().samples(path.read_text()))
    assert [s.value for s in rows] == [*buckets, 33.0, 33.0]
    series = read_series(path)
    assert [series.get("cart", f"b{n}")[1][0] for n in range(7)] == buckets
    assert series.get("cart", "b2")[1].tolist() == [7.0, 33.0]
    path.write_text(f'{SERIES_HEADER}names,a,m,n\n1.0,a,",2\n2.0,a,,"\n3.0,a,5,"\n')
    series = read_series(path)
    assert (samples_in(series), series.damaged_lines) == (2, 2)
    assert [s.value for s in SeriesRows().samples(path.read_text())] == [5.0, 5.0]


def test_names_that_come_once_do_not_fill_the_file(tmp_path: Path) -> None:
    """A replica with another name each time: what is gone is not named for ever."""
    path = tmp_path / "resources.csv"
    with SeriesWriter(path) as writer:
        for t_s in range(2000):
            writer.write([Sample(t_s, "cart", "up", 1.0), Sample(t_s, "cart", f"rss/{t_s}", 5.0)])
    rows = path.read_text().splitlines()
    assert max(row.count(",") for row in rows) <= MOST_NAMES + 1
    assert rows[-1].count(",") <= MOST_NAMES + 1
    found = list(SeriesRows().samples(path.read_text()))
    assert len(found) == 4000
    assert {s.metric for s in found if s.t_s == 1999} == {"up", "rss/1999"}


def test_a_file_of_before_is_read_as_it_grows(tmp_path: Path) -> None:
    """A line per sample, as up to format 3."""
    text = f"{LONG_HEADER}1.000,cart,up,1.0\n1.000,cart\nx,cart,up,1.0\n2.000,cart,rss,7.5\n"
    assert list(SeriesRows().samples(text)) == [
        Sample(1.0, "cart", "up", 1.0), Sample(2.0, "cart", "rss", 7.5),
    ]  # fmt: skip


def test_a_value_that_is_no_finite_number_is_no_sample(tmp_path: Path) -> None:
    """An exporter may say NaN or +Inf: nothing is known then, and nothing is spoilt."""
    path = tmp_path / "resources.csv"
    writer = SeriesWriter(path)
    writer.write(
        [Sample(1.0, "a", "m", float(text)) for text in ("nan", "inf", "-inf", "1e308", "3")]
    )
    writer.close()
    assert path.read_text() == f"{SERIES_HEADER}names,a,m\n1.000,a,3\n"


def test_a_ledger_is_read_and_a_spoilt_one_is_an_error(tmp_path: Path) -> None:
    """None without a file; ValueError for a file that is no ledger."""
    path = tmp_path / "orders.sqlite"
    assert read_orders(path) is None
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders(order_id TEXT, created_t_s REAL)")
    connection.execute("INSERT INTO orders VALUES ('ord-lt-00001', 3.5)")
    connection.commit()
    connection.close()
    found = read_orders(path)
    assert found is not None
    assert found.orders.to_dicts() == [{"t_s": 3.5, "order_id": "ord-lt-00001"}]
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(ValueError, match=r"orders\.sqlite"):
        read_orders(path)


def test_a_manifest_survives_its_file_and_every_cut_is_one_clear_error(tmp_path: Path) -> None:
    """Whole: equal. Cut anywhere: ConfigError that names the file."""
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest())
    assert read_manifest(path).model_dump() == manifest().model_dump()
    data = path.read_bytes()
    for cut in range(0, len(data) - 2, 7):
        path.write_bytes(data[:cut])
        with pytest.raises(ConfigError, match=r"manifest\.json"):
            read_manifest(path)


def test_phases_follow_the_generators_events() -> None:
    """A phase ends where the next begins; the last where the load ended, or not at all."""
    starts = [
        {"event": "phase_started", "phase": "ramp", "t_s": 2, "measured": False},
        {"event": "phase_started", "phase": "peak", "t_s": 5, "measured": True},
    ]
    cut = phases_of(starts)
    whole = phases_of([*starts, {"event": "phases_ended", "t_s": 9}])
    assert [(p.name, p.start_s, p.end_s) for p in cut] == [("ramp", 2, 5), ("peak", 5, None)]
    assert whole[1].end_s == 9


def test_run_directories_are_listed_newest_first(tmp_path: Path) -> None:
    """Only directories with a manifest count as runs."""
    (tmp_path / "notes").mkdir()
    names = []
    for number in range(3):
        run = create_run_dir(tmp_path, f"p{number}")
        write_manifest(run.manifest, manifest(run.root.name))
        names.append(run.root.name)
    assert [run.root.name for run in list_runs(tmp_path)] == sorted(names, reverse=True)
    assert list_runs(tmp_path / "none") == []


def test_a_folder_without_manifest_is_not_a_run(tmp_path: Path) -> None:
    """Both a missing path and any other folder are usage errors."""
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(NotARunError):
            open_run_dir(path)


def test_runs_that_cannot_be_created_are_storage_errors(tmp_path: Path) -> None:
    """A file in the way of runs/ is named."""
    (tmp_path / "runs").write_text("")
    with pytest.raises(StorageError, match="runs"):
        create_run_dir(tmp_path / "runs", "p")
