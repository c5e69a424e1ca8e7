"""``[metrics]`` of a profile: what is refused, and in which words."""

from pathlib import Path

import pytest

from recording.errors import ConfigError
from recording.metrics import MetricRow, Metrics
from recording.profile import Profile
from recording.profile_file import load_profile

PHASES = '[load]\nphases = [{ name = "all", duration = "1s", users = 1, measured = true }]\n'


def loaded(folder: Path, text: str) -> Metrics:
    """The table, as it stands in a profile."""
    path = folder / "staging.toml"
    path.write_text(PHASES + text)
    return load_profile(path).metrics


def row(ours: str, **more: object) -> MetricRow:
    """Of some metric of theirs."""
    return MetricRow.model_validate({"ours": ours, "theirs": "their_metric", **more})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[metrics.sources]]\nservice = "cart"\nuse = ["process"]', "give prometheus, or a page"),
        ('[[metrics.sources]]\nservice = "cart"\npage = "/m"', "give use"),
        (
            '[metrics]\nprometheus = "http://a"\n[[metrics.sources]]\nservice = "cart"\n'
            'use = ["process"]\n[[metrics.sources]]\nservice = "cart"\npage = "/m"\nuse = ["jvm"]',
            "cart: its sources all have a page, or none has",
        ),
        (
            '[[metrics.sources]]\nservice = "cart"\npage = "/m"\n'
            'rows = [{ ours = "connection_pool_activ", theirs = "a" }]',
            "did you mean 'connection_pool_active'?",
        ),
        (
            '[[metrics.sources]]\nservice = "cart"\npage = "/m"\n'
            'rows = [{ ours = "service_replicas", promql = "sum(a)" }]',
            "promql is for Prometheus",
        ),
        (
            '[[metrics.sources]]\nservice = "cart"\npage = "/m"\nwhere = "job=cart"\nuse = ["jvm"]',
            'write label="value"',
        ),
        ('[metrics]\nprometheus = "http://me:secret@host"', "user and password have no place"),
        ('[metrics]\nprometheuss = "http://host"', "did you mean 'prometheus'?"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """Before anything starts, with the file and what is allowed."""
    with pytest.raises(ConfigError, match=r"staging\.toml") as refused:
        loaded(tmp_path, text)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("ours", "unit", "factor", "of_bounds"),
    [
        ("process_resident_memory_bytes", "KiB", 1024.0, 1024.0),
        ("process_resident_memory_bytes", "MB", 1e6, 1e6),
        ("process_cpu_seconds_total", "ms", 1e-3, 1e-3),
        ("connection_pool_acquire_seconds_bucket", "ms", 1.0, 1e-3),
        ("connection_pool_acquire_seconds_count", "ms", 1.0, 1e-3),
        ("connection_pool_acquire_seconds_sum", "ms", 1e-3, 1e-3),
        ("replica_cpu_utilization_ratio", "%", 0.01, 0.01),
        ("connection_pool_active", None, 1.0, 1.0),
    ],
)
def test_units_are_factors_into_ours(
    ours: str, unit: str | None, factor: float, of_bounds: float
) -> None:
    """Of a histogram in milliseconds its bounds and its sum, not what it counted."""
    made = row(ours, unit=unit)
    assert (made.factor, made.bound_factor) == (factor, of_bounds)


@pytest.mark.parametrize(("ours", "unit"), [("connection_pool_active", "ms"),
                                            ("process_resident_memory_bytes", "s")])  # fmt: skip
def test_a_unit_that_does_not_fit_is_refused(ours: str, unit: str) -> None:
    """With those that do."""
    with pytest.raises(ValueError, match="does not fit"):
        row(ours, unit=unit)


def test_a_profile_without_it_is_written_as_before() -> None:
    """Digests of loads, by which baselines are found, do not move."""
    made = Profile.model_validate(
        {"name": "a", "load": {"phases": [{"name": "all", "duration": 1, "users": 1,
                                           "measured": True}]}}
    )  # fmt: skip
    assert "metrics" not in made.model_dump()
