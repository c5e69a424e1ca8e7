"""What services say that they did in a stretch of a run, by their own counters."""

import numpy as np

from analysis.evidence.resources import counter_growth
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch
from recording.metric_names import HTTP_REQUESTS, POOL_ACQUIRE


def served(evidence: Evidence, subject: str, stretch: Stretch) -> dict[str, float]:
    """Answers by status."""
    metrics = evidence.resources.metrics(subject)
    of_requests = (m for m in metrics if m.startswith(f"{HTTP_REQUESTS}/"))
    return {m.rpartition("/")[2]: _grown(evidence, subject, m, stretch) for m in of_requests}


def idle_pools(evidence: Evidence, subject: str, stretch: Stretch) -> list[str]:
    """Of several replicas' pools those that gave no connection then, though they did before."""
    name = f"{POOL_ACQUIRE}_count/"
    pools = [m for m in evidence.resources.metrics(subject) if m.startswith(name)]
    before = Stretch(0.0, stretch.start_s)
    idle = [m for m in pools if _grown(evidence, subject, m, stretch) < 1]
    used = [m for m in idle if _grown(evidence, subject, m, before) >= 1]
    return [m.removeprefix(name) for m in used] if len(idle) < len(pools) else []


def _grown(evidence: Evidence, subject: str, metric: str, stretch: Stretch) -> float:
    """Growth of a counter, between samples as if it had been even."""
    t_s, steps = counter_growth(evidence, subject, metric)
    if not t_s.size:
        return 0.0
    at_end, at_start = np.interp((stretch.end_s, stretch.start_s), t_s, np.cumsum(steps))
    return float(at_end - at_start)
