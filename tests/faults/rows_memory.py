"""Memory that leaks, fills, is collected or steps, and services that restart.

One of a kind is fast: tests/analysis/memory and test_restarts.py try its neighbours.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from analysis.evidence.memory import ServiceMemory
from analysis.limits.rules import parse_rule
from analysis.limits.thresholds import parse_thresholds
from analysis.memory.judge import judge_memory
from analysis.metrics.memory import by_interval
from analysis.words.units import BYTES_PER_MB
from benchmarks.studies.memory_traces import GROWTHS, HOUR_S, Floats, bent_leak
from recording.exitcodes import ExitCode
from tests.analysis.memory.test_real_series import series
from tests.analysis.recordings import SERVICES, Recording
from tests.faults.fault import Fault, Seen, judged

RULE = parse_rule("slope < 10 MB/h")
RESTARTS = parse_thresholds(
    '[journey]\nlatency = ["p99 < 300 ms"]\n'
    + "".join(f'[{service}]\nprocess = ["restarts == 0"]\n' for service in SERVICES)
)
NO_LEAK = "PASS|INCONCLUSIVE"
"""A trace may be too short to tell a filling from a leak."""


def _seen(t_s: Floats, mb: Floats) -> Seen:
    """What a rule of 10 MB/h says of a series, in its words."""
    verdict = judge_memory(t_s, mb * BYTES_PER_MB)
    memory = ServiceMemory("cart-service", verdict, len(t_s), mb[0], float(mb.max()), None)
    outcome, _ = by_interval(RULE, memory, memory.slowest, memory.verdict.ci_high)
    return Seen(ExitCode[outcome.value].value, memory.explanation, outcome.value)


def _row(
    name: str,
    how: str,
    trace: Callable[[], tuple[Floats, Floats]],
    verdict: str,
    says: str,
    fast: bool = False,
) -> Fault:
    return Fault(name, 6, how, lambda _: _seen(*trace()), verdict, says=says, fast=fast)


def _leak(growth: str, sigma_mb: float, dips: int) -> tuple[Floats, Floats]:
    t_s = np.linspace(0.0, HOUR_S, 720)
    rng = np.random.default_rng([7, dips])
    return t_s, bent_leak(rng, t_s, growth, 100.0, sigma_mb, dips)


def _shaped(shape: Callable[[Floats], Floats], hours: float) -> tuple[Floats, Floats]:
    """300 MB and what the shape adds over a share of the trace, noise 0.5 MB."""
    x = np.linspace(0.0, 1.0, 900)
    noise = np.random.default_rng(11).normal(0.0, 0.5, len(x))
    return x * hours * HOUR_S, 300.0 + shape(x) + noise


def _filled(tau: float, x: Floats) -> Floats:
    return np.asarray(200 * (1 - np.exp(-x / tau)), dtype=np.float64)


def _leaks() -> Iterator[Fault]:
    for growth in GROWTHS:
        for dips in (0, 1, 2):
            how = f"100 MB in an hour like {growth}, {dips} give-backs of up to a fifth"
            trace = partial(_leak, growth, 0.5, dips)
            yield _row(
                f"leak like {growth} with {dips} dips", how, trace, "FAIL", "^grows", dips == 1
            )


def _no_leaks() -> Iterator[Fault]:
    for hours in (1 / 6, 1, 8, 48):
        for tau in (0.05, 0.12, 0.25):
            name = f"cache that fills within {tau:g} of {hours:.3g} h"
            trace = partial(_shaped, partial(_filled, tau), hours)
            yield _row(name, "1 - exp(-t/tau)", trace, NO_LEAK, "^(?!grows|stable)", hours == 1)
        steps = partial(_shaped, lambda x: np.where(x > 0.4, 80.0, 0.0), hours)
        yield _row(
            f"step within {hours:.3g} h", "80 MB at once", steps, NO_LEAK, "^(?!grows)", hours == 1
        )
        teeth = partial(_shaped, lambda x: 100.0 * ((x * 7.3) % 1.0), hours)
        yield _row(
            f"sawtooth of {hours:.3g} h", "7.3 teeth", teeth, NO_LEAK, "^(?!grows)", hours == 1
        )
        flat = partial(_shaped, lambda x: 0.0 * x, hours)
        yield _row(f"flat for {hours:.3g} h", "noise only", flat, "PASS", "^stable", hours == 1)


def _published() -> Iterator[Fault]:
    told = (
        ("leak-16h", 20.0, "FAIL", "^grows"),
        ("leak-30min", 5.0, "FAIL", "^grows"),
        ("slow-leak-24h", 0.05, "PASS", "^grows"),
        ("after-fix-19h", 8.0, "PASS", "^rose and levelled off"),
        ("converges-8h", 0.5, "PASS", "^rose and levelled off"),
    )
    for name, sigma_mb, verdict, says in told:
        trace = partial(series, name, sigma_mb, 1)
        yield _row(f"published series {name}", "as published", trace, verdict, says)


def _restarted(folder: Path, restarted_s: dict[str, tuple[int, ...]]) -> Seen:
    recording = Recording(restarted_s=restarted_s, judged=("latency", "process"))
    return judged(recording.write(folder / "run"), RESTARTS)


def _restarts() -> Iterator[Fault]:
    for service in SERVICES:
        for at_s in (3, 25, 39):
            do = partial(_restarted, restarted_s={service: (at_s,)})
            yield Fault(
                f"{service} restarts at {at_s} s", item=6, how="its CPU counter falls", do=do,
                verdict="FAIL", says=f"{service} restarted before T\\+{at_s}s",
                fast=(service, at_s) == ("cart-service", 25),
            )  # fmt: skip


ROWS = [*_leaks(), *_no_leaks(), *_published(), *_restarts()]
