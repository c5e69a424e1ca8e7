"""The live page: a run that goes on, followed by whoever knows where it is, and by nobody else."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from playwright.sync_api import expect

from harness.page.live_page import LivePage
from recording.clock import RunClock
from recording.manifest import read_manifest, write_manifest
from recording.rundir import RunDir
from tests.analysis.html.browser import CHROMIUM, started
from tests.analysis.html.pages import ROOT, made, page_of
from tests.analysis.recordings import END_S, Recording
from tests.faults.in_process import loadgate
from tests.harness.conftest import StartRun, gone, wait_for
from tests.processes import words_of

REPORT = b"<!doctype html><title>the report</title><h1>the report</h1>"


def going_on(recording: Recording, root: Path) -> RunDir:
    """A recording that nobody has closed, nor has anything said that it ended."""
    run = recording.write(root)
    lines = run.events.read_text().splitlines(keepends=True)
    run.events.write_text("".join(line for line in lines if "_ended" not in line))
    run.logs.mkdir()
    manifest = read_manifest(run.manifest)
    write_manifest(run.manifest, manifest.model_copy(update={"ended": "running", "files": None}))
    return run


@contextmanager
def served(run: RunDir) -> Iterator[tuple[LivePage, str]]:
    """Its page, some seconds after the last request."""
    clock = RunClock(time.monotonic() - END_S - 10, 0.0)
    with LivePage(str(ROOT / "thresholds.toml"), 0, browser=False) as page:
        page.follow(run, clock)
        yield page, page.url


def test_a_run_that_is_no_evidence_says_so_at_once_and_only_to_those_who_know_where(
    tmp_path: Path,
) -> None:
    """INVALID before the end, never a PASS; no answer by another name or path, or when it is over.

    A viewer that never reads keeps nothing from its end, which has the report.
    """
    run = going_on(Recording(lag_ms=900.0), tmp_path)
    with served(run) as (page, url), httpx.Client(timeout=60) as client:
        wait_for(lambda: "INVALID so far" in client.get(f"{url}newer").text)
        text = client.get(f"{url}newer").text
        assert "generator lag p99" in text
        assert "holds so far" in text
        assert "PASS" not in text.replace('data-tone="PASS"', "")
        whole = client.get(url)
        assert "connect-src 'self'" in whole.text
        assert whole.headers["content-security-policy"] == "frame-ancestors 'none'"
        assert client.get(url, headers={"Host": "evil.example"}).status_code == 400
        assert client.get(f"{httpx.URL(url).join('/')}guess/").status_code == 404
        hanging = socket.create_connection((httpx.URL(url).host, httpx.URL(url).port))
        path = httpx.URL(url).join("events").path
        hanging.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        with client.stream("GET", f"{url}events") as told:
            lines = told.iter_lines()
            assert "event: newer" in (next(lines) for _ in range(20))
            run.page.write_bytes(REPORT)
            page.close()
            assert "event: end" in lines
        assert client.get(url).content == REPORT
        process = page.process
        assert process is not None
        assert process.wait(10) == 0
        hanging.close()
    assert (run.logs / "page.log").read_text() == ""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at pages with")
def test_a_browser_follows_a_run_to_its_report(tmp_path: Path) -> None:
    """Charts come and grow without an error or a request elsewhere; then it is the report."""
    run = going_on(Recording(), tmp_path / "run")
    begun = tmp_path / "events.jsonl"
    run.events.rename(begun)
    found, _ = made("pass", tmp_path)
    with served(run) as (page, url), started() as browser:
        shown = browser.new_page()
        said: list[str] = []
        shown.on("console", lambda message: said.append(message.text))
        shown.on("request", lambda request: said.append(request.url))
        shown.goto(url)
        assert "not yet under load" in shown.inner_text("h1")
        begun.rename(run.events)
        expect(shown.locator("h1")).to_contain_text("under way", timeout=20_000)
        shown.wait_for_selector("html[data-complete]", state="attached")
        assert shown.locator(".plot svg path").count() > 20
        shown.locator("details summary").first.click()
        shown.evaluate("document.querySelector('.plot svg').id = 'kept'")
        with shown.expect_response(f"{url}newer"):
            pass
        assert shown.locator("details[open]").count() == 1
        assert shown.locator("#kept").count() == 1
        run.page.write_bytes(page_of(run, found))
        page.close()
        expect(shown.locator("h1")).to_contain_text("PASS", timeout=10_000)
        assert {line.removeprefix(url) for line in said} == {"", "events", "newer"}


def test_a_port_that_is_taken_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """In one line that names the option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = loadgate("run", "smoke", "--live-port", port, "--runs", str(tmp_path))
    assert done.exit_code == 2
    assert f"--live-port {port}: cannot listen on 127.0.0.1" in done.text
    assert not list(tmp_path.iterdir())


@pytest.mark.live
def test_a_followed_run_is_stopped_by_ctrl_c_and_leaves_no_process(start_run: StartRun) -> None:
    """Its page goes with it, though a viewer is still there."""
    run = start_run("--live-port", "0")
    assert run.process.stdout is not None
    line = next(line for line in run.process.stdout if "live page: " in line)
    run.wait_until_measuring()
    below: list[psutil.Process] = run.descendants()
    assert any("harness.page.serve" in words_of(process) for process in below)
    with httpx.stream("GET", f"{line.split()[-1]}events", timeout=30) as told:
        run.process.send_signal(signal.SIGINT)
        assert "event: end" in told.iter_lines()
    assert run.finish() in (4, 5)  # stopped early, and perhaps on a host too busy to be evidence
    wait_for(lambda: gone(below), 10)
