"""Whom a run trusts and listens to, under load: authorities, settings of Locust's, the web UI."""

import json
import ssl
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import psutil

from harness.generator.generator import free_port
from tests.faults.fault import ROOT, Fault, Seen, command, environment, newest_verdict
from tests.faults.hostile_shop import HostileShop, Quirk
from tests.faults.party import LIMITS, PROFILE, REQUIRED, Side, party, until
from tests.private_authority import make_authority, server_tls

SHORT = ("load.phases.sustained.duration=4s", "load.processes=1", "load.preconnect=true")
SETTINGS = {"users": "1", "run-time": "1s", "spawn-rate": "0.1", "stop-timeout": "0",
            "headless": "false", "loglevel": "CRITICAL", "host": "http://192.0.2.1"}  # fmt: skip
IN_THE_ENVIRONMENT = {
    f"LOCUST_{name.replace('-', '_').upper()}": value for name, value in SETTINGS.items()
}
SECRET = "hunter2hunter2"
AS_CONF = "".join(f"{name} = {value}\n" for name, value in SETTINGS.items())
FEW = r"^[12]?\d?\d connections"
"""Each of 20 users opens a few in six seconds; with one for each request there were 1,500."""
AS_TOML = "[tool.locust]\n" + "".join(f'{name} = "{value}"\n' for name, value in SETTINGS.items())


def _run(
    folder: Path, shop: HostileShop, *overrides: str, env: Mapping[str, str] | None = None
) -> Seen:
    words = [word for text in (*SHORT, *overrides) for word in ("--set", text)]
    runs = folder / "runs"
    seen = command("run", str(PROFILE), "--runs", str(runs), "--thresholds", str(LIMITS),
                   *shop.targets(), *REQUIRED, *words, cwd=folder, env=env)  # fmt: skip
    verdict = newest_verdict(runs)
    text = f"{shop.connections} connections\n{seen.text}\n{json.dumps(verdict)}"
    return Seen(seen.exit_code, text, str(verdict.get("verdict", "")))


def _https(folder: Path, version: ssl.TLSVersion, trusted_by: str) -> Seen:
    """A shop whose certificate a private authority signed."""
    authority = make_authority(folder)
    words = [f"target.ca_file={authority}"] if trusted_by == "ca_file" else []
    env = {"SSL_CERT_FILE": str(authority)} if trusted_by == "SSL_CERT_FILE" else {}
    with HostileShop(tls=server_tls(folder, version)) as shop:
        return _run(folder, shop, *words, env=env)


def _https_with_workers(folder: Path) -> Seen:
    """The worker trusts whom the plan names."""
    authority = make_authority(folder)
    words = [word for text in (*SHORT, f"target.ca_file={authority}") for word in ("--set", text)]
    shop_tls = server_tls(folder, ssl.TLSVersion.TLSv1_3)
    with HostileShop(tls=shop_tls) as shop, party(folder) as found:
        found.master(str(PROFILE), *shop.targets(), *words, workers=1)
        found.worker("one")
        return found.over()


def _locusts_settings(folder: Path, file: str, content: str, env: Mapping[str, str]) -> Seen:
    """Settings of Locust's where it would look for them; HOME is the folder they lie in."""
    if file:
        (folder / file).write_text(content)
    with HostileShop() as shop:
        return _run(folder, shop, env={"HOME": str(folder), **env})


def _swarm(port: int, host: str) -> str:
    form = {"user_count": 1, "spawn_rate": 1, "host": host}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/swarm", urllib.parse.urlencode(form).encode()
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def _ui(folder: Path, host: str) -> Seen:
    """``make ui``, where it listens, and what becomes of a Host field."""
    port = free_port()
    words = ["make", "--old-file", ".venv/.ready", "ui", f"ARGS=--web-port {port}"]
    with party(folder) as found:
        side = found.start("ui", words, ROOT, environment())
        until(lambda: _listens(side, port), lambda: side.text)
        try:
            return Seen(0, f"listens on {_listens(side, port)}\n{_swarm(port, host)}")
        finally:
            for process in reversed(side.tree):
                process.kill()


def _listens(side: Side, port: int) -> list[str]:
    """The addresses at which it, or a process below it, listens on this port."""
    connections = [c for process in side.tree for c in process.net_connections()]
    return [
        c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN and c.laddr.port == port
    ]


def _secrets(folder: Path) -> Seen:
    """A test key of somebody's own, and a header in the environment."""
    with HostileShop(Quirk("refuse", "browse")) as shop:
        env = {"AUTHORIZATION": f"Bearer {SECRET}"}
        seen = _run(folder, shop, f"description=sk_test_{SECRET}", env=env)
    files = [path for path in (folder / "runs").rglob("*") if path.is_file()]
    found = [path.name for path in files if SECRET.encode() in path.read_bytes()]
    where = f"in {found}" if found else f"in none of {len(files)} files"
    return Seen(seen.exit_code, f"{where}\n{seen.text}", seen.verdict)


def _authorities() -> Iterator[Fault]:
    for name, version in (("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3)):
        for by in ("ca_file", "SSL_CERT_FILE"):
            yield Fault(
                f"TLS {name}, private authority by {by}", item=16, how="https, preconnect",
                do=partial(_https, version=version, trusted_by=by), verdict="PASS",
                says=FEW, live=True, fast=False,
            )  # fmt: skip
        yield Fault(
            f"TLS {name}, authority that nobody trusts", item=16, how="https",
            do=partial(_https, version=version, trusted_by=""), exit_code=2,
            says="checkout = https.*does not answer.*CERTIFICATE_VERIFY_FAILED", live=True,
            fast=False,
        )  # fmt: skip
    yield Fault(
        "TLS 1.3, private authority, a worker", item=16, how="https, target.ca_file of the plan",
        do=_https_with_workers, verdict="PASS", says="one exit 0", live=True, fast=False,
    )  # fmt: skip


def _settings() -> Iterator[Fault]:
    places = {
        "the environment": ("", "", IN_THE_ENVIRONMENT),
        "pyproject.toml here": ("pyproject.toml", AS_TOML, {}),
        "~/.locust.conf": (".locust.conf", AS_CONF, {}),
    }
    for place, (file, content, env) in places.items():
        yield Fault(
            f"Locust's settings in {place}", item=15, how="one user, one second, another host",
            do=partial(_locusts_settings, file=file, content=content, env=env), verdict="PASS",
            says="20 users", live=True, fast=False,
        )  # fmt: skip


def _web() -> Iterator[Fault]:
    only_here = r"^listens on .'127\.0\.0\.1'."
    for host, allowed in (("http://192.0.2.1", False), ("http://shop.example:8080", False),
                          ("http://127.0.0.1:9", True)):  # fmt: skip
        says = '"success": ?true' if allowed else r'not in target\.allowed_hosts.*"success": ?false'
        yield Fault(
            f"make ui, Host {host}", item=16, how="POST /swarm", do=partial(_ui, host=host),
            says=f"{only_here}.*{says}", live=True, fast=False,
        )  # fmt: skip


ROWS = (
    *_authorities(),
    *_settings(),
    *_web(),
    Fault("secrets of profile and environment", 15, "a shop that refuses every browse",
          do=_secrets, verdict="FAIL", says=r"^in none of \d\d files", live=True, fast=False),
)  # fmt: skip
