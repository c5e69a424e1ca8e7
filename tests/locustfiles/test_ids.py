"""Ids of sessions and requests: the seed's shape, and of one run alone."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.generator.generator import plan_json
from recording.profile_file import load_profile

ROOT = Path(__file__).parents[2]
MADE_UP = (
    "from locustfiles.listeners import WORKER as w; print(w.session_id(42, 0), w.next_request_id())"
)


def ids(**environment: str) -> list[str]:
    """What a Locust process makes up for its first session and request."""
    done = subprocess.run(
        [sys.executable, "-c", MADE_UP],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


@pytest.fixture(scope="module")
def plan() -> str:
    """What the harness hands to a worker elsewhere, of the run with this token."""
    profile = load_profile(ROOT / "tests" / "fixtures" / "tiny.toml", ["seed=1"])
    return plan_json(profile, "1a2b3c4d", {}, None, 1)(None)


def test_ids_of_a_run_carry_its_token(plan: str) -> None:
    """The end of the run's id, so that the shop's logs lead back to it."""
    session, request = ids(LOADGATE_PLAN=plan, LOADGATE_EPOCH="0", LOADGATE_TOKEN="secret")
    assert session == "lt-1a2b3c4d-00-00042-0"
    assert re.fullmatch(r"lt-req-\d{4}-\d\d-\d\d-1a2b3c4d-000000001", request)


def test_a_repeated_seed_repeats_no_id(tmp_path: Path) -> None:
    """Locust by hand, twice with one profile: a shop that keeps carts meets none again."""
    profile = tmp_path / "profile.toml"
    profile.write_text("seed = 1\n" + (ROOT / "tests" / "fixtures" / "tiny.toml").read_text())
    first, second = (ids(LOADGATE_PROFILE=str(profile)) for _ in range(2))
    assert not {*first} & {*second}
