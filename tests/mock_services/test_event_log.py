"""Events, one line each."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mock_process import ROOT

from mock_services.kit.events import EventLog

WRITER = """
import sys
from mock_services.kit.events import EventLog
log = EventLog(sys.argv[1])
for number in range(500):
    log.write("tick", number=number, padding="x" * 300)
"""


def test_a_line_has_time_source_event_and_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds since the epoch given, then what was passed."""
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("MOCK_EVENTS", str(path))
    monkeypatch.setenv("MOCK_EPOCH_MONOTONIC", "0")
    log = EventLog("cart-service")
    before = log.now_s()
    log.write("gc", rss_before_bytes=5)
    event = json.loads(path.read_text())
    assert before <= event.pop("t_s") <= log.now_s()
    assert event == {"source": "cart-service", "event": "gc", "rss_before_bytes": 5}


def test_processes_can_share_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three writers at once: no line is torn, none is lost, each writer's are in order."""
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("MOCK_EVENTS", str(path))
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(n)], cwd=ROOT) for n in range(3)]
    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for source in ("0", "1", "2"):
        assert [e["number"] for e in events if e["source"] == source] == list(range(500))


def test_a_full_disk_does_not_stop_a_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An event that cannot be written goes to stderr."""
    monkeypatch.setenv("MOCK_EVENTS", "/dev/full")
    EventLog("cart-service").write("gc")
    assert "event not written" in capsys.readouterr().err
