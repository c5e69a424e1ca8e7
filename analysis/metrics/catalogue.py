"""Every metric that a rule can name. A new one is a file of this room and a word here."""

from collections.abc import Mapping
from types import MappingProxyType

from analysis.metrics import (
    availability,
    database,
    errors,
    forecast,
    latency,
    memory,
    orders,
    pools,
    process,
    reclaim,
)
from analysis.metrics.metric import Metric
from recording.flow import FLOW

_FILES = (
    latency, errors, pools, forecast, memory, process, orders, reclaim, database, availability,
)  # fmt: skip
METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for file in _FILES for metric in file.METRICS}
)


def kinds_of(subject: str) -> tuple[str, ...]:
    """The kinds of rule that a subject can have, among the services of this tree."""
    return tuple(dict.fromkeys(m.kind for m in METRICS.values() if m.of(FLOW, subject)))
