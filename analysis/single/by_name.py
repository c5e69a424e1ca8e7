"""What a run by somebody's own locustfile cannot know: said, not zero, not held against it."""

from collections.abc import Iterator

from analysis.evidence.run import Evidence
from analysis.words.units import and_more
from analysis.words.values import NO_DATA, Check
from recording.events import GENERATOR_ENDED
from recording.flow import Services
from recording.hlog import DISTORTION

_MOST_NAMES = 5


def unknown_by_name(evidence: Evidence) -> Iterator[Check]:
    """A row for each; none of any other run."""
    if not evidence.by_name:
        return
    if not any(i.tag.kind == DISTORTION for i in evidence.log.intervals):
        yield _unknown("distortion p99", "no answer had an X-Response-Time")
    yield _unknown("orders, retries", "a locustfile does not say which requests are any")
    cut_off = next((row.get("cut_off") for row in evidence.events_named(GENERATOR_ENDED)), None)
    hint = (
        "of HttpUser and FastHttpUser; of other clients nothing is known before a request is over"
    )
    yield Check(
        "requests cut off at the end",
        NO_DATA if cut_off is None else f"{cut_off}",
        "any",
        ok=True,
        hint=hint,
    )


def _unknown(name: str, hint: str) -> Check:
    return Check(name, NO_DATA, "any", ok=True, hint=hint)


def never_asked(services: Services) -> str:
    """Why a rule on a step has nothing to look at."""
    known = services.steps
    listed = ", ".join(known[:_MOST_NAMES]) + and_more(len(known), "name", shown=_MOST_NAMES)
    return f"no request was called so; there were: {listed}" if known else "there was no request"
