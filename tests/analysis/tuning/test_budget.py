"""analysis/tuning/budget.py and paste.py: what replicas may have each, and lines to paste."""

import pytest

from analysis.tuning.asked import Asked, Budget, Setting
from analysis.tuning.budget import shared
from analysis.tuning.paste import lines
from recording.profile import Profile, Tune
from recording.shop import Shop

MOCKS = Profile.model_validate(
    {
        "name": "p",
        "load": {"phases": [{"name": "on", "duration": 1, "users": 1, "measured": True}]},
    }
)


@pytest.mark.parametrize(
    ("most", "surge", "connections", "replicas", "pool_max"),
    [(5, 0.25, 400, 7, 57), (4, 0.25, 400, 5, 80), (5, 0.0, 400, 5, 80), (10, 0.2, 400, 12, 33),
     (3, 0.25, 3, 4, 0)],
)  # fmt: skip
def test_a_rolling_update_at_the_autoscalers_most_is_within_the_budget(
    most: int, surge: float, connections: int, replicas: int, pool_max: int
) -> None:
    """Surge is rounded up, connections for each down."""
    found = shared(Budget(2, most, connections, surge))
    assert (found.replicas, found.pool_max) == (replicas, pool_max)
    assert not found.exceeded_by(pool_max)
    assert found.exceeded_by(pool_max + 1)


def test_what_was_asked_survives_the_manifest() -> None:
    """As JSON would give it back."""
    asked = Asked(
        (Setting("inventory_lock.pool_max", 50, 400, 64, "connections"),),
        load=60.0,
        loads=(1.0, 1.5),
        budget=Budget(2, 5, 400, 0.25),
        services={"inventory_lock": {"hold": "transaction"}},
    )
    assert Asked.of(asked.told()) == asked


def test_lines_to_paste_have_the_number_in_each_pools_own_words() -> None:
    """Pools of five libraries, a profile, and an option."""
    setting = Setting("inventory_lock.pool_max", 50, 400, 64, "connections")
    said = dict(lines(setting, 98.0, MOCKS))
    assert said["loadgate run"] == "--set services.inventory_lock.pool_max=98"
    assert all("98" in line for line in said.values())
    assert {"HikariCP", "SQLAlchemy", "asyncpg", "PgBouncer", "Go database/sql"} <= said.keys()
    arm = MOCKS.model_copy(update={"arm": Shop(start="shop --port {port}")})
    own = Setting("shop.POOL_SIZE", 5, 60, 10, "connections")
    assert dict(lines(own, 24.0, arm))["[arm.environment]"] == 'POOL_SIZE = "24"'
    told = arm.model_copy(update={"tune": Tune(apply="sh -c 'SIZE={value} up {setting}'")})
    assert dict(lines(own, 24.0, told))["[tune] apply"] == "sh -c 'SIZE=24 up shop.POOL_SIZE'"
    timeout = Setting("checkout.pool_wait_timeout_s", 0.1, 5, 2, "s", whole=False)
    assert "1500" in dict(lines(timeout, 1.5, MOCKS))["HikariCP"]
