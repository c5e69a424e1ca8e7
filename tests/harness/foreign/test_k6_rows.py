"""k6's CSV, whose other rows are passed over unparsed, against Python's csv module row by row."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.foreign.k6 import METRIC
from harness.foreign.reading import read_foreign
from harness.foreign.steps import Steps
from recording.histogram import Histogram
from recording.hlog import Tag
from recording.wire import encode
from tests.harness.foreign import files

COLUMNS = (
    "metric_name", "timestamp", "metric_value", "check", "error", "error_code",
    "expected_response", "name", "status", "extra_tags",
)  # fmt: skip
METRICS = (
    "http_reqs", METRIC, "http_req_blocked", f"{METRIC}_2", f"my_{METRIC}", "http_req_duratioM",
    "vus",
)  # fmt: skip
"""Some begin or end like that which is asked for, or are as long."""
ANSWERS = {
    ("", "true", "200"): "ok",
    ("", "", "302"): "ok",
    ("1500", "false", "500"): "http_500",
    ("", "false", "200"): "http_200",
    ("1050", "false", "0"): "timeout",
    ("1212", "", "0"): "connection_refused",
    ("1999", "", "0"): "error_1999",
    ("", "", ""): "failed",
}
"""What became of a request, by error code, whether it was expected, and status."""
PLAIN = ("browse", "GET /cart", "ünïcode ✓", "", METRIC)
QUOTED = ("a,b", f"{METRIC},", 'the "best"', f"two\n{METRIC},1,2\nlines")
Spoil = Callable[[str], bytes]
SPOILT: dict[str, Spoil] = {
    "as k6 writes it": lambda text: text.encode(),
    "BOM": lambda text: text.encode("utf-8-sig"),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "empty lines": lambda text: text.replace(f"\n{METRIC}", f"\n\n\n{METRIC}", 40).encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
}


def written(names: tuple[str, ...], n: int = 3000) -> str:
    """Requests of every name and outcome, among rows of other metrics; times to the ms."""
    draws = np.random.default_rng(7)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for number, ms in enumerate(draws.lognormal(4, 1.5, n).tolist()):
        end_ms = files.BEGAN_S * 1000 + 60_000 + int(draws.integers(0, 9000))
        code, expected, status = list(ANSWERS)[number % len(ANSWERS)]
        tags = ("", "", code, expected, names[number % len(names)], status, "a=1")
        for metric in METRICS:
            rows.writerow((metric, end_ms, f"{ms:.6f}", *tags))
    return text.getvalue()


def expected(data: bytes) -> dict[tuple[Tag, int], str]:
    """Each second's histogram of each step and outcome, encoded."""
    text = data.decode("utf-8-sig")
    values_us: dict[tuple[Tag, int], list[int]] = defaultdict(list)
    for row in csv.DictReader(io.StringIO(text, newline="")):
        if row["metric_name"] == METRIC:
            took_us = round(float(row["metric_value"]) * 1000)
            begin_us = int(row["timestamp"]) * 1000 - took_us
            outcome = ANSWERS[row["error_code"], row["expected_response"], row["status"]]
            (step,) = Steps().of([row["name"]]).values()
            values_us[Tag(step, outcome), begin_us // 1_000_000].append(took_us)
    return {key: encode(Histogram.from_values(of)) for key, of in values_us.items()}


@pytest.mark.parametrize("piece_bytes", [None, 777])
@pytest.mark.parametrize("names", [PLAIN, QUOTED + PLAIN], ids=["plain", "quoted"])
@pytest.mark.parametrize("how", SPOILT)
def test_every_request_is_where_it_belongs_to_the_bit(
    how: str, names: tuple[str, ...], piece_bytes: int | None, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whatever else the file has, however it was stored, and wherever a piece of it ends."""
    if piece_bytes is not None:
        monkeypatch.setattr("harness.foreign.source.PIECE_BYTES", piece_bytes)
    data = SPOILT[how](written(names, 3000 if piece_bytes is None else 80))
    path = tmp_path / "results"
    path.write_bytes(data)
    tally = read_foreign(path, Steps()).tally
    began_s = tally.span.begin_us / 1e6
    found = {(i.tag, int(began_s + i.start_s + 1e-6)): encode(i.histogram)
             for i in tally.intervals()}  # fmt: skip
    assert found == expected(data)
