"""Every verb's screen in a real terminal (tmux), at three widths.

``python -m tests.harness.screens`` writes them anew to ``tests/fixtures/screens``: look at what
changed. In the pane one process prints all of them, and reads the pane back after each.
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from analysis.calibration.record import summarise
from analysis.compare.baseline_store import store_baseline
from analysis.judge import judged as judged_run
from analysis.limits.thresholds import load_thresholds
from analysis.report.calibrated import calibration_document
from analysis.report.document import Document
from harness.adopt.exported import Exported
from harness.adopt.found import Found, Told
from harness.adopt.openapi import Step, Steps
from harness.adopt.repository import Repository
from harness.adopt.said import Became, document
from harness.adopt.start import Start
from harness.adopt.written import files
from harness.cli import VERBS, app
from harness.run.metrics_check import FoundMetric, ServiceCheck, Undecided, checks_document
from harness.scene.running import Mock, Running
from harness.scene.vitals import Vitals, vitals_document
from harness.screen import judged
from harness.screen.plain import Screen
from harness.screen.terminal import show
from recording.rundir import RunDir
from tests.analysis.calibration.test_record import gate, slow
from tests.analysis.compare.baselines import made as baseline
from tests.analysis.compare.baselines import stepped
from tests.analysis.gate.paired_recordings import ONE_LOOK, PairedRecording
from tests.analysis.recordings import Recording

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "tests" / "fixtures" / "screens"
WIDTHS = (80, 100, 160)
HEIGHT = 300
PATIENCE_S = 60.0
END = "end-of-screen"
"""What stands below a screen when all of it is there."""
LIMITS = """
[journey]
latency = ["p99 < 1 s"]
errors = ["error_rate < 5 %"]
[checkout-service]
latency = ["p99 < 1 s"]
pool = ["exhausted_windows == 0", "utilization < 95 %"]
[payment-gateway]
latency = ["p99 < 1 s"]
[regression]
metrics = ["p95"]
min_effect = "5 %"
tolerated = "10 %"
floor = "5 ms"
"""
RUNS = {
    "pass": Recording(),
    "fail": Recording(latency_ms={"charge": 1500.0}, rate=83.0,
                      pool=((0, 10, 2, 0), (20, 10, 10, 5), (25, 10, 2, 0)), timeouts=4),
    "invalid": Recording(lag_ms=900.0),
    "inconclusive": Recording(ended="interrupted"),
    "gate-pass": PairedRecording(looks=ONE_LOOK),
    "gate-fail": PairedRecording(slower={"charge": 1.2}, looks=ONE_LOOK),
}  # fmt: skip
LISTS = (
    "runs",
    "runs --profile gate",
    "baseline list",
    "compare runs/pass runs/fail",
    "trend p99 charge confirm --baselines kept",
    "metrics mappings",
)
HELP = (
    "mocks set", "mocks get", "mocks status", "baseline add", "baseline list", "metrics check"
)  # fmt: skip


def _vitals() -> Document:
    """Of mocks of which one gives no answer."""
    keys = {"checkout": "checkout-service", "inventory_lock": "inventory-lock-service"}
    mocks = {
        key: Mock(subject=subject, url=f"http://127.0.0.1:800{port}", log=f"/var/log/{key}.log")
        for port, (key, subject) in enumerate(keys.items(), 1)
    }
    running = Running(pid=4711, port_base=8001, seed=7, admin_token="", mocks=mocks)
    pools = {f"locks/{i}": {"active": 1184.0, "max": 1200.0, "waiting": 3.0} for i in range(2)}
    found = {"checkout": Vitals(True, 2.0**31, pools), "inventory_lock": Vitals(False, None, {})}
    return vitals_document(running, found)


def _calibration() -> Document:
    """Of thirty equal gates and seven slowed ones."""
    slowed = [slow("FAIL", "charge", "journey")] * 6 + [slow("INCONCLUSIVE")]
    return calibration_document(summarise([*[gate()] * 28, *[gate("FAIL")] * 2, *slowed]), "here")


def _metrics() -> Document:
    """Of a service with a pool, and of one that lacks most."""
    pool = ("connection_pool_active/HikariPool-1", "hikaricp_connections_active", 7.0)
    memory = ("process_resident_memory_bytes", "container_memory_working_set_bytes (2 series, "
              "the largest)", 5.1e8)  # fmt: skip
    started = ("process_start_time_seconds", "process_start_time_seconds", 1.76e9)
    found = tuple(FoundMetric(*each) for each in (pool, memory, started))
    acquire = "connection_pool_acquire_seconds_bucket"
    undecided = (
        Undecided("acquire_wait_p99 < 50 ms", f"no {acquire}", True),
        Undecided("oom_killed == 0", "no container_oom_events_total", False),
    )
    missing = {acquire: 'hikaricp_connections_acquire_seconds_bucket{job="checkout"}'}
    note = ("scraped every 15s, sampling.interval is 1s: nothing shorter shows",)
    at = "http://prometheus.staging.example:9090"
    own = ServiceCheck("checkout-service", at, found, missing, undecided, notes=note)
    page = ServiceCheck("cart-service", "http://127.0.0.1:8004/metrics", found[1:], {})
    return checks_document((own, page))


def _adopted() -> Document:
    """Of a shop that says most of itself, in a repository of nobody's host."""
    install = "sh -c 'python3 -m venv .venv; .venv/bin/pip install --quiet -r requirements.txt'"
    start = Start(
        ".venv/bin/python -m uvicorn shop.app:app --port {port}", "shop/app.py, app = FastAPI(…)",
        install=install, install_origin="requirements.txt",
    )  # fmt: skip
    steps = Steps((Step("/catalog", "/catalog"),), ("GET /orders: it wants authorization",))
    told = Told("OpenAPI of shop.app:app", {}, "/health", Exported("/metrics", ("hikaricp",), True))
    found = Found(start=start, steps=steps, told=told)
    repository = Repository("/srv/shop", ignores_venv=False)
    became = [Became(file, "written") for file in files(found, repository)]
    return document(found, repository, became)


DOCUMENTS = {
    "init": _adopted(),
    "mocks status": _vitals(),
    "calibrate": _calibration(),
    "metrics check staging": _metrics(),
}
"""What those verbs print is not the same twice."""


def commands() -> Iterator[str]:
    """What is typed behind ``loadgate``."""
    for name in RUNS:
        yield f"analyze runs/{name} --thresholds limits.toml"
    yield "analyze runs/pass --thresholds limits.toml --all"
    yield "report runs/gate-fail --thresholds limits.toml"
    yield from (*LISTS, *DOCUMENTS)
    yield from (f"{verb} --help".strip() for verb in ("", *VERBS, *HELP))


def transcripts(folder: Path) -> dict[int, str]:
    """All screens of each width, as tmux has them."""
    _prepare(folder)
    tmux = ["tmux", "-S", str(folder / "tmux"), "-f", os.devnull]
    words = [sys.executable, "-m", "tests.harness.screens", str(folder)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "TERM": "xterm"}
    size = ["-x", str(WIDTHS[0]), "-y", str(HEIGHT)]
    subprocess.run([*tmux, "new-session", "-d", *size, *words], env=env, check=True)
    try:
        _wait_for(lambda: (folder / "done").exists() or not _lives(tmux))
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)
    assert not (log := folder / "log").exists(), log.read_text()
    return {width: (folder / f"{width}.txt").read_text() for width in WIDTHS}


def _lives(tmux: list[str]) -> bool:
    return not subprocess.run([*tmux, "has-session"], capture_output=True, check=False).returncode


def _prepare(folder: Path) -> None:
    (folder / "limits.toml").write_text(LIMITS)
    for name, recording in RUNS.items():
        recording.write(folder / "runs" / name)
    (folder / "baselines").mkdir()
    for number in range(3):
        made = baseline(f"20260301-10150{number}-release-1f2e3d4{number}")
        (folder / "baselines" / f"{number}.json").write_text(made.model_dump_json())
    for made in stepped(16, {"charge": 1.2}):
        store_baseline(folder / "kept", made)


def _print_all(folder: Path) -> None:
    """In the pane. Each recording is judged once, and shown at every width."""
    limits = load_thresholds(folder / "limits.toml")
    once = cache(lambda root: judged_run(RunDir(root), limits))
    judged.judged = lambda run, _: once(run.root)
    os.chdir(folder)
    written: dict[int, list[str]] = {width: [] for width in WIDTHS}
    for command in commands():
        for width in WIDTHS:
            _resize(width)
            written[width].append(f"$ loadgate {command}\n{_screen_of(command)}\n")
    for width, screens in written.items():
        (folder / f"{width}.txt").write_text("\n".join(screens))


def _resize(width: int) -> None:
    subprocess.run(["tmux", "resize-window", "-x", str(width), "-y", str(HEIGHT)], check=True)
    _wait_for(lambda: os.get_terminal_size().columns == width)


def _screen_of(command: str) -> str:
    _write("\x1b[2J\x1b[H")
    if command in DOCUMENTS:
        show(Screen(), DOCUMENTS[command])
    else:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
            app(command.split(), prog_name="loadgate")
    _write(END)
    _wait_for(lambda: END in _pane())
    return _pane().partition(END)[0].rstrip()


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _pane() -> str:
    words = ["tmux", "capture-pane", "-p"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def main() -> None:
    """Write them to where they are kept."""
    with tempfile.TemporaryDirectory() as folder:
        found = transcripts(Path(folder))
    KEPT.mkdir(exist_ok=True)
    for width, text in found.items():
        (KEPT / f"{width}.txt").write_text(text)


if __name__ == "__main__":
    if sys.argv[1:]:
        given = Path(sys.argv[1])
        try:
            _print_all(given)
        except Exception:  # noqa: BLE001 - whoever waits for it is told
            (given / "log").write_text(traceback.format_exc())
        finally:
            (given / "done").touch()
    else:
        main()
