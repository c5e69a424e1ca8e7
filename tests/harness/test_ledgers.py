"""harness/scene/services.py: each service is told of a ledger of its own."""

from pathlib import Path

import pytest

from harness.scene.services import Origin
from recording.rundir import EVIDENCE, RunDir


@pytest.mark.parametrize("arm", ["", "base", "head"])
def test_each_service_keeps_its_own_ledger(tmp_path: Path, arm: str) -> None:
    """Orders and payments lie apart, by arm, and are evidence; who keeps none is told of none."""
    run = RunDir(tmp_path / "run")
    knows = dict.fromkeys(("checkout", "payment", "cart"), ("ledger_path",))
    origin = Origin(arm=arm, knows=knows)
    told = {name: origin.wiring(name, {}, run).get("ledger_path") for name in knows}
    assert told == {
        "checkout": str(run.orders_of(arm)),
        "payment": str(run.payments_of(arm)),
        "cart": None,
    }
    ledgers = {run.name_of(run.orders_of(arm)), run.name_of(run.payments_of(arm))}
    assert len(ledgers) == 2
    assert ledgers < set(EVIDENCE)
