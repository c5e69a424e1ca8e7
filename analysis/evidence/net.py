"""The last net: whatever a recording holds, it is spoilt, and no reason to fall."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from recording.errors import LoadgateError, SpoiltError
from recording.rundir import RunDir

log = logging.getLogger(__name__)


@contextmanager
def last_net(run: RunDir) -> Iterator[None]:
    """Raises SpoiltError for every error that nobody raised on purpose."""
    try:
        yield
    except LoadgateError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        log.debug("%s cannot be judged", run.root, exc_info=True)
        raise SpoiltError(f"cannot be judged: {type(error).__name__}: {error}") from error
