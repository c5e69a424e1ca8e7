"""What is written in place of a value is read as meant or refused in one line, never guessed."""

import contextlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from harness import cli
from recording.errors import ConfigError
from recording.given_files import read_given_text
from recording.load import Load
from recording.profile_file import load_profile
from recording.urls import base_url
from tests.recording.not_files import NOT_FILES
from tests.recording.wrong_inputs import DURATION, WRONG, WRONG_SETTINGS

SMOKE = Path(__file__).parents[2] / "profiles" / "smoke.toml"


def refusal(words: list[str], capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> str:
    """What `loadgate words` says before it ends with exit code 2."""
    patch.setattr(sys, "argv", ["loadgate", *words])
    patch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr().err
    assert caught.value.code == 2, said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_a_wrong_value_is_refused_by_its_key(key: str, value: str, message: str) -> None:
    """One line that names file, key and what is allowed."""
    overrides = [f"{key}={value}"]
    if key == "target.checkout":
        overrides += [f"target.{name}=http://localhost:1" for name in ("payment", "cart")]
    with pytest.raises(ConfigError) as caught:
        load_profile(SMOKE, overrides)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{SMOKE}: ")
    assert key.split(".")[-1] in line
    assert message in line


@pytest.mark.parametrize(("key", "value", "message"), WRONG_SETTINGS)
@pytest.mark.parametrize("verb", [["run", "smoke"], ["mocks"], ["mocks", "--profile", "smoke"]])
def test_a_wrong_setting_of_a_mock_is_refused_by_every_verb(
    verb: list[str],
    key: str,
    value: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`loadgate mocks` reads its settings as `loadgate run` does."""
    said = refusal([*verb, "--set", f"{key}={value}"], capsys, monkeypatch)
    assert message in said
    assert key.split(".")[-1] in said


SETS = {
    "run": ["smoke"],
    "gate": ["--base", ".", "--head", "."],
    "capacity": [],
    "tune": ["inventory_lock.pool_max"],
    "mocks": [],
}
"""Every verb that has `--set`, and what else it needs."""
COMMAND = get_command(cli.app)


def test_every_verb_with_set_is_known_here() -> None:
    """A new one is tried below as well."""
    verbs = COMMAND.whole().items()  # type: ignore[attr-defined]
    assert {n for n, verb in verbs if any("--set" in p.opts for p in verb.params)} == {*SETS}


@pytest.mark.parametrize("verb", SETS)
@pytest.mark.parametrize(
    ("misspelt", "message"),
    [
        ("services.payment.pol_max=1", "did you mean 'pool_max'?"),
        ("servces.x=1", "did you mean 'services'?"),
        ("journey.thnk=1", "unknown key 'journey"),
    ],
)
def test_a_misspelt_key_is_refused_by_every_verb(
    verb: str,
    misspelt: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One loader reads them all."""
    said = refusal([verb, *SETS[verb], "--set", misspelt], capsys, monkeypatch)
    assert message in said


@pytest.mark.parametrize("key", ["servces.cart.ttl_s", "load.processes", "ttl_s"])
def test_mocks_refuse_what_is_no_setting_of_theirs(
    key: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that would be ignored is a misspelt one."""
    said = refusal(["mocks", "--set", f"{key}=1"], capsys, monkeypatch)
    assert f"unknown key '{key.partition('.')[0]}'" in said
    assert "services" in said


@pytest.mark.parametrize("text", ["1.5s", "1500ms", "1s500ms"])
def test_fractions_of_a_second_are_durations(text: str) -> None:
    """Three ways to write the same."""
    profile = load_profile(SMOKE, [f"{DURATION}={text}"])
    assert profile.measured_s == 1.5


def test_what_a_program_wrote_holds_seconds() -> None:
    """A manifest and the plan of a worker are read without units."""
    load = load_profile(SMOKE).load
    assert Load.model_validate(load.model_dump(mode="json")) == load


@pytest.mark.parametrize("text", [
    "http://localhost:8001", "https://shop.example", "http://[::1]:8001", "http://127.0.0.1/base",
    "http://my_pod-1.svc:80/",
])  # fmt: skip
def test_a_url_of_a_service_is_kept(text: str) -> None:
    """Without the slash at its end."""
    assert base_url(text) == text.rstrip("/")


@given(
    st.text(max_size=40), st.sampled_from(["", "http://", "http://[", "https://a:", "http://a@"])
)
def test_any_text_is_a_url_or_refused(text: str, before: str) -> None:
    """Never another error; what is accepted has a host and no character that hides."""
    with contextlib.suppress(ValueError):
        url = base_url(before + text)
        assert not url or (url.isascii() and url.isprintable())


def test_an_override_that_is_not_utf8_is_refused() -> None:
    """A byte of the command line that is none would not fit into the manifest."""
    with pytest.raises(ConfigError, match="--set description=�: not UTF-8"):
        load_profile(SMOKE, ["description=\udcff"])


@given(st.text(max_size=60))
def test_any_override_is_read_or_refused(text: str) -> None:
    """--set never ends in another error than a refusal."""
    for override in (text, f"{DURATION}={text}"):
        with contextlib.suppress(ConfigError):
            load_profile(SMOKE, [override])


@pytest.mark.timeout(20)
@pytest.mark.parametrize("words", [
    ["run", "FILE"], ["run", "smoke", "--thresholds", "FILE"], ["mocks", "--profile", "FILE"],
    ["gate", "--base", "url:FILE"], ["gate", "--base", ".", "--head", "url:FILE"],
    ["gate", "--profile", "FILE"], ["calibrate", "--profile", "FILE"],
], ids="-".join)  # fmt: skip
@pytest.mark.parametrize("kind", NOT_FILES)
def test_what_is_no_file_is_refused_at_once(
    words: list[str],
    kind: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No device, pipe or huge file is waited for or read to its end."""
    path = tmp_path / "given.toml"
    make, message = NOT_FILES[kind]
    make(path)
    said = refusal([word.replace("FILE", str(path)) for word in words], capsys, monkeypatch)
    assert f"{path}: {message}" in said


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000])
def test_an_impossible_name_is_refused(name: str) -> None:
    """NUL and overlong names come from scripts."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read_given_text(Path(name))
