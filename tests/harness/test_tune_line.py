"""`loadgate tune`: what a command line says before anything is loaded."""

import pytest

from tests.faults.in_process import loadgate

POOL, REPLICAS = "inventory_lock.pool_max", "inventory_lock.replicas"
RANGE = ("--range", "50..400")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ((POOL, *RANGE, "--within", "0s"), "a search takes 150 s at least"),
        ((POOL, *RANGE, "--set", "services.inventory_lock.pol_max=3"), "unknown key 'pol_max'"),
        ((POOL, "--set", "services.inventory_lock.pool_max=0"), "pool_max"),
        (("inventory_lock.error_share", "--range", "0.1..0.9"), "it is 0 today"),
        ((POOL, *RANGE, "--from", "RUN", "--at", "3x"), "--at is for a search with load"),
        ((POOL, *RANGE, "--from", "RUN", "--seed", "0"), "--seed is for a search with load"),
        ((POOL, *RANGE, "--from", "RUN", "--within", "300s"), "--within is for a search with load"),
        ((POOL, *RANGE, "--from", "RUN", "--label", "a=b"), "--label is for a search with load"),
        ((POOL, *RANGE, "--from", "RUN", "--surge", "50%"), "--surge is for a search with load"),
        ((REPLICAS, *RANGE, "--from", "RUN"), "only a pool_max can be predicted"),
        ((POOL, "--profile", "lock-pool", "--at", "2x"), "--at is for a search with load"),
        (
            (POOL, "--profile", "lock-pool", "--replicas", "2..5", "--max-connections", "10"),
            "fills for minutes, and is played without load: --replicas is for a search",
        ),
        ((POOL, *RANGE, "--surge", "50%"), "--surge is of replicas: add --replicas"),
        ((POOL, "--profile", "tune"), "0 given for 1 setting: one for each"),
    ],
)
def test_a_mistake_is_told_and_nothing_begins(line: tuple[str, ...], said: str) -> None:
    """By exit code 2, and never as an internal error."""
    found = loadgate("tune", *line)
    assert found.exit_code == 2
    assert said in found.text


def test_a_pool_that_is_large_enough_needs_no_remedy() -> None:
    """It is said to be fine, and no line to set is printed."""
    large = "services.inventory_lock.pool_max=200"
    found = loadgate("tune", POOL, "--profile", "lock-pool", "--set", large)
    assert found.exit_code == 0
    assert "34 % full: fine" in found.text
    assert "--set" not in found.text


def test_a_search_with_load_has_no_dry_run() -> None:
    """Of which the gate's own profile has no section."""
    found = loadgate("gate", "--capacity", "--dry-run")
    assert found.exit_code == 2
    assert "not of a search" in found.text
