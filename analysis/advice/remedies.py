"""What would make evidence of a run that is none: less load, a quieter machine, or another try."""

from collections.abc import Iterator, Sequence

from analysis.advice.again import again
from analysis.words.values import Check, NextStep
from recording.load import Phase
from recording.manifest import Manifest
from recording.phase_keys import phase_key

TOO_SMALL = (
    *("CPU of ", "CPU wait of ", "distortion", "generator lag", "users delivered"),
    *("arrivals", "request rate", "users in slots"),
)
"""How checks begin that a bench breaks which cannot carry the load."""
NOT_OURS = "CPU taken by others"
STOLEN = "hypervisor"
JITTER = "so it is jitter of the way"
SPOILT = ("damaged files", "closing count", "requests in", "orders in", "recorder errors")
DIED = ("end of the run", "restarts")
LESS = 0.75


def remedies(manifest: Manifest, checks: Sequence[Check]) -> Iterator[NextStep]:
    """Of the checks that are not ok, each kind once, the one that explains most first."""
    if manifest.source != "loadgate":
        yield NextStep("ask whoever recorded it: what was imported does not fit together")
        return
    wrong = [check for check in checks if not check.ok]
    if any(check.name.startswith(DIED) for check in wrong):
        text = "see what ended it in the run's logs/, mend that, and record it again"
        yield NextStep(text, again(manifest))
        return
    if any(check.name == NOT_OURS or STOLEN in check.hint for check in wrong):
        text = "leave the machine to the run alone (or take a quieter one), and record it again"
        yield NextStep(text, again(manifest))
    elif all(JITTER in check.hint for check in wrong) and wrong:
        text = "measure from nearer to the services; if clients are as far away, raise its limit"
        yield NextStep(text, again(manifest))
    elif any(check.name.startswith(TOO_SMALL) for check in wrong):
        text = "the bench could not carry this load: take more cores or machines, or less load"
        yield NextStep(text, again(manifest, *_less(manifest)))
    elif any(check.name.startswith(SPOILT) for check in wrong):
        yield NextStep("the recording is spoilt: record it again", again(manifest))
    elif not wrong:
        text = "write rules for what was loaded into thresholds.toml, then `loadgate analyze` it"
        yield NextStep(text)
    else:
        yield NextStep("mend what the check says, and record it again", again(manifest))


def _less(manifest: Manifest) -> Iterator[str]:
    """Options that take a quarter of the load away, in every phase; a search has its own."""
    if manifest.search is not None:
        return
    for number, phase in enumerate(manifest.profile.load.phases):
        key, value = _load_of(phase)
        if value:
            yield from ("--set", f"{phase_key(number, phase)}.{key}={max(1, round(LESS * value))}")


def _load_of(phase: Phase) -> tuple[str, float]:
    if phase.users is not None:
        return "users", phase.users
    return "arrivals_per_s", phase.arrivals_per_s or 0.0
