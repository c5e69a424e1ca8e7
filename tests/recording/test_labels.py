"""What may be said with --label, and where it is kept."""

from pathlib import Path

import pytest

from recording.errors import ConfigError
from recording.labels import MAX_CHARS, MOST, as_text, parse_labels
from recording.load import Load, Phase
from recording.manifest import Manifest, read_manifest, write_manifest
from recording.profile import Profile


def manifest(**more: object) -> Manifest:
    """The least one."""
    load = Load(phases=(Phase(name="p", duration=1, users=1, measured=True),))
    made = {"run_id": "r", "profile": Profile(name="made", load=load), "started_utc": "now"}
    return Manifest.model_validate(made | {"epoch_wall_s": 0.0} | more)


def test_labels_are_kept_in_order_and_may_hold_equals_signs() -> None:
    """Only the first one parts key and value."""
    found = parse_labels(["shop=1.4.2", "query=a=b"])
    assert found == {"shop": "1.4.2", "query": "a=b"}
    assert as_text(found) == "shop=1.4.2, query=a=b"


@pytest.mark.parametrize(
    "given",
    [
        ["shop"], ["=1"], ["1shop=2"], ["a b=2"], ["shop="], ["shop=a\nb"], ["shop=\x1b[31m"],
        [f"shop={'x' * (MAX_CHARS + 1)}"], ["shop=1", "shop=2"], [f"{'k' * 64}=1"],
        [f"k{n}=1" for n in range(MOST + 1)],
    ],
)  # fmt: skip
def test_what_is_no_label_is_refused_by_option(given: list[str]) -> None:
    """One line that names the option."""
    with pytest.raises(ConfigError, match=r"^--label") as refused:
        parse_labels(given)
    assert "\n" not in str(refused.value)


def test_the_manifest_keeps_labels_and_says_nothing_of_none(tmp_path: Path) -> None:
    """A recording without labels is as those of before."""
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest(labels={"shop": "1.4.2"}))
    assert read_manifest(path).labels == {"shop": "1.4.2"}
    write_manifest(path, manifest())
    assert b"labels" not in path.read_bytes()


def test_a_label_that_is_a_secret_is_hidden(tmp_path: Path) -> None:
    """As everywhere in a run's files."""
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest(labels={"api_key": "abcdefgh"}))
    assert "abcdefgh" not in path.read_text()
