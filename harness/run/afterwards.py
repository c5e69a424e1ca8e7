"""Once the load is over: what a Prometheus scraped of the run, and which metrics were left out."""

from collections.abc import Callable

from harness.run.events import write_event
from harness.scene.scene import Scene
from harness.screen.live import LiveView
from recording.clock import RunClock
from recording.events import METRICS_LEFT_OUT
from recording.rundir import RunDir
from recording.text import plain


def ask_afterwards(
    scene: Scene, run: RunDir, clock: RunClock, view: LiveView, stop: Callable[[], bool]
) -> None:
    """Of what is missing, there or on a page, the run says so. ``stop`` ends any waiting.

    Raises OSError (disk full).
    """
    left_out = [
        (s, str(clash)) for s, pages in scene.reads.items() for clash in pages.seen.values()
    ]
    if scene.after_load is not None:
        view.note("asking Prometheus what it scraped of the run")
        left_out += scene.after_load.collect(run, clock, stop)
    for subject, missing in left_out:
        because = plain(missing)
        view.note(f"{subject}: {because}")
        write_event(run, clock, METRICS_LEFT_OUT, subject=subject, because=because)
