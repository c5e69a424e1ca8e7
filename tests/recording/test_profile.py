"""recording/profile.py and profile_file.py: one value, built once, or a clear refusal."""

from pathlib import Path

import numpy as np
import pytest

from recording.durations import format_duration, parse_duration_s
from recording.errors import ConfigError
from recording.journey import Funnel
from recording.load import Load, Phase
from recording.profile import Profile
from recording.profile_file import load_profile

PROFILES = Path(__file__).parents[2] / "profiles"
SMOKE = PROFILES / "smoke.toml"


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_profile_loads(path: Path) -> None:
    """Each file in profiles/ is a valid profile with a description."""
    profile = load_profile(path)
    assert profile.name == path.stem
    assert profile.description


@pytest.mark.parametrize(
    ("override", "message"),
    [
        # a misspelt key names the nearest known one, at any depth
        ("lod.x=1", "unknown key 'lod'; did you mean 'load'?"),
        ("load.phases.sustained.usrs=3", "'load.phases.sustained.usrs'; did you mean 'users'?"),
        ("journey.funnel.chrge=1", "did you mean 'charge'?"),
        # one that had no effect is told as such
        (
            "target.payment_key=sk_test_1",
            "'target.payment_key'; nothing ever read it: leave it out",
        ),
        # a list entry is found by name
        ("load.phases.sustaind.users=3", "did you mean 'sustained'?"),
        # values out of range say what is allowed
        ("journey.funnel.charge=2", "less than or equal to 1"),
        ("load.phases.0.duration=soon", "write 250ms, 90s, 2m, 1h30m or 2d"),
        ("journey.think={ min = '3s', max = '2s' }", "min must be at least 0 and at most max"),
        ("load.phases=3", "--set load.phases=3: write a list"),
        ("load", "write key=value"),
        ("seed.x=1", "'seed' is"),
        ("load.phases.sustained.measured=false", "no phase has measured = true"),
        ("target.checkout=http://127.0.0.1:1", "give checkout, payment and cart urls"),
        ("journey.retry_key=old", "'same' or 'new'"),
        ("journey.retries=11", "less than or equal to 10"),
        ("load.bursts=[{ at = '1s', for = '2s', factor = 3 }]", 'they need model = "arrivals"'),
        ("load.bursts=[{ at = '1s', for = 2, factor = 3 }]", "a duration needs its unit"),
    ],
)
def test_a_bad_override_is_one_clear_error(override: str, message: str) -> None:
    """Every mistake is a ConfigError that names the key and what is allowed."""
    overrides = ["seed=7", override] if override.startswith("seed.") else [override]
    with pytest.raises(ConfigError) as caught:
        load_profile(SMOKE, overrides)
    assert message in str(caught.value)


def test_all_problems_of_a_profile_are_reported_at_once() -> None:
    """Two mistakes, two lines."""
    with pytest.raises(ConfigError) as caught:
        load_profile(SMOKE, ["lod=1", "journey.decline_share=7"])
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [("load = [", "not valid TOML"), ("", "load is missing"), (b"\xff\xfe", "cannot be read")],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    """Broken TOML gives its line; an empty file says what is missing."""
    path = tmp_path / "bad.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=message) as caught:
        load_profile(path)
    assert "bad.toml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path stands in the message."""
    with pytest.raises(ConfigError, match=r"none\.toml: no such file"):
        load_profile(tmp_path / "none.toml")


def test_overrides_reach_services_by_any_spelling() -> None:
    """inventory-lock, inventory_lock and inventory-lock-service are one table."""
    for name in ("inventory-lock", "inventory_lock", "inventory-lock-service"):
        profile = load_profile(SMOKE, [f"services.{name}.pool_max=5"])
        assert profile.services["inventory_lock"]["pool_max"] == 5


def test_the_default_funnel_is_appendix_a() -> None:
    """298 browse/s become 1,043 requests/s, as at the seed's peak (3 % of charges declined)."""
    assert 298 * Funnel().requests_per_journey(0.03) == pytest.approx(1043, rel=0.005)


def test_users_move_in_straight_lines_between_phases() -> None:
    """Half way up the ramp half the users are wanted; after the end there is no plan."""
    load = Load(
        phases=(
            Phase(name="up", duration=10, users=100),
            Phase(name="flat", duration=10, users=100, measured=True),
            Phase(name="down", duration=10, users=0),
        )
    )
    wanted = [load.intended(t) for t in (0, 5, 15, 25, 30)]
    assert wanted == [0, 50, 100, 50, None]
    ends_s, users = load.corners
    assert ends_s[-1] == load.duration_s
    for t_s in (0.0, 2.5, 10.0, 17.0, 20.0, 29.9):
        assert np.interp(t_s, ends_s, users) == pytest.approx(load.intended(t_s))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("90s", 90),
        ("2h", 7200),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1.5s", 1.5),
        ("1500ms", 1.5),
        ("0.1s", 0.1),
        (5, 5),
    ],
)
def test_durations_are_read_as_written(text: object, seconds: float) -> None:
    """The forms people write."""
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "7", "5 parsecs", "-3s", "1h-2m", "1e3s", "inf", "infs", "nan", "٣s", True]
)
def test_nonsense_is_no_duration(text: object) -> None:
    """Refused with the allowed forms."""
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration_s(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.25, "250ms"), (42, "42s"), (150, "2m30s"), (22440, "6h14m"), (172800, "48h")],
)
def test_durations_are_shown_short(seconds: float, text: str) -> None:
    """At most two units."""
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("looks", "why"),
    [
        ("[4]", "at least 8"),
        ("[6, 40]", "at least 8"),
        ("[8]", "ever FAIL"),
        ("[8, 14]", "ever FAIL"),
    ],
)
def test_looks_that_can_never_decide_are_refused(looks: str, why: str) -> None:
    """Too few rounds for an interval, or too few orders for any FAIL: said before any load."""
    with pytest.raises(ConfigError, match=why):
        load_profile(PROFILES / "gate.toml", [f"gate.looks={looks}"])


@pytest.mark.parametrize("looks", ["[14]", "[8, 16]", "[24, 40]"])
def test_looks_that_can_decide_are_taken(looks: str) -> None:
    """Fourteen rounds at once have 3,432 orders, eight and eight 4,900."""
    assert load_profile(PROFILES / "gate.toml", [f"gate.looks={looks}"]).gate is not None


def test_bursts_are_written_and_read_back_as_they_were_meant(tmp_path: Path) -> None:
    """``for`` in the file and in the manifest; one that would never begin is refused."""
    path = tmp_path / "bursts.toml"
    text = """
    [load]
    model = "arrivals"
    phases = [{ name = "p", duration = "10s", arrivals_per_s = 5, measured = true }]
    [[load.bursts]]
    at = "2s"
    for = "3s"
    factor = 4
    """
    path.write_text(text)
    profile = load_profile(path)
    assert [profile.load.intended(t) for t in (1.0, 2.0, 4.9, 5.0)] == [0.5, 4.0, 9.8, 2.5]
    assert profile.load.peak_arrivals_per_s == 20
    assert Profile.model_validate(profile.model_dump(mode="json")) == profile
    path.write_text(text.replace('at = "2s"', 'at = "10s"'))
    with pytest.raises(ConfigError, match="a burst at 10 s: the load ends after 10 s"):
        load_profile(path)
