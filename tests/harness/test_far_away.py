"""A real run against a shop that is far away: judged as it is, and the distance is shown."""

import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.scene.services import start_services
from recording.clock import RunClock
from tests.far_away import FarAway
from tests.faults.hostile_shop import HostileShop, Quirk
from tests.harness.conftest import StartRun, repeated_when_starved
from tests.private_authority import make_authority, server_tls

EACH_WAY_S = 0.15
"""Round the world by satellite: what a busy machine adds is small beside it."""
QUICK = {"latency_scale": 0.1}
KEYS = ("checkout", "payment", "cart")
FEW = (
    "load.processes=1", "load.phases.ramp-up.users=5", "load.phases.sustained.users=5",
    "load.phases.sustained.duration=5s",
    'journey.think={ min = "200ms", max = "400ms" }', "validity.distortion_p99=250ms",
    'judge.required=["errors"]',
)  # fmt: skip
"""The limit of the harness is less than the way."""


LIMITS = """[journey]
latency = ["p50 < 5 s"]
errors = ["failures < 1"]
"""


def sets(*pairs: str) -> list[str]:
    return [word for pair in pairs for word in ("--set", pair)]


@pytest.fixture
def limits(tmp_path: Path) -> Path:
    """Rules that few requests decide."""
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS)
    return file


@pytest.fixture
def mocks_far_away(tmp_path: Path) -> Iterator[list[str]]:
    """The mocks, each behind a way of its own; options that send the load there."""
    services = start_services(dict.fromkeys(KEYS, QUICK), RunClock.start(), logs=tmp_path)
    with ExitStack() as opened:
        opened.callback(services.stop)
        urls = {
            key: opened.enter_context(FarAway(services.urls[key], EACH_WAY_S)).url for key in KEYS
        }
        yield sets(*(f"target.{key}={url}" for key, url in urls.items()))


@pytest.mark.live
@pytest.mark.long
@repeated_when_starved
def test_a_shop_far_away_passes(
    mocks_far_away: list[str], limits: Path, start_run: StartRun
) -> None:
    """INVALID it would be if the way counted as distortion; what clients waited includes it."""
    run = start_run(*mocks_far_away, *sets(*FEW), limits=limits)
    assert run.finish() == 0, run.verdict()["summary"]
    verdict = run.verdict()
    (said,) = (text for text in verdict["findings"] if text.startswith("the way there and back"))
    assert " ms to checkout-service (jitter " in said
    least = min(m["value"] for m in verdict["measurements"] if m["metric"] == "p50")
    assert least >= 2000 * EACH_WAY_S
    (cart,) = (row for row in verdict["context"]["connections"] if row["of"] == ["cart-service"])
    assert 0 < cart["opened"] <= 5 < cart["requests"]


@pytest.mark.long
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@repeated_when_starved
def test_so_does_one_that_wants_to_know_us_and_keeps_no_connection(
    tmp_path: Path, limits: Path, monkeypatch: pytest.MonkeyPatch, start_run: StartRun
) -> None:
    """TLS by a private authority with a client certificate, a handshake for each request, and a
    proxy in the environment, which is not used.
    """
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    authority = make_authority(tmp_path)
    tls = server_tls(tmp_path, ssl.TLSVersion.TLSv1_3)
    tls.load_verify_locations(authority)
    tls.verify_mode = ssl.CERT_REQUIRED
    known = {"ca_file": "ca.pem", "client_cert": "cert.pem", "client_key": "key.pem"}
    access = [f"target.{key}={tmp_path / file}" for key, file in known.items()]
    with HostileShop(Quirk("slow_close"), tls=tls) as shop, FarAway(shop.url, EACH_WAY_S) as way:
        there = (f"target.{key}={way.url}" for key in KEYS)
        run = start_run(*sets(*FEW, *access, *there), limits=limits)
        assert run.finish() == 0, run.verdict()["summary"]
        printed = run.process.stdout.read() if run.process.stdout else ""
    assert "HTTPS_PROXY of the environment: not used" in printed
    (row,) = run.verdict()["context"]["connections"]
    assert row["requests"] == row["opened"] == row["tls"] == row["closed"] > 10
    assert any("most requests wait for a handshake" in text for text in run.verdict()["findings"])
