"""`loadgate seed` and `cleanup`: who is asked, who is refused, and what is said."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.faults.in_process import loadgate

PROFILE = """[target]
checkout = "{url}"
payment = "{url}"
cart = "{url}"
[load]
phases = [{{ name = "only", duration = "1s", users = 1, measured = true }}]
"""


class Offers(BaseHTTPRequestHandler):
    """A shop that removes three carts of whom it is asked, and knows no test data otherwise."""

    def do_GET(self) -> None:
        self._say(200, b"ok")

    def do_POST(self) -> None:
        self._say(404, b"{}")

    def do_DELETE(self) -> None:
        known = self.headers["X-Admin-Token"] == "secret" and self.path.endswith("prefix=lt-")
        self._say(200 if known else 403, b'{"service": "shop", "counts": {"carts": 3}}')

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A profile of such a shop."""
    monkeypatch.setenv("LOADGATE_ADMIN_TOKEN", "secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Offers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        path = tmp_path / "shop.toml"
        path.write_text(PROFILE.format(url=f"http://127.0.0.1:{server.server_port}"))
        yield path
        server.shutdown()


def test_services_at_urls_are_cleaned_with_the_token(profile: Path) -> None:
    """And what each said is told."""
    seen = loadgate("cleanup", str(profile), "--prefix", "lt-", "--json")
    assert seen.exit_code == 0, seen.text
    assert [each["counts"] for each in json.loads(seen.text)] == [{"carts": 3}] * 3


def test_who_offers_no_test_data_is_said(profile: Path) -> None:
    """Nothing done anywhere is an error."""
    seen = loadgate("seed", str(profile), "--prefix", "lt-")
    assert seen.exit_code == 2
    assert "none of these services offers /admin/test-data" in seen.text


def test_a_refusal_is_an_error(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the service and its status."""
    monkeypatch.setenv("LOADGATE_ADMIN_TOKEN", "wrong")
    seen = loadgate("cleanup", str(profile), "--prefix", "lt-")
    assert seen.exit_code == 4
    assert "checkout-service at http://127.0.0.1" in seen.text
    assert "403" in seen.text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--prefix", ""), "write up to 19 small letters and digits and a '-'"),
        (("--prefix", "lt"), "write up to 19 small letters and digits and a '-'"),
        (("smoke", "--prefix", "lt-"), "profile smoke: no [target]"),
        (("smoke", "--prefix", "lt-", "--port-base", "9000"), "leave out PROFILE, or it"),
    ],
)
def test_what_names_nobody_is_refused(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2, before anybody is asked."""
    monkeypatch.setenv("LOADGATE_ADMIN_TOKEN", "secret")
    seen = loadgate("cleanup", *words)
    assert (seen.exit_code, said in seen.text) == (2, True), seen.text


def test_a_host_that_nobody_allowed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it is asked for anything."""
    monkeypatch.setenv("LOADGATE_ADMIN_TOKEN", "secret")
    path = tmp_path / "theirs.toml"
    path.write_text(PROFILE.format(url="http://shop.example"))
    seen = loadgate("cleanup", str(path), "--prefix", "lt-")
    assert seen.exit_code == 2
    assert "shop.example" in seen.text
