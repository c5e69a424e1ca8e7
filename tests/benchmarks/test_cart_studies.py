"""The cart's studies: 48 hours in virtual time, and ids that nobody has seen."""

import json
import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.studies.strangers import ASKED, StrangersPlan
from harness.system.paths import PROJECT
from mock_services.table import SERVICES


def played(size: str) -> Mapping[str, list[float]]:
    """In a process of its own: what counts is its resident memory."""
    command = [sys.executable, "-m", "benchmarks.studies.cart_leak", "--json", "--size", size]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    curve: Mapping[str, list[float]] = json.loads(done.stdout)
    return curve


@pytest.mark.long
def test_the_carts_48_hours_are_the_seeds() -> None:
    """About 37 MB/h from 512 MB, collected at T+36h by about 1.18 GB, and on at the same pace."""
    curve = played("0.05")
    hours, mb = np.array(curve["hours"]), np.array(curve["mb"])
    collected = int(np.argmin(np.diff(mb))) + 1
    assert abs(mb[0] - 512) < 10
    assert abs(hours[collected] - 36) < 2
    assert abs((mb[collected - 1] - mb[0]) / hours[collected] - 37) < 2
    assert abs(mb[collected - 1] - mb[collected] - 1180) < 100
    before = (hours > 8) & (hours < 30)
    after = (hours > hours[collected] + 2) & (hours < 44)
    slopes = [np.polyfit(hours[part], mb[part], 1)[0] for part in (before, after)]
    assert abs(slopes[0] - 36) < 2
    assert slopes[1] > 20


def test_strangers_ask_every_service_with_new_ids() -> None:
    """No service is left out, no request is sent twice."""
    assert set(ASKED) == set(SERVICES)
    for service, asked in ASKED.items():
        plan = StrangersPlan(service, "127.0.0.1:1")
        sent = [plan.next().data.decode() for _ in range(2 * len(asked))]
        lines = {text.split(" HTTP")[0] + text.rpartition("\r\n\r\n")[2] for text in sent}
        assert len(lines) == len(sent)
