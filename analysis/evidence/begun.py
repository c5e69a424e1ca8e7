"""Nothing that began may vanish: the generator's closing counts against the log, to the request."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from analysis.evidence.run import Evidence
from analysis.words.units import counted
from analysis.words.values import Check
from recording.events import GENERATOR_ENDED
from recording.hlog import UNPAIRED, Interval, of_requests
from recording.manifest import DIGESTS_SINCE


def requests_begun(evidence: Evidence, said: Mapping[str, Any], died: float) -> Iterator[Check]:
    """Whether the log holds every request that began; ``died`` may have gone with lost workers.

    ``said`` is the closing event. Recordings from before it said so are judged without.
    """
    begun = said.get("begun")
    if begun is None and evidence.manifest.format < DIGESTS_SINCE:
        return
    if not isinstance(begun, Mapping) or not all(type(n) is int for n in begun.values()):
        yield Check("requests begun", "no count", "a count for each step", False)
        return
    found = recorded(evidence.log.intervals)
    missing = {step: begun.get(step, 0) - found[step] for step in sorted({*begun, *found})}
    wrong = {step: n for step, n in missing.items() if n}
    enough = not wrong or (min(wrong.values()) > 0 and sum(wrong.values()) <= died)
    yield Check(
        "requests begun",
        f"{sum(begun.values()):,}",
        f"{found.total():,} recorded" + (f" + {died:,.0f} of lost workers" if died else ""),
        enough,
        ", ".join(
            f"{step}: {begun.get(step, 0):,} begun, {found[step]:,} recorded" for step in wrong
        ),
    )


def never_told(evidence: Evidence) -> str:
    """That workers were lost for good, with what they had under way; "" where none was.

    How those requests would have ended nobody knows: they can spoil a PASS, never cause a FAIL.
    """
    closing = evidence.events_named(GENERATOR_ENDED)
    names = closing[-1].get("unfinished") if closing else None
    if not names or not isinstance(names, list):
        return ""
    return (
        f"{', '.join(map(str, names))} never sent its last report: requests that it had under way "
        "are recorded nowhere"
    )


def raised(evidence: Evidence) -> str:
    """That tasks of the users raised more often than requests failed; "" where they did not.

    What they would have asked next began nowhere, and nobody knows how it would have gone: a shop
    that gives no order id ends every journey before it pays, and all that was asked went well.
    """
    closing = evidence.events_named(GENERATOR_ENDED)
    said = closing[-1] if closing else {}
    n, failed = said.get("raised"), said.get("failed")
    if type(n) is not int or n <= (failed if type(failed) is int else 0):
        return ""
    last = said.get("last_raised")
    words = f", the last {last}" if last and isinstance(last, str) else ""
    return (
        f"{counted(n, 'task')} of users raised errors that no failed requests explain{words}: "
        "what they would have asked next is not known"
    )


def recorded(intervals: tuple[Interval, ...]) -> "Counter[str]":
    """Requests in a log by step, and by arm in a paired run (``charge@head``)."""
    found: Counter[str] = Counter()
    for i in of_requests(intervals):
        arm = "" if i.tag.arm == UNPAIRED else f"@{i.tag.arm}"
        found[f"{i.tag.step}{arm}"] += i.histogram.n
    return found
