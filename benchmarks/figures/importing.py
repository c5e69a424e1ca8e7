"""(f) Importing 10 million rows of k6's CSV, beside DuckDB asked for the same quantiles.

python -m benchmarks.figures.importing ours FILE         # what the children do; print JSON
python -m benchmarks.figures.importing duckdb FILE LIBRARY
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures.child import ask
from benchmarks.figures.figure import Figure, Peer, at_most

PART = "f"
ROWS = 10_000_000
LIMIT_MB, LIMIT_TIMES = 1024.0, 1.5
DUCKDB = "2.0.1"
"""For this figure only."""
_METRICS = (
    "http_reqs", "http_req_duration", "http_req_blocked", "http_req_connecting",
    "http_req_tls_handshaking", "http_req_sending", "http_req_waiting", "http_req_receiving",
    "http_req_failed",
)  # fmt: skip
"""Rows of each request, as k6 1.1.0 writes them."""
_HEADER = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,"
    "proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata\n"
)
_STEPS = ("browse", "detail", "add_to_cart", "charge", "confirm")
_AT_ONCE = 50_000
_RATE = 1000
"""Requests/s."""
_ASKED = """
SELECT name, count(*), quantile_disc(metric_value, [0.5, 0.95, 0.99])
FROM read_csv('{file}') WHERE metric_name = 'http_req_duration' GROUP BY name ORDER BY name
"""


def measure(scratch: Path | None = None, rows: int = ROWS) -> list[Figure]:
    """The figures of part (f)."""
    with tempfile.TemporaryDirectory(prefix="loadgate-bench-", dir=scratch) as folder:
        file = Path(folder) / "k6.csv"
        _write(file, rows // len(_METRICS))
        ours = ask("benchmarks.figures.importing", "ours", str(file))
        library = _install(Path(folder))
        theirs = ask("benchmarks.figures.importing", "duckdb", str(file), library)
        size_mb = file.stat().st_size / 1e6
    return list(_figures(ours, theirs, rows, size_mb))


def _figures(
    ours: dict[str, Any], theirs: dict[str, Any], rows: int, size_mb: float
) -> Iterator[Figure]:
    seconds, peak_mb = ours["seconds"], ours["peak_mb"]
    name = f"import {rows / 1e6:g} million rows"
    furthest = max(
        abs(a / b - 1)
        for step, of in theirs["quantiles"].items()
        for a, b in zip(ours["quantiles"][step], of, strict=True)
    )
    limit = at_most(seconds, LIMIT_TIMES * theirs["seconds"], "s")
    peer = Peer(f"DuckDB {DUCKDB}, the same quantiles", theirs["seconds"])
    yield Figure(PART, name, seconds, "s", **limit, peer=peer, note=f"{size_mb:,.0f} MB of k6 CSV")
    memory = Peer(f"DuckDB {DUCKDB}", theirs["peak_mb"])
    limit = at_most(peak_mb, LIMIT_MB, "MB")
    yield Figure(PART, f"{name}, peak memory", peak_mb, "MB", **limit, peer=memory)
    limit = at_most(100 * furthest, 0.1, "%")
    yield Figure(PART, "its quantiles, furthest from DuckDB's", 100 * furthest, "%", **limit)


def _write(file: Path, requests: int) -> None:
    """Lognormal latencies, 1 % failures; the same bytes each time."""
    draws = np.random.default_rng(1)
    with file.open("w") as out:
        out.write(_HEADER)
        for first in range(0, requests, _AT_ONCE):
            numbers = range(first, min(requests, first + _AT_ONCE))
            took_ms = draws.lognormal(4, 0.7, len(numbers)).tolist()
            out.write("".join(map(_of_request, numbers, took_ms)))


def _of_request(number: int, ms: float) -> str:
    step, failed = _STEPS[number % len(_STEPS)], number % 100 == 0
    code, good, status = ("1500", "false", 500) if failed else ("", "true", 200)
    tags = f",,,{code},{good},,GET,{step},HTTP/1.1,default,,{status},,,http://shop/{step},,\n"
    at = 1_795_872_000 + number // _RATE
    values = (1.0, ms, 0.01, 0.0, 0.0, 0.05, ms - 0.1, 0.05, float(failed))
    return "".join(
        f"{name},{at},{value:.6f}{tags}" for name, value in zip(_METRICS, values, strict=True)
    )


def _install(folder: Path) -> str:
    library = folder / "duckdb"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--target", str(library), f"duckdb=={DUCKDB}"],
        capture_output=True, timeout=180, check=True,
    )  # fmt: skip
    return str(library)


def _import(file: Path) -> dict[str, object]:
    """Read it, write the run directory, and read the quantiles from that."""
    from analysis.evidence.requests import samples
    from analysis.evidence.run import load_evidence
    from harness.foreign.reading import read_foreign
    from harness.foreign.steps import Steps
    from harness.foreign.written import Window, write_run
    from recording.hlog import LATENCY

    before_s = time.perf_counter()
    run = write_run(file.parent, read_foreign(file, Steps()), Window())
    found = samples(load_evidence(run), LATENCY)
    quantiles = {
        step: [found[step].measure(metric).value for metric in ("p50", "p95", "p99")]
        for step in _STEPS
    }
    return _answer(before_s, quantiles)


def _duckdb(file: Path, library: str) -> dict[str, object]:
    sys.path.insert(0, library)
    import duckdb  # type: ignore[import-not-found]

    before_s = time.perf_counter()
    rows = duckdb.sql(_ASKED.format(file=file)).fetchall()
    return _answer(before_s, {name: quantiles for name, _, quantiles in rows})


def _answer(before_s: float, quantiles: dict[str, list[float]]) -> dict[str, object]:
    return {
        "seconds": time.perf_counter() - before_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "quantiles": quantiles,
    }


if __name__ == "__main__":
    asked, file, *more = sys.argv[1:]
    print(json.dumps(_import(Path(file)) if asked == "ours" else _duckdb(Path(file), *more)))
