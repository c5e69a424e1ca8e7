"""benchmarks/studies/lock_pool.py: the fluid model, and a recording told in its terms."""

import json
from pathlib import Path

import pytest

from analysis.tuning.lock_model import Plan, play
from benchmarks.studies.lock_pool import Scaled, main, recorded
from mock_services.inventory_lock.settings import InventoryLockSettings
from recording.profile_file import load_profile
from recording.rundir import RunDir
from recording.series import Sample, SeriesWriter

PROFILE = Path(__file__).parents[2] / "profiles" / "lock-pool.toml"
LOCKS = "inventory-lock-service"


def test_the_model_tells_the_seeds_story() -> None:
    """78, 89 and 96 % at 2, 4 and 6 h, exhausted T+6h14m, rescaled T+6h16m, then 62 % and less."""
    told = play(Plan(InventoryLockSettings(), hours=7.1))
    assert [told.used[h] for h in (2.0, 4.0, 6.0)] == pytest.approx([78, 89, 96], abs=5)
    assert told.exhausted_h == pytest.approx(6 + 14 / 60, abs=0.1)
    assert told.scaled_h == pytest.approx(6 + 16 / 60, abs=0.1)
    assert told.cpu[7.0] < 0.6 * told.cpu[6.0]
    assert told.used[7.0] == pytest.approx(50, abs=2)


def test_the_profile_is_the_seed_to_scale() -> None:
    """A thirtieth in time and in size: its model is that of the defaults."""
    scaled = Scaled(load_profile(PROFILE))
    plan, seed = scaled.plan(), InventoryLockSettings()
    assert scaled.times == 30
    assert plan.hours == 8
    assert plan.starts_per_s(3600) == pytest.approx(44)
    assert plan.starts_per_s(4 * 3600) == 88
    for name in ("expiry_per_s", "lock_scan_cpu_ms", "scale_hold_s", "pod_scheduling_s",
                 "pod_start_s", "pod_readiness_s", "pool_max"):  # fmt: skip
        assert getattr(plan.settings, name) == pytest.approx(getattr(seed, name), rel=0.01), name


def test_a_recording_is_told_in_the_seeds_time(tmp_path: Path) -> None:
    """Two pools, half a sample each second; T+2h is 240 s after the load's start, at 5 s."""
    samples = [Sample(790.0, "checkout-service", "http_requests_total/503", 4.0)]
    for second in range(5, 800):
        held = min(134, second // 3)
        for replica, active in enumerate((held - held // 2, held // 2)):
            told = {"connection_pool_active": active, "connection_pool_waiting": held >= 134}
            told |= {"connection_pool_max": 67} if second == 5 else {}
            told = {f"{name}/locks/{replica}": value for name, value in told.items()}
            told[f"replica_cpu_utilization_ratio/replica={replica}"] = 0.5
            samples += (Sample(second, LOCKS, name, float(value)) for name, value in told.items())
    run = RunDir(tmp_path)
    with SeriesWriter(run.resources) as series:
        series.write(samples)
    events = [
        {"t_s": 5.0, "event": "phase_started", "phase": "ramp-up", "measured": False},
        {"t_s": 605.0, "event": "scaled"},
        {"t_s": 611.0, "event": "pod_ready"},
    ]
    run.events.write_text("".join(json.dumps(row) + "\n" for row in events))
    told = recorded(run, Scaled(load_profile(PROFILE)))
    assert told.used[2.0] == pytest.approx(100 * (245 / 3 - 0.5) / 134, abs=1)
    assert (told.cpu[2.0], told.failed) == (50, 120)
    assert told.exhausted_h == pytest.approx((402 - 5) * 30 / 3600)
    assert told.scaled_h == pytest.approx(5)
    assert told.ready_h == pytest.approx(5.05)
    assert 7.0 not in told.used


@pytest.mark.long
def test_the_command_prints_the_variants(capsys: pytest.CaptureFixture[str]) -> None:
    """The seed runs dry; with faster sweepers nothing ever happens."""
    main([])
    printed = capsys.readouterr().out
    _, seed, faster, *_ = printed.split("model")
    assert "T+6h" in seed.partition("exhausted")[2].partition("\n")[0]
    assert faster.count("never") == 3
