"""Files that a disk, a kill or a second writer spoilt: refused, or every request is still there."""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.foreign.jmeter import DEFAULT
from harness.foreign.reading import read_foreign
from harness.foreign.steps import Steps
from harness.foreign.written import Window, write_run
from recording.errors import ConfigError
from recording.outcomes import CLOSED, UNTOLD
from tests.harness.foreign import files

FIXTURES = Path(__file__).parents[2] / "fixtures" / "foreign"
ODD = (
    "", "0", "-1", "nan", "inf", "1e300", "1e17", "9223372036854775808", "1e-400", "x", "\0" * 9,
    '"', '""', "true", "a,b", "{}", "null", "1795872000000", "\ufeff", "\r", "12:00", "1,5",
)  # fmt: skip


def hlog(requests: Sequence[files.Request]) -> str:
    """A log of all of them, a line a second."""
    lines = []
    for second in range(20):
        values = HdrHistogram(1, 3_600_000_000, 3)
        took = [r.latency_us for r in requests if r.begin_us // 10**6 - files.BEGAN_S == second]
        for us in took:
            values.record_value(us)
        encoded = values.encode().decode()
        lines.append(f"{second + 0.5},1.0,{max(took, default=0) / 1000},{encoded}\n")
    return f"#[StartTime: {files.BEGAN_S}]\n{''.join(lines)}"


WRITERS: dict[str, Callable[[Sequence[files.Request]], str]] = {
    "k6.csv": files.k6_csv,
    "jtl": lambda r: files.jtl(r, DEFAULT),
    "few.jtl": lambda r: files.jtl(r, ("timeStamp", "elapsed", "label", "success")),
    "vegeta.csv": files.vegeta_csv,
    "vegeta.json": files.vegeta_json,
    "x_stats.csv": lambda _: (FIXTURES / "locust_stats.csv").read_text(),
    "x_stats_history.csv": lambda _: (FIXTURES / "locust_stats_history.csv").read_text(),
    "x.hlog": hlog,
}
TEXTS = {name: write(files.traffic(200)) for name, write in WRITERS.items()}


@pytest.mark.parametrize("name", WRITERS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_a_spoilt_file_is_read_or_refused(name: str, seed: int, tmp_path: Path) -> None:
    """Cells, lines and bytes that are none: never anything but an error that says where."""
    draws, path = random.Random(seed), tmp_path / name
    lines = TEXTS[name].split("\n")
    for _ in range(draws.choice((1, 1, 3))):
        at = draws.randrange(len(lines))
        cells = lines[at].split(",")
        cells[draws.randrange(len(cells))] = draws.choice(ODD)
        lines[at] = draws.choice((",".join(cells), lines[at][: draws.randrange(99)], lines[0], "x"))
    data = "\n".join(lines).encode()
    path.write_bytes(data[: draws.choice((len(data), draws.randrange(len(data))))])
    said = ""
    try:
        write_run(tmp_path / "runs", read_foreign(path, Steps()), Window())
    except ConfigError as error:
        said = str(error)
    assert not said or said.startswith(str(path))
    assert said.isprintable()


def test_no_row_of_a_spoilt_file_is_left_out(tmp_path: Path) -> None:
    """Whatever stands in one: the file is refused, or all its requests are counted."""
    whole = TEXTS["few.jtl"].splitlines()
    for n, odd in enumerate(ODD[1:-1]):
        for column in range(4):
            cells = whole[7].split(",")
            cells[column] = odd
            path = tmp_path / f"{n}-{column}"
            path.write_text("\n".join([*whole[:7], ",".join(cells), *whole[8:]]) + "\n")
            try:
                said = f"{read_foreign(path, Steps()).tally.requests} requests"
            except ConfigError as error:
                said = str(error)
            assert re.search(rf"^{len(whole) - 1} requests$|line [89]", said)


def test_absent_tags_of_k6_say_nothing_of_failures(tmp_path: Path) -> None:
    """Whoever leaves them out (--system-tags) has neither failures nor successes."""
    path = tmp_path / "k6.csv"
    path.write_text("metric_name,timestamp,metric_value,name\nhttp_req_duration,1795872000,1,a\n")
    (interval,) = read_foreign(path, Steps()).tally.intervals()
    assert interval.tag.outcome == UNTOLD


def test_vegetas_answer_with_an_error_is_none(tmp_path: Path) -> None:
    """Its status is that of the head; the body never came."""
    path = tmp_path / "vegeta.csv"
    path.write_text("1795872000000000000,200,9,0,0,unexpected EOF,,,0,GET,http://a/\n")
    (interval,) = read_foreign(path, Steps()).tally.intervals()
    assert interval.tag.outcome == CLOSED


def log_line(second: float, value: int, maximum_ms: float) -> str:
    values = HdrHistogram(1, 3_600_000_000_000_000, 3)
    values.record_value(value)
    return f"{second},1.0,{maximum_ms},{values.encode().decode()}\n"


@pytest.mark.parametrize(
    ("line", "unit", "said"),
    [
        (log_line(2, 2000, 2000), None, "line 3: its values have another unit"),
        (log_line(2, 10**15, 10**18), "s", "line 2: its highest value is .* 1 h: say --unit"),
        (log_line(2, 2000, 2).replace(",1.0,", ",1e300,"), None, "line 3: .*more than 60 days"),
        (log_line(2, 2000, 2).replace(",1.0,", ",1e18,"), None, "line 3: .*more than 60 days"),
    ],
)
def test_a_log_of_values_that_cannot_be_is_refused(
    line: str, unit: str | None, said: str, tmp_path: Path
) -> None:
    """Of two units, of years, and of intervals without an end."""
    path = tmp_path / "x.hlog"
    first = line if unit else log_line(1, 2000, 2)
    path.write_text(f"#[StartTime: {files.BEGAN_S}]\n{first}{line}")
    with pytest.raises(ConfigError, match=said):
        read_foreign(path, Steps(), unit=unit)


def test_a_second_log_in_a_file_has_its_own_beginning(tmp_path: Path) -> None:
    """Its times are not taken for those of the first, and the hole between them is said."""
    path, line = tmp_path / "x.hlog", log_line(1, 2000, 2)
    path.write_text(
        f"#[StartTime: {files.BEGAN_S}]\n{line}#[StartTime: {files.BEGAN_S + 900}]\n{line}"
    )
    found = read_foreign(path, Steps())
    assert found.tally.span.length_s == 901
    run = write_run(tmp_path / "runs", found, Window())
    said = (run.root / "manifest.json").read_text()
    assert "no request began from T+" in said
