"""The fast rows of the fault matrix; `make faults` runs all of them."""

import pytest

from tests.faults.fault import Fault
from tests.faults.matrix import rows, run_row

FAST = [row for row in rows() if row.fast]


@pytest.mark.parametrize("fault", [pytest.param(row, id=f"{row.item}-{row.name}") for row in FAST])
def test_what_must_come_out_does(fault: Fault) -> None:
    """No traceback, no hang, no orphan, and the verdict, exit code and words of the row."""
    assert run_row(fault).wrong == ""
