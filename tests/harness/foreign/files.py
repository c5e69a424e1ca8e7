"""The same requests as each tool's documentation says that it writes them."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recording.outcomes import OK

BEGAN_S = 1_795_872_000


@dataclass(frozen=True)
class Request:
    """``begin_us`` since 1970."""

    name: str
    begin_us: int
    latency_us: int
    ok: bool = True

    @property
    def outcome(self) -> str:
        return OK if self.ok else "http_500"


def traffic(n: int = 400, seed: int = 1) -> list[Request]:
    """Lognormal latencies of two names over 20 s, some of them failures."""
    draws = np.random.default_rng(seed)
    latency_us = np.rint(draws.lognormal(10.5, 0.8, n) / 1000).astype(int) * 1000
    begin_us = BEGAN_S * 1_000_000 + np.sort(draws.integers(0, 20_000, n)) * 1000
    return [
        Request(("browse", "GET /cart")[i % 2], int(begin), int(took), i % 50 != 1)
        for i, (begin, took) in enumerate(zip(begin_us, latency_us, strict=True))
    ]


def jtl(requests: Sequence[Request], columns: Sequence[str], *, header: bool = True) -> str:
    """JMeter's CSV with these columns."""
    rows = ({
        "timeStamp": r.begin_us // 1000, "elapsed": r.latency_us // 1000, "label": r.name,
        "responseCode": 200 if r.ok else 500, "responseMessage": "OK", "threadName": "t 1-1",
        "dataType": "text", "success": str(r.ok).lower(), "failureMessage": "",
        "bytes": 10, "sentBytes": 10, "grpThreads": 1, "allThreads": 1, "URL": "http://shop",
        "Latency": 1, "IdleTime": 0, "Connect": 0,
    } for r in requests)  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def k6_csv(requests: Sequence[Request]) -> str:
    """k6's CSV with times in ms (K6_CSV_TIME_FORMAT=unix_milli)."""
    lines = ["metric_name,timestamp,metric_value,error_code,expected_response,name,status"]
    for r in requests:
        end_ms, ms = (r.begin_us + r.latency_us) // 1000, r.latency_us / 1000
        tags = f'"{r.name}",200' if r.ok else f'"{r.name}",500'
        code = "" if r.ok else 1500
        lines += [
            f"{metric},{end_ms},{value:.6f},{code},{str(r.ok).lower()},{tags}"
            for metric, value in (("http_reqs", 1), ("http_req_duration", ms))
        ]
    return "\n".join(lines) + "\n"


def vegeta_csv(requests: Sequence[Request]) -> str:
    """Vegeta's CSV of version 12: ns, no header."""
    rows = (
        (r.begin_us * 1000, 200 if r.ok else 500, r.latency_us * 1000, 0, 2, "", "b2s=", "", i,
         "GET", f"http://127.0.0.1:1/{r.name.removeprefix('GET /')}?x={i}", "")
        for i, r in enumerate(requests)
    )  # fmt: skip
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def vegeta_json(requests: Sequence[Request]) -> str:
    """Vegeta's JSON lines."""
    return "".join(
        json.dumps({
            "attack": "", "seq": i, "code": 200 if r.ok else 500, "error": "",
            "timestamp": datetime.fromtimestamp(r.begin_us / 1e6, UTC).isoformat(),
            "latency": r.latency_us * 1000, "bytes_out": 0, "bytes_in": 2, "body": "b2s=",
            "method": "GET", "url": f"http://127.0.0.1:1/{r.name.removeprefix('GET /')}?x={i}",
            "headers": {},
        }) + "\n"
        for i, r in enumerate(requests)
    )  # fmt: skip
