"""harness/system/fetch.py: a whole answer in time, or a reason; whatever the server does."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.scene import preflight, scene
from harness.system import fetch as fetching
from harness.system.fetch import NoAnswerError, fetch
from recording.errors import ConfigError
from tests.harness.slow_server import OPENINGS, slow_server

WITHIN_S = 0.4
SLACK_S = 8.0


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[str]:
    """A server of one answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.parametrize("kind", OPENINGS)
def test_the_deadline_is_for_the_whole_answer(kind: str) -> None:
    """However its bytes are spread."""
    with slow_server(kind) as url:
        began_s = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"no whole answer within 0\.4 s|timed out"):
            fetch(url, WITHIN_S)
        assert time.monotonic() - began_s < WITHIN_S + SLACK_S


def test_a_name_that_never_resolves_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs is waited for no longer than the rest."""
    ended = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: ended.wait(10))
    began_s = time.monotonic()
    try:
        with pytest.raises(NoAnswerError):
            fetch("http://shop.example", WITHIN_S)
        assert time.monotonic() - began_s < WITHIN_S + SLACK_S
    finally:
        ended.set()


def test_an_answer_is_whole_and_a_redirect_is_an_answer() -> None:
    """Nobody is sent from url to url."""
    with answering(302, b"moved", Location="/again") as url:
        page = fetch(url, SLACK_S)
    assert (page.status, page.text, page.ok) == (302, "moved", False)


def test_a_page_without_end_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """And does not fill the memory."""
    monkeypatch.setattr(fetching, "MAX_PAGE_BYTES", 1000)
    with answering(200, b"x" * 2000) as url, pytest.raises(NoAnswerError, match="more than"):
        fetch(url, SLACK_S)


@pytest.mark.parametrize("kind", ["drips its body", "silent"])
def test_a_target_that_does_not_get_done_is_refused(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first user, naming the key."""
    monkeypatch.setattr(preflight, "ANSWER_WITHIN_S", WITHIN_S)
    with slow_server(kind) as url, pytest.raises(ConfigError, match=r"target\.cart = .*not answer"):
        preflight.check_answers({"cart": url})


def test_a_service_whose_metrics_trickle_is_sampled_and_so_seen_to_be_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not taken for one that exports none."""
    monkeypatch.setattr(scene, "METRICS_WITHIN_S", WITHIN_S)
    with slow_server("drips its body") as url:
        assert scene.with_metrics({"cart-service": url}) == ({"cart-service": url}, ())
