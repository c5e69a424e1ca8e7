"""The command line itself: quick, and clean however early it is stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.lazy_verbs import summary
from harness.system.signals import nothing_to_tidy_up, stop_like_ctrl_c

LOADGATE = (sys.executable, "-m", "harness")
HEAVY = {"numpy", "scipy", "polars", "locust", "pydantic", "httpx"}


def test_help_imports_nothing_that_takes_long() -> None:
    """Nor any verb: they are imported when they are called."""
    code = "import sys\nfrom harness.cli import app\napp(['--help'], standalone_mode=False)\n"
    code += "print('imported', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told, _, imported = done.stdout.rpartition("imported")
    assert "Judge the recording in RUN again" in told
    names = set(imported.split())
    assert not HEAVY & names
    assert not [name for name in names if name.startswith(("harness.verbs.", "analysis."))]


def test_a_summary_is_what_a_docstring_begins_with() -> None:
    """In one line, up to where it goes into details."""
    assert summary("analyze") == "Judge the recording in RUN again"
    assert summary("gate").startswith("Load BASE and HEAD in turn")


@pytest.mark.parametrize("after_s", [0.1, 0.2, 0.4, 0.7])
def test_ctrl_c_while_a_verb_is_imported_prints_nothing(after_s: float) -> None:
    """It ends by the signal, which a shell reports as 130; later it may have listed the runs.

    Begun with the signal ignored: until a line of ours is read, the interpreter drops it.
    """
    process = subprocess.Popen(
        [*LOADGATE, "runs", "--runs", "nowhere"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    time.sleep(after_s)  # the moment is what is tested
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 130, 0), err
    assert err == b""
    assert out == b"" or process.returncode != -signal.SIGINT


def test_handlers_are_back_after_an_import() -> None:
    """From then on there may be something to tidy up."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        stop_like_ctrl_c()
        with nothing_to_tidy_up():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_plain_stands_wherever_a_verb_has_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what NO_COLOR is, which whatever is started inherits."""
    monkeypatch.setenv("NO_COLOR", "")
    done = CliRunner().invoke(app, ["runs", "--plain", "--runs", "nowhere"])
    assert done.exit_code == 0, done.output
    assert os.environ["NO_COLOR"] == "1"
