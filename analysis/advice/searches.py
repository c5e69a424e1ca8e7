"""What to do about a search that is no PASS: for the largest load, or for a setting."""

from collections.abc import Iterator

from analysis.advice.again import again, run_with
from analysis.capacity.asked import WARM_UP
from analysis.capacity.judge import CapacityReport
from analysis.tuning.asked import Asked, Setting
from analysis.tuning.judge import TuneReport
from analysis.words.values import NextStep, Outcome
from recording.manifest import Manifest

WIDER = 4
"""Times as far as the end of a range in which nothing holds."""


def for_capacity(manifest: Manifest, report: CapacityReport) -> Iterator[NextStep]:
    """More of what gave first, or what lets the search find out."""
    found, asked = report.found, report.asked
    if manifest.ended == "interrupted":
        yield NextStep("let it run to its end", again(manifest))
    elif report.verdict is Outcome.FAIL:
        if found and found.gave:
            yield NextStep(f"{found.gave} gives first: `loadgate tune` finds how much it takes")
        yield NextStep(
            "see it again; users and services of the same seed draw alike", again(manifest)
        )
    elif found is None or asked is None:
        yield NextStep("no level was evidence of a load that holds: take a quieter or larger "
                       "machine, or require less", again(manifest))  # fmt: skip
    elif found.at_least and any(level.spoilt for level in report.levels if level.stage != WARM_UP):
        yield NextStep("the bench gave first: take more cores or machines", again(manifest))
    else:
        within_s = f"{2 * asked.within_s:.0f}"
        yield NextStep("search twice as long", again(manifest, "--within", within_s, seeded=False))


def for_setting(manifest: Manifest, report: TuneReport) -> Iterator[NextStep]:
    """A run with what is enough, or a range in which it lies."""
    asked, answer = report.asked, report.answer
    if manifest.ended == "interrupted" or asked is None:
        yield NextStep("let it run to its end", again(manifest))
    elif not answer:
        yield _wider(manifest, asked)
    elif report.verdict is Outcome.FAIL and report.sure:
        pairs = zip(asked.settings, answer, strict=True)
        told = [word for each, value in pairs for word in _overrides(manifest, each, value)]
        yield NextStep("set what is enough, and judge a run with it", run_with(manifest, told))
    else:
        within = f"{2 * manifest.profile.load.duration_s / len(asked.loads):.0f}s"
        yield NextStep("search twice as long", again(manifest, "--within", within, seeded=False))


def _overrides(manifest: Manifest, setting: Setting, value: float) -> Iterator[str]:
    """For a run; none where a command has to be told."""
    profile, written = manifest.profile, setting.written(value)
    if profile.starts_mocks:
        yield f"services.{setting.key}={written}"
    elif profile.arm is not None and profile.tune is None:
        yield f'arm.environment.{setting.key.partition(".")[2]}="{written}"'


def _wider(manifest: Manifest, asked: Asked) -> NextStep:
    """Beyond the dearer end of the range; of several settings only people know which."""
    text, setting = "nothing in this range holds: try one beyond it", asked.setting
    if len(asked.settings) > 1:
        return NextStep(text, again(manifest))
    ends = (setting.high, WIDER * setting.high)
    if setting.cheaper == "more":
        ends = (setting.low / WIDER, setting.low)
    low, high = (setting.written(end) for end in ends)
    return NextStep(text, again(manifest, "--range", f"{low}..{high}", seeded=False))
