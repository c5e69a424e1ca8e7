"""What a job of GitHub Actions shows of a verdict: annotations, and a pull request's comment."""

from collections.abc import Iterator

from analysis.report.cases import Judged
from analysis.words.values import Outcome

MOST = 10
"""Annotations of one kind that GitHub shows of a step."""
MAX_CHARS = 65_000
"""Of a comment; GitHub takes 65,536."""


def annotations(judged: Judged) -> Iterator[str]:
    """Workflow commands that are shown beside the job; none for a PASS."""
    kind = "warning" if judged.outcome is Outcome.INCONCLUSIVE else "error"
    shown = judged.alerts if len(judged.alerts) <= MOST else judged.alerts[: MOST - 1]
    for alert in shown:
        yield _command(kind, alert.title, alert.text)
    if left := len(judged.alerts) - len(shown):
        yield _command(kind, f"{left} more", "they stand in the report")


def _command(kind: str, title: str, message: str) -> str:
    """``::error title=...::...``, with what the runner would read as syntax escaped."""
    prop = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={prop}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def comment(verb: str, profile: str, page: str) -> str:
    """The page as a comment, behind a mark that is not shown: by it the next one replaces it."""
    mark = f"<!-- loadgate {verb} {profile} -->\n"
    if len(mark) + len(page) <= MAX_CHARS:
        return mark + page
    whole = page[: MAX_CHARS - len(mark)].rpartition("\n")[0]
    return f"{mark}{whole}\n\nCut here: report.md has all of it.\n"
