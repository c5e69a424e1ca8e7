"""The exit codes of every ``loadgate`` verb, in one place."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a caller (CI, make, a person) can tell from the exit code alone."""

    PASS = 0
    """Every required rule was decided and holds; or the verb, which judges nothing, has worked, or
    has, as a gate may, nothing to measure."""
    INTERNAL_ERROR = 1
    """A bug of loadgate, with its traceback."""
    USAGE_ERROR = 2
    """Wrong usage or configuration, said in a line; nothing was started."""
    FAIL = 3
    """A rule does not hold; rule, subject, actual, required and cause are named."""
    INVALID = 4
    """The run is no evidence."""
    INCONCLUSIVE = 5
    """Too few samples to tell, or stopped early; `--inconclusive=pass|fail` maps it for CI."""


REFUSED_WORKER = 77
"""Of a Locust worker that its master does not take (EX_NOPERM of sysexits.h)."""
