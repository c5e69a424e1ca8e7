"""What services say that they did in a stretch of a run, by their own counters."""

import numpy as np

from analysis.evidence.resources import carried, counter_growth
from analysis.evidence.run import Evidence
from analysis.evidence.stretches import Stretch
from recording.metric_names import HTTP_REQUESTS, POOL_ACQUIRE, UP


def served(evidence: Evidence, subject: str, stretch: Stretch) -> dict[str, float]:
    """Answers by status."""
    metrics = evidence.resources.metrics(subject)
    of_requests = (m for m in metrics if m.startswith(f"{HTTP_REQUESTS}/"))
    return {m.rpartition("/")[2]: _grown(evidence, subject, m, stretch) for m in of_requests}


def idle_pools(evidence: Evidence, subject: str, stretch: Stretch) -> list[str]:
    """Of several replicas' pools those that gave no connection then, though they did before.

    The first and the last moments of a stretch may belong to what was before and after it.
    """
    name, edge_s = f"{POOL_ACQUIRE}_count/", evidence.manifest.profile.sampling.interval
    inside = Stretch(stretch.start_s + edge_s, stretch.end_s - edge_s)
    if inside.end_s <= inside.start_s:
        return []
    pools = [m for m in evidence.resources.metrics(subject) if m.startswith(name)]
    before = Stretch(0.0, stretch.start_s)
    idle = [m for m in pools if _grown(evidence, subject, m, inside) < 1]
    used = [m for m in idle if _grown(evidence, subject, m, before) >= 1]
    return [m.removeprefix(name) for m in used] if len(idle) < len(pools) else []


def _grown(evidence: Evidence, subject: str, metric: str, stretch: Stretch) -> float:
    """Growth of a counter, between two samples as if it had been even.

    Of samples in which it did not change it has none of its own.
    """
    sampled_s, _ = evidence.resources.get(subject, UP)
    if not sampled_s.size:
        return 0.0
    t_s, steps = counter_growth(evidence, subject, metric)
    total = np.nan_to_num(carried(t_s, np.cumsum(steps), sampled_s))
    at_end, at_start = np.interp((stretch.end_s, stretch.start_s), sampled_s, total)
    return float(at_end - at_start)
