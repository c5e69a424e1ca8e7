"""Reads a service's ``/metrics`` page into the flat names of ``resources.csv``.

``connection_pool_active{pool="locks",replica="0"}`` becomes ``connection_pool_active/locks/0``.
Only what the judge reads is kept; docs/architecture.md lists it. Exporters name labels as they
like, so nothing is told by a label's place: labels that we do not know keep their names, and
series that would still fall onto one name are added up where they count something, and left out
(no data) where they do not. Which of two gauges is the service's, nobody can say.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from prometheus_client.parser import text_string_to_metric_families

from recording.metric_names import (
    HTTP_REQUESTS,
    MEMORY_LIMIT,
    OF_A_LEDGER,
    OF_A_POOL,
    OF_A_PROCESS,
    POOL_MAX,
    REPLICA_CPU,
    is_counter,
)
from recording.series import is_sound

_KEPT = (HTTP_REQUESTS, *OF_A_PROCESS, *OF_A_POOL, *OF_A_LEDGER, REPLICA_CPU)
_LABELLED = {*OF_A_POOL, *OF_A_LEDGER, REPLICA_CPU}
_STATUS = ("status", "code", "status_code")
"""Labels that exporters give the HTTP status, the first that is there."""
_PLAIN = " :+@{}"
"""Kept in a label's value as they are; what parts a name, or a line of a file, is not."""


def flatten(page: str) -> Iterator[tuple[str, float]]:
    """(flat name, value) of every kept sample. Raises ValueError for a page that is no metrics."""
    # Parsing costs about 20 µs a line, so drop what is not kept first.
    # A line ends with a line feed and nothing else: labels may hold what Unicode breaks lines at.
    lines = [line.rstrip("\r") for line in page.split("\n") if line.startswith(_KEPT)]
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            if sample.name in _KEPT and says(sample.name, sample.value):
                found.setdefault(_flat(sample.name, sample.labels), []).append(sample.value)
    for name, values in found.items():
        if len(values) == 1 or is_counter(name):
            yield name, sum(values)


def says(metric: str, value: float) -> bool:
    """Whether a value says something: less than nothing is "unknown", or of a pool "unlimited".

    A limit of no memory at all is how cAdvisor says that there is none.
    """
    if metric == MEMORY_LIMIT and not value:
        return False
    return is_sound(value) and (value >= 0 or metric == POOL_MAX)


def _flat(metric: str, labels: Mapping[str, str]) -> str:
    if metric == HTTP_REQUESTS:
        status = next((labels[name] for name in _STATUS if labels.get(name)), None)
        return metric if status is None else f"{metric}/{part(status)}"
    return "/".join([metric, *(_pool_labels(labels) if metric in _LABELLED else ())])


def _pool_labels(labels: Mapping[str, str]) -> Iterator[str]:
    """Which pool: ``pool`` and ``replica`` by value, what else there is by name; ``le`` last."""
    plain = [name for name in ("pool", "replica") if "pool" in labels and name in labels]
    yield from (part(labels[name]) for name in plain)
    others = sorted(labels.keys() - {*plain, "le"})
    yield from (f"{part(name)}={part(labels[name])}" for name in others)
    if "le" in labels:
        yield labels["le"]


def part(text: str) -> str:
    return quote(text, safe=_PLAIN)
