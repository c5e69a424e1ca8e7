"""Gates with a known answer: counted, bounded, quoted."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from analysis.calibration.record import GateRecord, calibration_file, last_calibration, summarise
from analysis.calibration.simulated import SHAPE, Injection, blamed, simulated_gate
from analysis.limits.regression import RegressionSettings
from recording.flow import STEPS

HOST = "xeon-2c-8gb-linux6"


def gate(verdict: str = "PASS", **fields: Any) -> GateRecord:
    made = {"at_utc": "2026-11-21T10:00:00+00:00", "host_class": HOST, "setup": "s1"}
    made["draws"] = "independent"
    return GateRecord.model_validate(made | {"verdict": verdict, "wall_s": 300.0} | fields)


def slow(verdict: str, *named: str, step: str = "charge") -> GateRecord:
    return gate(verdict, injection="p99=+20%", endpoint=step, blamed=named)


def keep(folder: Path, *records: GateRecord) -> None:
    lines = b"".join(orjson.dumps(r.model_dump(mode="json")) + b"\n" for r in records)
    calibration_file(folder, HOST).write_bytes(lines)


def test_the_line_that_reports_quote(tmp_path: Path) -> None:
    """Date, counts, and the exact bound of the false-alarm rate: 1 - 0.05 ** (1 / 30)."""
    keep(
        tmp_path,
        *[gate()] * 28,
        *[gate("INCONCLUSIVE")] * 2,
        *[slow("FAIL", "charge", "journey")] * 20,
    )
    found = last_calibration(tmp_path, HOST)
    assert found is not None
    assert found.text() == (
        "this host's calibration of 2026-11-21, independent draws: "
        "30 A/A gates, 0 FAIL (<= 9.5 %), "
        "2 INCONCLUSIVE; 20 gates at p99=+20%: 20 found"
    )


def test_a_host_never_calibrated_has_none(tmp_path: Path) -> None:
    """The report then says nothing about it."""
    assert last_calibration(tmp_path, HOST) is None


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    """One-sided 95 %: 0 of 30 is at most 9.5 %, 20 of 20 at least 86.1 %, all of them at most 1."""
    (row,) = summarise([gate()] * 30).rows  # type: ignore[union-attr]
    assert row.at_most(0) == pytest.approx(1 - 0.05 ** (1 / 30))
    assert row.at_least(30) == pytest.approx(0.05 ** (1 / 30))
    assert (row.at_most(30), row.at_least(0)) == (1.0, 0.0)


def test_a_fail_counts_as_found_only_when_it_names_the_step() -> None:
    """Naming another is a false alarm of its own, also beside the right one; journey is a sum."""
    (row,) = summarise(  # type: ignore[union-attr]
        [
            slow("FAIL", "charge", "journey"),
            slow("FAIL", "browse"),
            slow("FAIL", "browse", "charge"),
            slow("PASS"),
            slow("INCONCLUSIVE"),
        ]
    ).rows
    assert (row.failed, row.found, row.misblamed) == (3, 2, 2)
    assert (row.passed, row.inconclusive) == (1, 1)


def test_invalid_gates_are_no_evidence() -> None:
    """They are counted, named, and left out of every rate."""
    found = summarise([gate()] * 10 + [gate("INVALID")] * 20)
    assert found is not None
    assert found.rows[0].decided == 10
    assert "10 A/A gates, 0 FAIL (<= 25.9 %), 0 INCONCLUSIVE (20 INVALID left out)" in found.text()


def test_gates_of_another_setup_do_not_count() -> None:
    """Another profile or limit is another gate; the newest one's setup is meant."""
    found = summarise([gate("FAIL", setup="old"), gate(), gate()])
    assert found is not None
    assert (found.rows[0].gates, found.rows[0].failed, found.left_out) == (2, 0, 1)


def test_simulated_gates_are_not_quoted_as_real() -> None:
    """They have a row of their own, and the line speaks of this host."""
    found = summarise([gate(), gate(kind="simulated", host_model="iid", wall_s=0.1)])
    assert found is not None
    assert [(row.kind, row.gates) for row in found.rows] == [("real", 1), ("simulated", 1)]
    assert "simulated" not in found.text()


def test_seconds_per_gate() -> None:
    """Median and longest."""
    (row,) = summarise([gate(wall_s=s) for s in (100.0, 300.0, 350.0)]).rows  # type: ignore[union-attr]
    assert (row.median_s, row.max_s) == (300.0, 350.0)


def test_a_spoilt_line_is_counted_and_costs_only_itself(tmp_path: Path) -> None:
    """A cut-off file still says what it holds."""
    keep(tmp_path, gate(), gate())
    with calibration_file(tmp_path, HOST).open("ab") as file:
        file.write(b'{"verdict": "PASS"}\n{"at_u')
    found = last_calibration(tmp_path, HOST)
    assert found is not None
    assert (found.rows[0].gates, found.unreadable) == (2, 2)


def test_a_simulated_regression_is_found_by_the_gates_own_judge() -> None:
    """+20 % of the slowest 3 % of one step: FAIL naming it."""
    injection = Injection(1.2, "tail", (STEPS.index("charge"),))
    result = simulated_gate("iid", injection, RegressionSettings(), 1, 0)
    assert blamed(result) == ("charge",)


def test_simulated_gates_of_a_series_differ() -> None:
    """A second call that goes on counting does not count the same draw twice."""
    first, second = (simulated_gate("iid", None, RegressionSettings(), 1, n) for n in (0, 1))
    assert first.rows[0].ratio != second.rows[0].ratio
    assert first.rounds in SHAPE.plan.rounds


def test_gates_kept_before_draws_were_are_known_for_twins() -> None:
    """Both arms drew from one seed then, and nobody should read them as independent."""
    old = {key: value for key, value in gate().model_dump().items() if key not in ("draws", "seed")}
    found = summarise([GateRecord.model_validate(old)])
    assert found is not None
    assert "same draws" in found.text()
