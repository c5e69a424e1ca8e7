"""What was asked of the shop, and what of it failed."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from analysis.pictures.canvas import Canvas
from analysis.report.chart import Chart
from recording.metric_names import LOCUST, USERS
from recording.outcomes import is_failure
from recording.profile import JOURNEY

_MOST_KINDS = 7
"""Of failures that have a line of their own."""


def load(canvas: Canvas) -> Iterator[Chart]:
    """Users, and requests per second of each step."""
    users = canvas.curve("users", *canvas.case.evidence.load.get(LOCUST, USERS))
    yield from canvas.over_time("Users", "users", [users], "Load")
    t_s = np.array([start_s + length_s / 2 for start_s, length_s in canvas.blocks.items()])
    rates = []
    for step, blocks in canvas.requests.items():
        per_s = {block.start_s: block.histogram.n / block.length_s for block in blocks}
        y = np.array([per_s.get(start_s, 0.0) for start_s in canvas.blocks])
        rates.append(canvas.curve(step, t_s, y))
    yield from canvas.over_time("Requests begun", "req/s", rates, "Load")


def failures(canvas: Canvas) -> Iterator[Chart]:
    """Share of all requests that failed, by step and by what became of them."""
    middles_s: dict[float, float] = {}
    total: Counter[float] = Counter()
    failed: dict[str, Counter[float]] = {}
    for step, blocks in canvas.requests.items():
        for block in blocks:
            middles_s[block.start_s] = block.start_s + block.length_s / 2
            total[block.start_s] += block.histogram.n
            for outcome in filter(is_failure, block.outcomes):
                of_kind = failed.setdefault(f"{step}: {outcome}", Counter())
                of_kind[block.start_s] = block.outcomes[outcome]
    starts = sorted(total)
    t_s = np.array([middles_s[start] for start in starts])
    curves = [
        canvas.curve(kind, t_s, np.array([100 * failed[kind][at] / total[at] for at in starts]))
        for kind in sorted(failed, key=lambda kind: -failed[kind].total())[:_MOST_KINDS]
    ]
    limits = canvas.limits_of(JOURNEY, "error_rate")
    yield from canvas.over_time(
        "Failed, by step and kind", "% of requests", curves, "Failures", limits
    )
