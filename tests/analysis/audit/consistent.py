"""A run that is simulated, and a report on it: every figure from the samples, rounded to print."""

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

import numpy as np

H = 3600.0
SERVICES = "shop", "till"


@dataclass(frozen=True)
class Printer:
    """Prints to so many significant digits."""

    digits: int

    def __call__(self, value: float, unit: str = "") -> str:
        """``1,235 ms``, ``0.0123 %``."""
        if value == 0:
            return f"0 {unit}".strip()
        decimals = self.digits - 1 - floor(log10(abs(value)))
        text = f"{round(value, decimals):,.{max(decimals, 0)}f}"
        return f"{text} {unit}".strip()


def report(rng: np.random.Generator, digits: int) -> dict[str, Any]:
    """All sections of the schema, of one run."""
    out = Printer(digits)
    samples = [_latencies(rng) for _ in range(int(rng.integers(2, 6)))]
    think = sorted(rng.uniform(0.5, 6, 2))
    users = int(rng.integers(50, 3000))
    everything = np.concatenate(samples)
    cycle_s = (round(think[0], 1) + round(think[1], 1)) / 2 + everything.mean() / 1e3
    rate = users / cycle_s
    duration_s = ceil(len(everything) / rate)
    rate = len(everything) / duration_s
    rows = [_endpoint(i, it, rng, out, duration_s) for i, it in enumerate(samples)]
    return {
        "load": {
            "users": f"{users}",
            "duration": f"{duration_s} s",
            "think_time": {key: f"{v:.1f} s" for key, v in zip(("min", "max"), think, strict=True)},
            "phases": [
                {
                    "start": "T+0s",
                    "end": f"T+{duration_s}s",
                    "users_from": str(users),
                    "users_to": str(users),
                }
            ],
        },
        "endpoints": [row for row, _ in rows],
        "totals": [_total(everything, rows, out, rate)],
        "services": [_service(name, samples, rows, out) for name in SERVICES],
        **_orders(rows, samples, out),
        **_pool(rng, out, rows, duration_s, samples),
        **_series(rng, out),
        **_operations(rng, out),
    }


def _latencies(rng: np.random.Generator) -> np.ndarray:
    n = int(rng.integers(3_000, 20_000))
    return np.asarray(rng.lognormal(rng.uniform(2, 6), rng.uniform(0.2, 0.9), n)) + 1.0


def _figures(it: np.ndarray, out: Printer) -> dict[str, str]:
    quantiles = {"p50": 50, "p95": 95, "p99": 99}
    made = {name: out(float(np.percentile(it, q)), "ms") for name, q in quantiles.items()}
    ends = {"min": float(it.min()), "mean": float(it.mean()), "max": float(it.max())}
    return made | {name: out(value, "ms") for name, value in ends.items()}


def _endpoint(
    i: int, it: np.ndarray, rng: np.random.Generator, out: Printer, duration_s: float
) -> tuple[dict[str, Any], int]:
    failures = int(rng.binomial(len(it), rng.choice([0, 0.001, 0.02])))
    row = {
        "name": f"step {i}",
        "service": SERVICES[i % 2],
        "calls": ["lock"] if i == 0 else [],
        "requests": f"{len(it):,}",
        "failures": f"{failures:,}",
        "failure_share": out(100 * failures / len(it), "%"),
        "rate": out(len(it) / duration_s, "/s"),
        "peak_rate": out(1.1 * len(it) / duration_s, "/s"),
        **_figures(it, out),
    }
    return row, failures


def _total(
    it: np.ndarray, rows: list[tuple[dict[str, Any], int]], out: Printer, rate: float
) -> dict[str, Any]:
    failures = sum(failed for _, failed in rows)
    return {
        "requests": f"{len(it):,}",
        "of": f"{len(it):,}",
        "failures": f"{failures:,}",
        "success_share": f"{100 - 100 * failures / len(it):.3f} %",
        "rate": out(rate, "/s"),
        "peak_rate": out(1.1 * rate, "/s"),
        **_figures(it, out),
    }


def _service(
    name: str, samples: list[np.ndarray], rows: list[tuple[dict[str, Any], int]], out: Printer
) -> dict[str, Any]:
    mine = [i for i, (row, _) in enumerate(rows) if row["service"] == name]
    it = np.concatenate([samples[i] for i in mine])
    failures = sum(rows[i][1] for i in mine)
    return {"name": name, "failure_share": out(100 * failures / len(it), "%"), **_figures(it, out)}


def _orders(
    rows: list[tuple[dict[str, Any], int]], samples: list[np.ndarray], out: Printer
) -> dict[str, Any]:
    last, before = len(rows) - 1, len(rows) - 2
    n, failed = len(samples[last]), rows[last][1]
    sent = sum(map(len, samples))
    names = [row["name"] for row, _ in rows]
    fewer, more = sorted((before, last), key=lambda i: len(samples[i]))
    share = 100 * len(samples[fewer]) / len(samples[more])
    orders = {"made_by": names[last], "completed": str(n - failed), "in_database": str(n - failed)}
    return {
        "orders": [orders | {"peak_rate": rows[last][0]["peak_rate"]}],
        "funnel": [{"before": names[more], "after": names[fewer], "share": out(share, "%")}],
        "gateways": [{"name": "ingress", "requests": out(sent / 1e6, "M")}],
    }


def _pool(
    rng: np.random.Generator,
    out: Printer,
    rows: list[tuple[dict[str, Any], int]],
    duration_s: float,
    samples: list[np.ndarray],
) -> dict[str, Any]:
    size, replicas, waiting = (int(rng.integers(2, 500)) for _ in range(3))
    per_s = 1.1 * len(samples[0]) / duration_s
    failures = ceil(waiting * 120 / 5)
    share = {"error_share": out(100 * failures / (120 * per_s), "%")} if per_s > waiting else {}
    target, used = 0.8, rng.uniform(0.9, 1.5)
    wanted = ceil(replicas * used / target - 1e-9)
    pool = {
        "name": "locks",
        "service": "lock",
        "max": str(size),
        "replicas": str(replicas),
        "in_use": str(size * replicas),
        "waiting": str(waiting),
        "concurrent": str(size * replicas + waiting),
        "timeout": "5 s",
        "window": "120 s",
        "failures": str(failures),
        **share,
    }
    scaled = {
        "at": "T+10m",
        "utilization": f"{100 * used:.2f} %",
        "replicas_from": str(replicas),
        "replicas_to": str(wanted),
    }
    after = {
        "start": "T+20m",
        "end": "T+40m",
        "utilization": f"{100 * used * replicas / wanted:.2f} %",
        "replicas": str(wanted),
    }
    scaler = {"service": "lock", "target": "80 %", "max_replicas": "9999", "scaled": [scaled]}
    return {"pools": [pool], "autoscalers": [scaler | {"means": [after]}]}


def _series(rng: np.random.Generator, out: Printer) -> dict[str, Any]:
    hours = np.arange(9) * 6
    lag = rng.uniform(0.01, 0.4, 9)
    cpu, cores = rng.uniform(0.05, 0.9), rng.uniform(0.1, 8)
    slope = rng.uniform(5, 80)
    began = 1_758_528_000 + int(rng.integers(0, 86_400))
    moments = sorted(int(it) for it in rng.integers(60, 400_000, 6))
    return {
        "series": [
            {
                "name": "lag",
                "points": _points(hours, [out(v, "s") for v in lag]),
                "peaks": [{"where": "here", "value": out(float(lag.max()), "s")}],
                "averages": [
                    {"where": "here", "value": out(float(np.trapezoid(lag, hours) / 48), "s")}
                ],
            },
            {
                "name": "cpu seconds",
                "counter": True,
                "cpu": out(100 * cpu, "%"),
                "points": _points(hours, [out(cpu * cores * h * H, "s") for h in hours]),
            },
            {
                "name": "memory",
                "points": _points(hours, [out(200 + slope * h, "MB") for h in hours]),
                "words": [
                    {"where": "here", "start": "T+0h", "end": "T+48h", "says": "linear"},
                    {"where": "", "start": "T+0h", "end": "T+48h", "rate": out(slope, "MB/h")},
                ],
            },
        ],
        "events": [
            {"where": f"place {i % 3}", "what": f"event {i}", "at": _elapsed(s), **_wall(began + s)}
            for i, s in enumerate(moments)
        ],
        "log": [{"where": "log", "id": f"r-{n}", "request": f"body {n % 3}"} for n in (1, 2, 3, 9)],
        "sizes": [
            {"where": "log", "bytes": str(n), "printed": out(n / 2**20, "MB")}
            for n in rng.integers(10**6, 10**9, 4).tolist()
        ],
    }


def _points(hours: np.ndarray, values: list[str]) -> list[dict[str, str]]:
    return [{"at": f"T+{h}h", "value": value} for h, value in zip(hours, values, strict=True)]


def _elapsed(s: int) -> str:
    """Cut to the minute."""
    return f"T+{s // 3600}h{s % 3600 // 60}m"


def _wall(s: int) -> dict[str, str]:
    return {"clock": str(np.datetime64(s, "s")).replace("T", " ")}


def _operations(rng: np.random.Generator, out: Printer) -> dict[str, Any]:
    down_min = rng.uniform(0.1, 40)
    up = 100 - 100 * down_min / (30 * 1440)
    left = 100 - 100 * (100 - up) / 0.1
    kept = {"budget_left": f"{left:.1f} %"} if left > 0 else {}
    parts = [int(it) for it in rng.integers(0, 2_000, 4)]
    severities = [f"P{it}" for it in rng.integers(1, 5, 7)]
    return {
        "availability": [
            {
                "name": "shop",
                "period": "30 d",
                "uptime": f"{up:.3f} %",
                "target": "99.9 %",
                "downtime": out(down_min, "min"),
                **kept,
            }
        ],
        "incidents": [{"id": f"I-{i}", "severity": it} for i, it in enumerate(severities)],
        "incident_counts": [
            {"where": "", "count": str(severities.count(it)), "severities": [it]}
            for it in set(severities)
        ],
        "sums": [{"what": "alerts", "whole": str(sum(parts)), "parts": [str(it) for it in parts]}],
        "shares": [
            {
                "what": "disk",
                "part": out(800.4, "GB"),
                "whole": out(2000.3, "GB"),
                "share": out(100 * 800.4 / 2000.3, "%"),
            }
        ],
    }
