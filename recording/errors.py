"""Everything loadgate raises on purpose, one class for each cause a caller can tell apart.

LoadgateError                exit 1
├── ConfigError              exit 2   a file, key, flag or value is wrong
│   ├── NotARunError         exit 2   the path is not a run directory
│   ├── ManifestError        exit 2   a run's manifest cannot be read; the judge says INVALID
│   └── RefusedError         exit 2   allowed by syntax, refused for safety
└── RunFailedError           exit 4   the run ended without usable evidence
    ├── SpoiltError          exit 4   a recording that nothing can be made of
    └── StorageError         exit 4   the run directory cannot be written (disk full)
"""

from collections.abc import Iterable
from difflib import get_close_matches

from recording.exitcodes import ExitCode


class LoadgateError(Exception):
    """Root of the tree. ``str(error)`` is the line a user reads."""

    exit_code = ExitCode.INTERNAL_ERROR


class ConfigError(LoadgateError):
    """A file, key, flag or value is wrong; names it and says what is allowed."""

    exit_code = ExitCode.USAGE_ERROR


class NotARunError(ConfigError):
    """The path given is not a run directory."""


class ManifestError(ConfigError):
    """The manifest of a run is missing, spoilt, changed or of an unknown format."""


class RefusedError(ConfigError):
    """Understood, and refused for safety (host outside the allow-list, live key)."""


class RunFailedError(LoadgateError):
    """The run could not produce evidence; what was recorded stays readable."""

    exit_code = ExitCode.INVALID


class SpoiltError(RunFailedError):
    """A recording holds what nobody foresaw; says what happened in reading it."""


class StorageError(RunFailedError):
    """The run directory cannot be written."""


_GONE = frozenset({"guard", "payment_key"})
"""Names of earlier files' sections and keys that had no effect."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """``"; did you mean 'users'? known: ..."`` for an unknown name."""
    if wrong in _GONE:
        return "; nothing ever read it: leave it out"
    names = sorted(known)
    close = get_close_matches(wrong, names, n=1, cutoff=0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"{hint} known: {', '.join(names)}"
