"""Which manifests are read, and what is said of the others."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from recording.errors import ConfigError, ManifestError
from recording.flow import FLOW, FOUR
from recording.manifest import FORMAT, FORMATS, Manifest, read_manifest, write_manifest
from tests.recording.test_files import manifest

UNKNOWN = (99, 5, 0, -3, 10**30, "x", "1", True, False, 1.0, 2.0, None, [1], {"format": 1})


def with_format(path: Path, *said: Any) -> Path:
    """A manifest file that says this of its format, or nothing."""
    write_manifest(path, manifest())
    table = json.loads(path.read_bytes())
    del table["format"], table["digest"], table["services"], table["steps"]
    path.write_text(json.dumps(table | dict(zip(["format"], said, strict=False))))
    return path


def test_the_formats_that_are_known_are_read(tmp_path: Path) -> None:
    """What is written now, and what was before."""
    path = tmp_path / "manifest.json"
    for number in FORMATS:
        write_manifest(path, manifest().model_copy(update={"format": number}))
        assert read_manifest(path).format == number
    assert read_manifest(with_format(path, 1)).format == 1
    assert manifest().format == FORMAT == max(FORMATS)


@pytest.mark.parametrize("said", UNKNOWN, ids=repr)
def test_any_other_format_is_an_error_that_says_which_are_known(tmp_path: Path, said: Any) -> None:
    """Numbers that are not known, words, truth values, fractions, nothing."""
    with pytest.raises(ConfigError, match=r"format .*: this loadgate reads 1, 2, 3 and 4"):
        read_manifest(with_format(tmp_path / "manifest.json", said))


def test_a_manifest_without_a_format_is_an_error(tmp_path: Path) -> None:
    """It is not taken for the newest one."""
    with pytest.raises(ConfigError, match="format missing"):
        read_manifest(with_format(tmp_path / "manifest.json"))


@pytest.mark.parametrize("text", ["[]", "7", "null", '"x"'])
def test_a_manifest_that_is_no_table_is_an_error(tmp_path: Path, text: str) -> None:
    """Any other JSON."""
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not a table"):
        read_manifest(path)


def stored(path: Path, change: Any) -> Path:
    """A manifest file of today whose table was changed before it was closed."""
    write_manifest(path, manifest())
    table = json.loads(path.read_bytes())
    change(table)
    data = orjson.dumps(table | {"digest": ""}, option=orjson.OPT_INDENT_2) + b"\n"
    digest = hashlib.sha256(data).hexdigest()
    path.write_bytes(data.replace(b'"digest": ""', f'"digest": "{digest}"'.encode()))
    return path


def test_keys_of_the_profile_that_are_not_known_are_kept_and_ignored(tmp_path: Path) -> None:
    """At any depth; and so are those of the manifest and of its services."""

    def newer(table: dict[str, Any]) -> None:
        table["weather"] = "fine"
        table["profile"] |= {"pace": {"of": "users"}}
        table["profile"]["load"]["phases"][0]["mood"] = 1
        table["services"][0]["region"] = "eu"

    found = read_manifest(stored(tmp_path / "manifest.json", newer))
    assert found.profile == manifest().profile
    assert found.flow() == FOUR
    write_manifest(tmp_path / "again.json", found)
    table = json.loads((tmp_path / "again.json").read_bytes())
    assert table["profile"]["pace"] == {"of": "users"}
    assert table["profile"]["load"]["phases"][0]["mood"] == 1


def test_keys_of_the_profile_that_are_not_there_mean_their_defaults(tmp_path: Path) -> None:
    """And are not there when it is written again; what has no default is named."""

    def older(table: dict[str, Any]) -> None:
        del table["profile"]["validity"], table["profile"]["journey"]["funnel"]["charge"]

    found = read_manifest(stored(tmp_path / "manifest.json", older))
    assert found.profile == manifest().profile
    write_manifest(tmp_path / "again.json", found)
    assert "validity" not in json.loads((tmp_path / "again.json").read_bytes())["profile"]
    without = stored(tmp_path / "bad.json", lambda table: table["profile"].pop("load"))
    with pytest.raises(ManifestError, match=r"bad\.json: profile\.load: Field required"):
        read_manifest(without)


def test_a_profile_that_was_changed_is_written_as_it_is(tmp_path: Path) -> None:
    """What was read is written back only as long as it is what the profile says."""
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest())
    found = read_manifest(path)
    other = found.profile.model_copy(update={"description": "another"})
    write_manifest(path, found.model_copy(update={"profile": other}))
    assert read_manifest(path).profile == other


def test_the_services_stand_in_the_manifest(tmp_path: Path) -> None:
    """Before they did (formats 1 and 2) they were the four; today's must have them."""
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest())
    table = json.loads(path.read_bytes())
    assert [row["subject"] for row in table["services"]] == list(FLOW.subjects)
    assert table["steps"] == list(FLOW.steps)
    assert read_manifest(with_format(path, 1)).flow() == FOUR
    with pytest.raises(ManifestError, match=f"format {FORMAT} without its services and steps"):
        read_manifest(stored(path, lambda table: table.pop("steps")))


def test_a_new_manifest_is_of_the_newest_format() -> None:
    """Nobody has to say so."""
    assert Manifest.model_fields["format"].default == FORMAT


def test_every_byte_of_a_manifest_counts(tmp_path: Path) -> None:
    """One that is changed, left out or added anywhere is noticed, and so is a missing digest."""
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest())
    data = path.read_bytes()
    changed = [data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :] for i in range(len(data))]
    cut = [data[:i] + data[i + 1 :] for i in range(len(data))]
    for spoilt in (*changed, *cut, data + b"\n", b" " + data):
        path.write_bytes(spoilt)
        with pytest.raises(ManifestError, match=r"manifest\.json"):
            read_manifest(path)
    with pytest.raises(ManifestError, match="its own digest does not fit"):
        read_manifest(with_format(path, 2))
    path.write_bytes(data)
    assert read_manifest(path).model_dump() == manifest().model_dump()


def test_a_manifest_that_says_it_is_of_format_1_keeps_its_digest(tmp_path: Path) -> None:
    """Calling it older does not make it one without digests."""
    path = tmp_path / "manifest.json"
    write_manifest(path, manifest())
    path.write_bytes(path.read_bytes().replace(f'"format": {FORMAT}'.encode(), b'"format": 1'))
    with pytest.raises(ManifestError, match="its own digest does not fit"):
        read_manifest(path)


def test_a_manifest_of_format_1_has_no_digests_of_files(tmp_path: Path) -> None:
    """Leaving out its own does not make one with those of the files an older one."""
    path = tmp_path / "manifest.json"
    table = manifest().model_dump(mode="json") | {"files": {"load.csv": {"bytes": 1, "sha256": ""}}}
    path.write_text(json.dumps(table | {"format": 1}))
    with pytest.raises(ManifestError, match="its own digest does not fit"):
        read_manifest(path)


def test_a_manifest_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    """A terabyte of nothing."""
    path = tmp_path / "manifest.json"
    path.touch()
    os.truncate(path, 2**40)
    with pytest.raises(ManifestError, match="cannot be read: larger than 16 MB"):
        read_manifest(path)
