"""The exit codes of every ``loadgate`` verb, in one place."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a caller (CI, make, a person) can tell from the exit code alone."""

    PASS = 0
    INTERNAL_ERROR = 1
    USAGE_ERROR = 2
    FAIL = 3
    INVALID = 4
    INCONCLUSIVE = 5


REFUSED_WORKER = 77
"""Of a Locust worker that its master does not take (EX_NOPERM of sysexits.h)."""
