"""Faults in a profile: each kind has attributes of its own; what cannot be is refused."""

from pathlib import Path

import pytest

from recording.errors import ConfigError
from recording.faults import KINDS
from recording.profile import Profile
from recording.profile_file import load_profile

TINY = Path(__file__).parents[1] / "fixtures" / "tiny.toml"
NEEDED = {"latency": "200ms", "rate": 1, "delay": "1s", "average_size": 10, "bytes": 0}


def fault(kind: str, **attributes: object) -> str:
    table = {"at": "1s", "for": "2s", "service": "inventory_lock", "kind": kind, **attributes}
    written = (f"{key} = {value!r}" for key, value in table.items())
    return f"{{{', '.join(written)}}}"


def loaded(*faults: str) -> Profile:
    return load_profile(TINY, [f"faults=[{', '.join(faults)}]"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_and_kept(kind: str) -> None:
    """With what it needs; a manifest gives the same back."""
    needs = {name: NEEDED[name] for name in KINDS[kind].needs}
    profile = loaded(fault(kind, **needs))
    (read,) = profile.faults
    assert (read.at, read.duration, read.ends_s, read.below_http) == (1, 2, 3, KINDS[kind].below)
    assert set(read.attributes) == {*KINDS[kind].needs, *KINDS[kind].may}
    assert None not in read.attributes.values()
    assert Profile.model_validate(profile.model_dump(mode="json")) == profile


def test_a_profile_without_faults_says_nothing_of_them() -> None:
    """So its manifest and its load's digest are those of before."""
    assert "faults" not in load_profile(TINY).model_dump()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (fault("lag"), "faults.0.kind = 'lag': write 'latency', 'down'"),
        (fault("reset_peer", rate=1), "kind 'reset_peer' has no rate: it takes timeout"),
        (fault("down", timeout="1s"), "kind 'down' has no timeout: it takes no attribute"),
        (fault("bandwidth"), "kind 'bandwidth' needs rate: it takes rate"),
        (fault("latency", latncy="1s"), "'faults.0.latncy'; did you mean 'latency'?"),
        (fault("latency", latency=200), "a duration needs its unit"),
        (fault("slicer", average_size=5, size_variation=5), "smaller than average_size"),
        (fault("down", toxicity=0), "kind 'down' has no toxicity"),
        (fault("down", at="9s"), "after the end of the load, which lasts 8 s"),
        (fault("down", service="paymnt"), "did you mean 'payment'?"),
        (fault("replica_down", service="cart"), "is one of inventory_lock"),
        (
            f"{fault('down')}, {fault('down', at='2s')}",
            "two of kind down at inventory_lock",
        ),
    ],
)
def test_what_cannot_be_is_refused(written: str, message: str) -> None:
    """Naming what is allowed."""
    with pytest.raises(ConfigError) as caught:
        loaded(written)
    assert message in str(caught.value)


def test_faults_of_services_that_are_not_ours_are_refused() -> None:
    """Nobody can stand before a shop that is there already."""
    urls = [f"target.{key}=http://127.0.0.1:9" for key in ("checkout", "payment", "cart")]
    with pytest.raises(ConfigError, match="the mocks that a run starts"):
        load_profile(TINY, [f"faults=[{fault('down')}]", *urls])
