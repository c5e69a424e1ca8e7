"""``process``: restarts of a service."""

from collections.abc import Iterable
from math import nan

from analysis.evidence.coverage import unsaid
from analysis.evidence.processes import (
    MOST_AT_ONCE,
    WHERE_RESTARTS_SHOW,
    restarts_in_words,
    restarts_of,
    where_restarts_show,
)
from analysis.metrics.case import Case
from analysis.metrics.decide import as_measured
from analysis.metrics.metric import Metric
from analysis.metrics.subjects import is_service
from analysis.words.units import COUNT
from analysis.words.values import Measurement


def _measured(case: Case, subject: str) -> Iterable[Measurement]:
    """How often it restarted, over the whole run."""
    found, series = restarts_of(case.evidence, subject), case.evidence.resources
    told = [where_restarts_show(case.evidence, subject, name) for name in WHERE_RESTARTS_SHOW]
    n = max((series.get(subject, name)[0].size for names in told for name in names), default=0)
    gaps = [unsaid(case.evidence, subject, names) for names in told if names]
    note = gaps[0] if gaps and all(gaps) else ""
    if found and len(found) >= MOST_AT_ONCE:
        note = "more than can be were counted"
    if found is None:
        note = f"it exports neither {' nor '.join(WHERE_RESTARTS_SHOW)}"
    value = nan if found is None or (note and not found) else float(len(found))
    yield Measurement(
        subject, "restarts", value, "", max(1, n), phase="run", note=note, at_least=bool(note)
    )


METRICS = (
    Metric(
        "restarts",
        "process",
        "",
        COUNT,
        of=is_service,
        measure=_measured,
        decide=as_measured,
        explain=lambda case, subject, _measured: restarts_in_words(case.evidence, subject),
        reads=(WHERE_RESTARTS_SHOW,),
    ),
)
