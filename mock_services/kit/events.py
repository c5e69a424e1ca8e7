"""Events: one JSON line each, appended with a single write so that processes can share a file.

`MOCK_EVENTS` names the file (unset: stderr). `t_s` counts from `MOCK_EPOCH_MONOTONIC`, a value
of time.monotonic() which all processes of one machine share (unset: from the process's start).
"""

import os
import sys
import time
from typing import Any

import orjson

_PROCESS_START_S = time.monotonic()


class EventLog:
    """Appends the events of one source. Opened on first use, so imports leave no files."""

    __slots__ = ("_epoch_s", "_fd", "_path", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._path = os.environ.get("MOCK_EVENTS")
        self._epoch_s = float(os.environ.get("MOCK_EPOCH_MONOTONIC", _PROCESS_START_S))
        self._fd: int | None = None

    def now_s(self) -> float:
        """Seconds since the run's epoch."""
        return time.monotonic() - self._epoch_s

    def write(self, event: str, **fields: Any) -> None:
        """Append one event. A full disk must not take the service down: it goes to stderr."""
        record = {"t_s": round(self.now_s(), 6), "source": self.source, "event": event, **fields}
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE, default=str)
        try:
            os.write(self._descriptor(), line)
        except OSError as error:
            sys.stderr.write(f"event not written ({error}): {line.decode()}")

    def _descriptor(self) -> int:
        if self._fd is None:
            append = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._fd = os.open(self._path, append, 0o644) if self._path else 2
        return self._fd
