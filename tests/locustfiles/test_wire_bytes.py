"""The shipped flow on the wire: a seeded user's requests, byte by byte, are those of the fixture.

It was made with the flow as it was before a scenario was a value. What differs from run to run is
fixed: ids, clocks, traces. `python -m tests.locustfiles.test_wire_bytes` writes it anew.
"""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

import pytest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wire"
PROFILE = """
name = "wire"
seed = 7
[load]
phases = [{ name = "p", duration = "1s", users = 1, measured = true }]
[journey]
"""
JOURNEYS = {
    "drawn": 'session = { min = "0s", max = "0s" }\nretries = 2\nretry_key = "new"\n'
    'retry_backoff = "1s"\ndecline_share = 0.3\ncookies = true\n',
    "dealt": 'shares = "dealt"\ndecline_share = 0.25\nproducts = 40\npopularity = 1.1\n'
    "redirects = 1\ntest_users = 5\n"
    "funnel = { detail = 1, add_to_cart = 1, apply_coupon = 0.5, start_checkout = 1 }\n",
}
USER = """
import datetime, itertools, json, sys
import locust, pydantic
from locust.env import Environment
moments = itertools.count()
class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 2, tzinfo=tz) + datetime.timedelta(seconds=next(moments))
import recording.rundir
recording.rundir.new_token = lambda: "t0ken"
import locustfiles.trace
traces = itertools.count(1)
locustfiles.trace.new_traceparent = lambda: f"00-{next(traces):032x}-{1:016x}-01"
datetime.datetime = Fixed
from locustfiles import checkout_flow, listeners
url, log = sys.argv[1], []
listeners.WORKER._date = "2026-01-02"
listeners.base_url = lambda user, service, arm: url
listeners.give_up = lambda context, asked: log.append(["gives up", dict(asked)])
environment = Environment(user_classes=[checkout_flow.CheckoutUser])
@environment.events.request.add_listener
def on_request(name, request_type, context, exception, url, **_):
    log.append([name, request_type, context["outcome"], context["order_id"], str(exception or "")])
for _ in range(2):
    user = checkout_flow.CheckoutUser(environment)
    user._pause = lambda seconds: log.append(["waits"])
    user._rest = lambda seconds: log.append(["rests", seconds])
    user.on_start()
    for _ in range(6):
        user.journey()
print(json.dumps(log))
"""


class _Kept:
    """A stream whose bytes are kept as they come."""

    def __init__(self, stream: BinaryIO, kept: bytearray) -> None:
        self._stream, self._kept = stream, kept

    def readline(self, limit: int = -1) -> bytes:
        self._kept += (line := self._stream.readline(limit))
        return line

    def read(self, size: int) -> bytes:
        self._kept += (block := self._stream.read(size))
        return block

    def close(self) -> None:
        self._stream.close()


class _Shop(BaseHTTPRequestHandler):
    """Answers as the mocks do, some requests badly, and keeps what came."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    came: list[bytes]

    def setup(self) -> None:
        super().setup()
        self.raw = bytearray()
        self.rfile: Any = _Kept(self.rfile, self.raw)

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        port = str(self.server.server_address[1]).encode()
        self.came.append(bytes(self.raw).replace(b":" + port, b":PORT"))
        self.raw.clear()
        asked = json.loads(body or b"{}")
        status, said = self._said(asked)
        if len(self.came) % 9 == 0:
            status, said = (500 if len(self.came) % 2 else 503), {"error": "busy"}
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Set-Cookie", f"seen={len(self.came)}; Path=/")
        self.end_headers()
        self.wfile.write(content)

    def _said(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        n, path = len(self.came), self.path
        if "decline" in asked.get("card_token", "") or "insuff" in asked.get("card_token", ""):
            return 402, {"error": "declined"}
        said: dict[str, Any] = {**asked, "payment_id": f"pay-{n}", "order_id": f"ord-{n}"}
        said |= {"products": [{"id": 1}], "checkout_id": asked.get("checkout_id", f"chk-{n}")}
        words = {"coupon": "applied", "start": "pending", "charge": "succeeded"}
        said["status"] = next((w for key, w in words.items() if key in path), "confirmed")
        if "?" not in path and "/products/" in path:
            said["id"] = path.rpartition("/")[2]
        return (201 if path.endswith("confirm") else 200), said

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def seen(folder: Path, journey: str) -> str:
    """What one user sent and made of the answers."""
    profile = folder / "wire.toml"
    profile.write_text(PROFILE + JOURNEYS[journey])
    came: list[bytes] = []
    shop = ThreadingHTTPServer(("127.0.0.1", 0), type("Shop", (_Shop,), {"came": came}))
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    try:
        done = subprocess.run(
            [sys.executable, "-c", USER, f"http://127.0.0.1:{shop.server_port}/shop"],
            env={**os.environ, "LOADGATE_PROFILE": str(profile)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        shop.shutdown()
        shop.server_close()
    assert done.returncode == 0, done.stderr
    sent = b"\n".join(came).decode().replace("\r\n", "\n")
    made = "\n".join(json.dumps(row) for row in json.loads(done.stdout))
    return f"{sent}\n\n{made}\n"


@pytest.mark.parametrize("journey", JOURNEYS)
def test_a_seeded_users_requests_are_the_same_to_the_byte(tmp_path: Path, journey: str) -> None:
    """And what is made of the answers, and how long it waits."""
    assert seen(tmp_path, journey) == (FIXTURES / f"{journey}.txt").read_text()


if __name__ == "__main__":
    import tempfile

    FIXTURES.mkdir(exist_ok=True)
    for each in JOURNEYS:
        with tempfile.TemporaryDirectory() as scratch:
            (FIXTURES / f"{each}.txt").write_text(seen(Path(scratch), each))
