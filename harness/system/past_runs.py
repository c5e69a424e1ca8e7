"""What the verdicts of recorded runs measured, and how many runs have none that is evidence."""

from collections import Counter
from pathlib import Path

import orjson

from analysis.trends.history import Kept, kept_of_run
from analysis.words.units import counted
from analysis.words.values import Outcome
from harness.system.recorded import MAX_BYTES, Recorded, recorded
from recording.errors import ConfigError
from recording.files import read_regular
from recording.manifest import read_manifest

PAIRED = "paired"


def past_runs(
    folder: Path, profile: str | None, since_s: float | None
) -> tuple[list[Kept], tuple[str, ...]]:
    """Runs with what their verdict.json says, oldest first, and notes on those left out.

    Raises NotARunError where the folder cannot be read.
    """
    found: list[Kept] = []
    left: Counter[str] = Counter()
    for run in recorded(folder):
        if not run.fits(profile, since_s, None):
            continue
        kept = _kept(run)
        if isinstance(kept, str):
            left[kept] += 1
        else:
            found.append(kept)
    notes = (f"left out: {counted(n, 'run')} {why}" for why, n in left.items() if why != PAIRED)
    return found, tuple(notes)


def _kept(run: Recorded) -> Kept | str:
    """Or why it is none."""
    if run.verdict is Outcome.INVALID:
        return "INVALID, no evidence"
    if not isinstance(run.verdict, Outcome):
        return f"{run.verdict} (`loadgate analyze RUN` judges one)"
    try:
        manifest = read_manifest(run.run.manifest)
        if manifest.paired or manifest.search:
            return PAIRED
        verdict = orjson.loads(read_regular(run.run.verdict, MAX_BYTES))
        return kept_of_run(manifest, verdict["measurements"])
    except (ConfigError, OSError, LookupError, TypeError, ValueError):
        return "with an unreadable verdict.json"
