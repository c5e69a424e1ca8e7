"""What GitLab shows of a verdict: load performance beside a merge request, links beside a job."""

from collections.abc import Iterator
from typing import Any

import orjson

from analysis.report.cases import Judged, counts
from analysis.words.values import Measurement, Outcome, Verdict
from recording.profile import JOURNEY
from recording.slots import HEAD

_TREND = {"avg": "mean", "med": "p50", "max": "max", "p(90)": "p90", "p(95)": "p95", "p(99)": "p99"}
"""k6's words for what a latency is told by, and ours."""
MAX_LABEL = 255


def load_performance(verdict: Verdict, judged: Judged) -> bytes:
    """``load-performance.json``: k6's summary export, which is what GitLab reads.

    Its widget takes `http_reqs`, `http_req_waiting` and `checks`. We know when an answer was
    whole, not when its first byte came: waiting and duration are the same here. Nothing is said of
    a run that is no evidence; of a gate it is head. Times are ms.
    """
    metrics = {} if verdict.verdict is Outcome.INVALID else dict(_metrics(verdict, judged))
    data: bytes = orjson.dumps({"metrics": metrics}, option=orjson.OPT_INDENT_2)
    return data + b"\n"


def _metrics(verdict: Verdict, judged: Judged) -> Iterator[tuple[str, dict[str, Any]]]:
    context, arm = verdict.context, "" if verdict.rows else f"@{HEAD}"
    found = {(m.subject.removesuffix(arm), m.metric): m for m in verdict.measurements}
    if "rate_per_s" in context:
        yield "http_reqs", {"count": context["requests_measured"], "rate": context["rate_per_s"]}
    yield from _latency(found)
    if (rate := found.get((JOURNEY, "error_rate"))) and rate.value == rate.value:
        failed = round(rate.n * rate.value / 100)
        yield (
            "http_req_failed",
            {"passes": failed, "fails": rate.n - failed, "value": rate.value / 100},
        )
    of = counts(judged.rules)
    if decided := of[Outcome.PASS] + of[Outcome.FAIL]:
        held = of[Outcome.PASS]
        yield "checks", {"passes": held, "fails": of[Outcome.FAIL], "value": held / decided}


def _latency(
    found: dict[tuple[str, str], Measurement],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of all requests, and of each step as k6 tells tags apart."""
    for subject in dict.fromkeys(subject for subject, metric in found if metric == "p50"):
        known = {key: found.get((subject, metric)) for key, metric in _TREND.items()}
        trend = {key: m.value for key, m in known.items() if m and m.value == m.value}
        if subject == JOURNEY and trend:
            yield "http_req_duration", trend
            yield "http_req_waiting", trend
        elif trend:
            yield f"http_req_duration{{step:{subject}}}", trend


def links(judged: Judged, url: str) -> bytes:
    """``gitlab-annotations.json``: the verdict and its alerts, each a link to ``url``."""
    texts = [f"{judged.outcome} {judged.summary}", *(f"{a.title}: {a.text}" for a in judged.alerts)]
    rows = [{"external_link": {"label": text[:MAX_LABEL], "url": url}} for text in texts]
    data: bytes = orjson.dumps({f"loadgate {judged.verb}": rows}, option=orjson.OPT_INDENT_2)
    return data + b"\n"
