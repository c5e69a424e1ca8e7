"""How the pools of a service stand at this moment, by its newest samples."""

from collections.abc import Mapping

from analysis.capacity.trials import LEFT_OVER
from recording.metric_names import POOL_ACTIVE, POOL_MAX, POOL_WAITING

HOPELESS = 0.5
"""Callers who wait, as a share of the connections there are: no slot recovers from that."""


def queues_up(values: Mapping[str, float]) -> bool:
    """Whether so many callers wait that rules are broken by far."""
    waiting, size = _all(values, POOL_WAITING), _all(values, POOL_MAX)
    return size > 0 and waiting > max(1.0, HOPELESS * size)


def is_idle(values: Mapping[str, float]) -> bool:
    """Whether nobody waits for a connection, and next to none is in use."""
    in_use, size = _all(values, POOL_ACTIVE), _all(values, POOL_MAX)
    return not _all(values, POOL_WAITING) and in_use <= LEFT_OVER * size


def _all(values: Mapping[str, float], metric: str) -> float:
    """Of all pools and replicas together."""
    return sum(value for name, value in values.items() if name.partition("/")[0] == metric)
