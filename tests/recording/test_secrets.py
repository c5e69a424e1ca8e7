"""recording/secrets.py: what gives access is not written, and live keys are found anywhere."""

import base64
import json
from pathlib import Path

import pytest

from recording.jsonl import JsonLinesWriter
from recording.manifest import Manifest, read_manifest, write_manifest
from recording.profile_file import load_profile
from recording.secrets import HIDDEN, keep_secret, live_keys, redact, redact_file, redacted

SMOKE = Path(__file__).parents[2] / "profiles" / "smoke.toml"
SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"sk_test_{SECRET}",
        f"rk_live_{SECRET} pk_live_{SECRET} whsec_{SECRET}",
        f"http://user:{SECRET}@shop.example:80/x",
        f"https://{SECRET}@shop.example/x",
        f"Authorization: Bearer {SECRET}\r\nX: 1",
        f'{{"authorization": "Basic {SECRET}=="}}',
        f"sent Bearer {SECRET} to it",
        f"run smoke --token {SECRET} --json",
        f"run smoke --token={SECRET}",
        f"LOADGATE_TOKEN={SECRET} loadgate worker",
        f'{{"token": "{SECRET}"}}',
        f"X-Api-Key: {SECRET}",
        f"password={SECRET}&user=x",
    ],
)
def test_no_secret_is_left(text: str) -> None:
    """In whatever form it stands; and hiding it twice changes nothing."""
    hidden = redact(text)
    assert SECRET not in hidden
    assert HIDDEN in hidden
    assert redact(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "http://shop.example:80/path@home",
        "the master does not take this token: ask for its own",
        "basic needs, bearer of news",
        "browse p95 slower by +6.8 %, p 0.0018",
    ],
)
def test_other_words_stay(text: str) -> None:
    """Only what gives access is hidden."""
    assert redact(text) == text


def test_a_token_of_the_run_is_hidden_in_any_words() -> None:
    """A generated token looks like nothing in particular."""
    keep_secret("Zq8-plain-looking-words")
    assert redact("peer said Zq8-plain-looking-words!") == f"peer said {HIDDEN}!"


def test_entries_named_as_secrets_are_hidden_whatever_they_hold() -> None:
    """By the entry's name, in nested tables and lists."""
    table = {"a": [{"admin_token": "xyz", "n": 3}], "payment_key": "odd"}
    assert redacted(table) == {"a": [{"admin_token": HIDDEN, "n": 3}], "payment_key": HIDDEN}


def test_live_keys_are_named_by_place() -> None:
    """Anywhere in a text, url-encoded, in lists, as the name of an entry; never the key itself."""
    table = {
        "target": {"checkout": "http://h/?k=sk%5Flive_1", "payment_key": "rk_live_1"},
        "list": ["fine", "x sk_live_1"],
        "sk_live_name": 1,
    }
    assert list(live_keys(table)) == ["target.checkout", "target.payment_key", "list[1]", "a key"]


def test_a_manifest_holds_no_secret(tmp_path: Path) -> None:
    """Command, overrides and profile go through the same function, and it is still readable."""
    profile = load_profile(
        SMOKE, [f"description=sk_test_{SECRET}", f"services.cart.api_key={SECRET}"]
    )
    manifest = Manifest(
        run_id="x",
        profile=profile,
        started_utc="",
        epoch_wall_s=0.0,
        command=f"run smoke --token {SECRET}",
        overrides=(f"description=sk_test_{SECRET}",),
    )
    write_manifest(tmp_path / "manifest.json", manifest)
    assert SECRET not in (tmp_path / "manifest.json").read_text()
    kept = read_manifest(tmp_path / "manifest.json").profile
    assert (kept.description, kept.services["cart"]["api_key"]) == (HIDDEN, HIDDEN)


def test_events_and_exemplars_hold_no_secret(tmp_path: Path) -> None:
    """What a shop echoes in its body is not kept either."""
    writer = JsonLinesWriter(tmp_path / "exemplars.jsonl")
    writer.write({"body": f"you sent Authorization: Bearer {SECRET}", "status": 500})
    writer.close()
    row = json.loads((tmp_path / "exemplars.jsonl").read_text())
    assert row == {"body": f"you sent Authorization: {HIDDEN}", "status": 500}


def test_a_log_is_redacted_in_place_whatever_its_bytes(tmp_path: Path) -> None:
    """What is no text stays as it is; a log without secrets is not touched."""
    log = tmp_path / "locust.log"
    log.write_bytes(f"\xff GET http://user:{SECRET}@shop/x\r\n".encode("latin-1"))
    redact_file(log)
    assert log.read_bytes() == f"\xff GET http://{HIDDEN}@shop/x\r\n".encode("latin-1")
    before = log.stat().st_mtime_ns
    redact_file(log)
    assert log.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "text",
    [
        "sk%255Flive%255Fabc",
        "Basic " + base64.b64encode(b"sk_live_abc:").decode(),
        "Basic " + base64.urlsafe_b64encode(b"rk_live_\xff:").decode(),
    ],
)
def test_an_encoded_live_key_is_one(text: str) -> None:
    """Encoded twice for a url, or as the user of HTTP Basic, which is how Stripe takes it."""
    assert list(live_keys({"a": text})) == ["a"]
    assert not list(live_keys({"a": base64.b64encode(b"sk_test_abc:").decode()}))
