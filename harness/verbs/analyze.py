"""Judge the recording in RUN again: no load, any machine, the same verdict from the same bytes.

Examples:

- `loadgate analyze runs/20260301-101500-release-1f2e`
- `loadgate analyze RUN --thresholds stricter.toml --json`
"""

from harness import options
from harness.screen.judged import finish
from recording.rundir import open_run_dir


def analyze(
    run: options.Run,
    thresholds: options.Thresholds = None,
    inconclusive: options.Inconclusive = None,
    everything: options.All = False,
    as_json: options.Json = False,
) -> None:
    """Judge."""
    limits = options.read_limits(thresholds)
    finish(
        open_run_dir(run), limits, as_json=as_json, everything=everything, inconclusive=inconclusive
    )
