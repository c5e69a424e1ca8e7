"""analysis/guards/look.py: guards measure as the judge does, on what is recorded so far."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis.evidence.growing import Growing
from analysis.evidence.requests import judged_kind, samples
from analysis.evidence.run import Evidence, load_evidence
from analysis.guards.look import Look, is_cleared, looks, why_no_evidence
from analysis.limits.guard import Guards, parse_guard
from analysis.single.checks import so_far
from recording.rundir import RunDir
from tests.analysis.recordings import END_S, START_S, Recording

LONG_AGO_S = 0.0
MIDDLE_S = (START_S + END_S) / 2


def look_at(run: RunDir, text: str, since_s: float = LONG_AGO_S) -> list[Look]:
    """What a guard sees at the end of a recording."""
    return list(looks(Growing(run, 30.0).look(), [parse_guard(text, "warn")], since_s))


def cut(path: Path, of: int) -> None:
    """Leave the first half of a file, to the byte: a writer is in the middle of a line."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * of // 100])


def test_a_growing_recording_is_the_recording_when_it_is_over(tmp_path: Path) -> None:
    """Whatever the number of looks on the way; older requests are only added up."""
    run = Recording().write(tmp_path / "run")
    names = (run.latency, run.resources, run.load, run.events)
    whole = {path: path.read_bytes() for path in names}
    growing = Growing(run, 5.0)
    for percent in (10, 45, 80, 100):
        for path, data in whole.items():
            path.write_bytes(data[: len(data) * percent // 100])
        seen = growing.look()
    assert _measured(seen) == _measured(load_evidence(run))
    assert [str(c) for c in so_far(seen, samples(seen, judged_kind(seen)), over=True)] == [
        str(c) for c in so_far(load_evidence(run), samples(seen, judged_kind(seen)), over=True)
    ]


def _measured(evidence: Evidence) -> Mapping[str, Any]:
    found = samples(evidence, judged_kind(evidence))
    return {s: (f.measure("p99").value, f.outcomes) for s, f in found.items()}


def test_one_guard_watches_each_step_that_fits_its_name(tmp_path: Path) -> None:
    """Where a shop's own names are a pattern, as in a section of rules; nobody is no look."""
    run = Recording(outcomes={"charge": {"http_500": 1.0}}).write(tmp_path / "run")
    seen = Growing(run, 30.0).look()
    guards = [
        parse_guard("error_rate < 1 %", "warn", name, "charge") for name in ("[bc]*e", "none*")
    ]
    found = {one.measured.subject: one.holds for one in looks(seen, guards, LONG_AGO_S)}
    assert found["charge"] is False
    assert found["browse"] is True
    assert "add_to_cart" not in found


def test_what_does_not_hold_is_proven_or_left(tmp_path: Path) -> None:
    """Of the last stretch only; too few requests prove nothing."""
    outcomes = {"charge": {"ok": 0.7, "http_500": 0.3}}
    run = Recording(outcomes=outcomes).write(tmp_path / "run")
    found = {one.measured.subject: one for one in look_at(run, "error_rate < 1 % over 10s")}
    assert found["charge"].holds is False
    assert found["browse"].holds is True
    assert found["charge"].is_proven(20)
    assert not found["charge"].is_proven(100_000)
    assert found["charge"].end_s - found["charge"].start_s == pytest.approx(10.0)


def test_a_value_beyond_its_limit_by_chance_is_no_reason_to_act(tmp_path: Path) -> None:
    """Its interval has the limit in it; a run would break the rule."""
    run = Recording(outcomes={"charge": {"ok": 0.98, "http_500": 0.02}}).write(tmp_path / "run")
    charge = next(o for o in look_at(run, "error_rate < 1 % over 10s") if "ch" in o.subject)
    found = [o for o in look_at(run, "error_rate < 1 % over 10s") if o.measured.subject == "charge"]
    assert charge
    assert found[0].holds is False
    assert not found[0].is_proven(20)


def test_nothing_before_the_grace_period_is_looked_at(tmp_path: Path) -> None:
    """Nor is there a stretch without any time in it."""
    run = Recording().write(tmp_path / "run")
    assert {one.start_s for one in look_at(run, "p99 < 1 s over 30s", MIDDLE_S)} == {MIDDLE_S}
    assert look_at(run, "p99 < 1 s over 30s", 2 * END_S) == []


def test_a_pause_is_cleared_when_nothing_breaks_and_all_answer(tmp_path: Path) -> None:
    """What only requests show is unknown then; what is sampled has to be known."""
    run = Recording(silent=("payment-gateway",)).write(tmp_path / "quiet")
    evidence = Growing(run, 30.0).look()
    whole = Growing(Recording().write(tmp_path / "run"), 30.0).look()
    errors = list(looks(whole, [parse_guard("error_rate < 1 %", "pause")], LONG_AGO_S))
    pools = list(looks(whole, [parse_guard("utilization < 5 %", "pause")], LONG_AGO_S))
    assert is_cleared(whole, errors)
    assert not is_cleared(whole, pools)
    assert evidence.phases


def test_what_is_no_evidence_is_seen_before_the_end(tmp_path: Path) -> None:
    """By the checks that will be asked at the end, once enough is measured to ask them."""
    guards = Guards(grace_s=5.0)
    healthy = Growing(Recording().write(tmp_path / "run"), 30.0).look()
    assert why_no_evidence(healthy, guards) == ()
    drowned = Growing(Recording(distortion_ms=900.0).write(tmp_path / "drowned"), 30.0).look()
    assert [check.name for check in why_no_evidence(drowned, guards)] == ["distortion p99"]
    assert why_no_evidence(drowned, Guards(grace_s=1000.0)) == ()
