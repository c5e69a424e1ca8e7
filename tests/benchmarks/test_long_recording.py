"""benchmarks/figures/long_recording.py: what it writes is a recording for the judge."""

from pathlib import Path

from analysis.judge import judge
from analysis.limits.thresholds import load_thresholds
from benchmarks.figures.long_recording import write_long_recording
from recording.profile_file import load_profile

PROJECT = Path(__file__).parents[2]
SHORT = (
    "load.phases.ramp-up.duration=60s",
    "load.phases.sustained.duration=5m",
    "load.phases.ramp-down.duration=60s",
)


def test_the_judge_finds_the_recording_complete_and_at_the_seeds_rate(tmp_path: Path) -> None:
    """No check fails: counts, coverage, users, Little's law, distortion and CPU all add up."""
    profile = load_profile(PROJECT / "profiles" / "bf2025.toml", SHORT)
    run = write_long_recording(tmp_path / "run", profile)
    verdict = judge(run, load_thresholds(PROJECT / "thresholds.toml"))
    assert verdict.invalid_reasons == ()
    measured = {(m.subject, m.metric): m.value for m in verdict.measurements}
    assert 300 < measured["browse", "p99"] < 325
    assert 850 < measured["charge", "p99"] < 930
