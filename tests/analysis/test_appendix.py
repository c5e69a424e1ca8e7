"""Examples of requests on a page: their ids, and their traces where there are any."""

import tarfile
from dataclasses import replace
from pathlib import Path

from analysis.evidence.run import load_evidence
from analysis.report.appendix import appendix
from recording.rundir import RunDir

KEPT = Path(__file__).parents[1] / "fixtures" / "recordings" / "format-3-smoke.tar.xz"


def test_a_trace_stands_beside_the_id_of_its_request(tmp_path: Path) -> None:
    """A recording of before there were traces has no column for them."""
    with tarfile.open(KEPT) as archive:
        archive.extractall(tmp_path, filter="data")
    evidence = load_evidence(RunDir(tmp_path / "format-3-smoke"))
    before = appendix(evidence, "limits.toml")[1]
    rows = tuple(
        {**row, "trace_id": f"{number:032x}"} for number, row in enumerate(evidence.exemplars)
    )
    after = appendix(replace(evidence, exemplars=rows), "limits.toml")[1]
    assert [column.title for column in after.columns] == [
        *(column.title for column in before.columns), "trace id",
    ]  # fmt: skip
    assert {row.cells[-1] for row in after.rows} <= {row["trace_id"] for row in rows}
