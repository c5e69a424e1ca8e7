"""What the harness itself has to say of a run, one line at a time."""

from recording.clock import RunClock
from recording.jsonl import JsonLinesWriter
from recording.rundir import RunDir


def write_event(run: RunDir, clock: RunClock, event: str, **details: object) -> None:
    """Append one event to ``events.jsonl``. Raises OSError (disk full)."""
    row = {"t_s": round(clock.now_s(), 3), "source": "harness", "event": event, **details}
    with JsonLinesWriter(run.events) as events:
        events.write(row)
