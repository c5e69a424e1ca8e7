"""Reads a histogram log line by line, as it was written."""

from pathlib import Path

from recording.hlog import HistogramLog, parse_hlog


def read_hlog(path: Path) -> HistogramLog:
    """Everything readable in the log; a missing file is an empty log."""
    if not path.exists():
        return HistogramLog((), 0)
    with path.open("rb") as file:
        return parse_hlog(file)
