"""What to do now, as lines of a `Document`."""

from analysis.capacity.compare import CapacityGate
from analysis.report.document import Audience, Code, Line, Lines
from analysis.words.values import NextStep, Verdict


def next_steps(verdict: Verdict | CapacityGate, only: Audience | None = None) -> Lines:
    """One line each, a command as code."""
    return Lines(tuple(map(_line, verdict.next_steps)), "What now", "next", "strong", only)


def _line(step: NextStep) -> Line:
    return (f"{step.text}: ", Code(step.command)) if step.command else step.text
