"""Why rules broke, as lines: a cause with what came of it under it; then what stands alone."""

from collections.abc import Iterable, Sequence

from analysis.report.document import Audience, Lines
from analysis.words.folding import unfiled
from analysis.words.units import counted
from analysis.words.values import Breach, Outcome, Verdict


def causes(verdict: Verdict, only: Audience | None = None) -> Lines:
    """One line each, with the number of rules that it broke."""
    return Lines(
        tuple(f"{cause}; {_breaks(len(cause.breaches))}" for cause in verdict.causes),
        "Causes",
        "cause",
        Outcome.FAIL,
        only,
        tuple(cause.symptoms for cause in verdict.causes),
    )


def _breaks(rules: int) -> str:
    return f"breaks {counted(rules, 'rule')}"


def alone(verdict: Verdict) -> tuple[str, ...]:
    """Breaches without a cause: one as it is, several of one reason as that and what it breaks."""
    return tuple(map(_in_words, unfiled(verdict.breaches, verdict.causes)))


def _in_words(group: Sequence[Breach]) -> str:
    if len(group) == 1:
        return str(group[0])
    return f"{group[0].because}: {counted(len(group), 'rule')}: {symptoms(group)}"


def symptoms(group: Iterable[Breach]) -> str:
    """What is broken, without why."""
    return "; ".join(f"{b.subject} {b.metric} {b.shown}, required {b.required}" for b in group)
