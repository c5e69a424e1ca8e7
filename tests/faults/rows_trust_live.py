"""Whom a run trusts and listens to, under load: authorities and the web UI."""

import json
import ssl
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil

from harness.generator import free_port
from tests.faults.fault import ROOT, Fault, Seen, command, environment, newest_verdict
from tests.faults.hostile_shop import HostileShop
from tests.faults.party import LIMITS, PROFILE, REQUIRED, Side, party, until
from tests.private_authority import make_authority, server_tls

SHORT = ("load.phases.sustained.duration=4s", "load.processes=1", "load.preconnect=true")
FEW = r"^[12]?\d?\d connections"
"""Each of 20 users opens a few in six seconds; with one for each request there were 1,500."""


def _run(folder: Path, shop: HostileShop, *overrides: str) -> Seen:
    words = [word for text in (*SHORT, *overrides) for word in ("--set", text)]
    runs = folder / "runs"
    seen = command("run", str(PROFILE), "--runs", str(runs), "--thresholds", str(LIMITS),
                   *shop.targets(), *REQUIRED, *words, cwd=folder)  # fmt: skip
    verdict = newest_verdict(runs)
    text = f"{shop.connections} connections\n{seen.text}\n{json.dumps(verdict)}"
    return Seen(seen.exit_code, text, str(verdict.get("verdict", "")))


def _https(folder: Path, version: ssl.TLSVersion, trusted_by: str) -> Seen:
    """A shop whose certificate a private authority signed."""
    authority = make_authority(folder)
    words = [f"target.ca_file={authority}"] if trusted_by == "ca_file" else []
    with HostileShop(tls=server_tls(folder, version)) as shop:
        return _run(folder, shop, *words)


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


def _authorities() -> Iterator[Fault]:
    for name, version in (("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3)):
        yield Fault(
            f"TLS {name}, authority that nobody trusts", item=16, how="https",
            do=partial(_https, version=version, trusted_by=""), exit_code=2,
            says="checkout = https.*does not answer.*CERTIFICATE_VERIFY_FAILED", live=True,
            fast=False,
        )  # fmt: skip
    yield Fault(
        "TLS 1.3, private authority by ca_file", item=16, how="https, preconnect",
        do=partial(_https, version=ssl.TLSVersion.TLSv1_3, trusted_by="ca_file"),
        verdict="PASS", says=FEW, live=True, fast=False,
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


ROWS = (*_authorities(), *_web())
