"""One run from start to end: services, sampler, Locust, and an orderly stop in every case."""

import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from harness import host, preflight
from harness.generator import Generator, processes_for, start_generator, wait_for_children
from harness.live import LiveView
from harness.paths import PROJECT
from harness.progress import Progress
from harness.sampler import Sampler
from harness.services import Services, service_settings, start_services, tail
from mock_services.settings import SUBJECTS
from recording.clock import RunClock
from recording.errors import LoadgateError, StorageError
from recording.jsonl import JsonLinesWriter, read_json_lines
from recording.manifest import Ended, Manifest, write_manifest
from recording.phases import phases_of
from recording.profile import Profile
from recording.rundir import RunDir, create_run_dir

TICK_S = 0.2
GIVE_UP_AFTER_S = 75.0
"""How long past its plan (plus the stop timeout) a generator may take before it is ended."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended."""

    how: Ended
    because: str = ""


class Interrupt:
    """Turns Ctrl-C and SIGTERM into a request to stop; the second one stops at once."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals for the duration of a run."""
        watched = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self) for number in watched]
        try:
            yield
        finally:
            for number, handler in zip(watched, before, strict=True):
                signal.signal(number, handler)


def conduct(
    profile: Profile, where: str, overrides: Sequence[str], runs: Path, view: LiveView
) -> RunDir:
    """Execute ``profile`` and record it; returns the run directory, however the run ended.

    Raises ConfigError or RefusedError before anything is started, and StorageError when the run
    directory cannot be created.
    """
    preflight.check_safety(profile)
    settings = service_settings(profile.services, where)
    limit = preflight.raise_descriptor_limit()
    preflight.check_descriptors(profile, processes_for(profile, limit), limit)
    preflight.check_answers(profile.target.urls)
    run = create_run_dir(runs, profile.name)
    clock = RunClock.start()
    manifest = _manifest(run, profile, overrides, clock)
    write_manifest(run.manifest, manifest)
    interrupt = Interrupt()
    with interrupt.installed():
        end = _execute(run, profile, settings, clock, limit, interrupt, view)
    _close(run, manifest, end, clock)
    return run


def _manifest(run: RunDir, profile: Profile, overrides: Sequence[str], clock: RunClock) -> Manifest:
    return Manifest(
        run_id=run.root.name,
        profile=profile,
        overrides=tuple(overrides),
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        epoch_wall_s=clock.epoch_wall_s,
        git=host.git_facts(PROJECT),
        versions=host.versions(),
        host=host.host_facts(),
        command=" ".join(sys.argv[1:]),
    )


def _execute(
    run: RunDir,
    profile: Profile,
    settings: Mapping[str, Mapping[str, Any]],
    clock: RunClock,
    limit: int,
    interrupt: Interrupt,
    view: LiveView,
) -> End:
    """Everything between the two manifests; never raises a LoadgateError or OSError."""
    services: Services | None = None
    try:
        if not profile.target.urls:
            services = start_services(settings, clock, run)
        urls = services.urls if services else _urls(profile)
        sampler = Sampler(run, urls, SUBJECTS, profile.sampling, clock)
        sampler.start()
        try:
            generator = start_generator(profile, run, urls, clock, limit)
            return _watch(run, profile, generator, services, sampler, interrupt, view, clock)
        finally:
            sampler.stop()
    except LoadgateError as error:
        return End("aborted", str(error))
    except OSError as error:
        return End("aborted", f"{run.root}: {error.strerror or error}")
    finally:
        if services is not None:
            services.stop()


def _urls(profile: Profile) -> dict[str, str]:
    lock = {"inventory_lock": profile.target.inventory_lock}
    return profile.target.urls | {name: url for name, url in lock.items() if url}


def _watch(
    run: RunDir,
    profile: Profile,
    generator: Generator,
    services: Services | None,
    sampler: Sampler,
    interrupt: Interrupt,
    view: LiveView,
    clock: RunClock,
) -> End:
    """Wait for the end, whatever it is, and leave no process of the generator behind."""
    progress = Progress(run, profile)
    workers: list[int] = []
    try:
        while (end := _ended(generator, services, sampler, interrupt)) is None:
            now_s = clock.now_s()
            if now_s > profile.load.duration_s + profile.load.stop_timeout + GIVE_UP_AFTER_S:
                return End("generator_died", "Locust did not end in time")
            view.show(progress.now(now_s, dict(sampler.latest)))
            workers = _children(generator) or workers
            time.sleep(TICK_S)
        if end.how == "interrupted" and interrupt.count < 2:
            generator.stop()
            _wait_for_stop(generator, profile.load.stop_timeout + GIVE_UP_AFTER_S, interrupt)
        return end
    finally:
        generator.kill()
        wait_for_children(workers, 3.0)


def _ended(
    generator: Generator, services: Services | None, sampler: Sampler, interrupt: Interrupt
) -> End | None:
    if services is not None and (why := services.first_death()):
        return End("service_died", why)
    if sampler.broken is not None:
        return End("aborted", f"recording cannot be written: {sampler.broken.strerror}")
    if interrupt.count:
        return End("interrupted", "stopped by Ctrl-C or SIGTERM")
    code = generator.process.poll()
    if code is None:
        return None
    if code == 0:
        return End("completed")
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return End("generator_died", f"Locust ended with {how}; its log says:\n{tail(generator.log)}")


def _wait_for_stop(generator: Generator, timeout_s: float, interrupt: Interrupt) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and interrupt.count < 2:
        if generator.wait(TICK_S):
            return


def _children(generator: Generator) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(generator.process.pid).children()]
    except psutil.Error:
        return []


def _close(run: RunDir, manifest: Manifest, end: End, clock: RunClock) -> None:
    """The last event and the second manifest. Raises StorageError when the disk is full."""
    rows, _ = read_json_lines(run.events)
    try:
        events = JsonLinesWriter(run.events)
        events.write(
            {
                "t_s": round(clock.now_s(), 3),
                "source": "harness",
                "event": "run_ended",
                "how": end.how,
                "because": end.because,
            }
        )
        events.close()
    except OSError as error:
        raise StorageError(f"{run.events}: {error.strerror}") from error
    counted = next((row for row in rows if row.get("event") == "generator_ended"), {})
    write_manifest(
        run.manifest,
        manifest.model_copy(
            update={
                "ended": end.how,
                "ended_because": end.because,
                "phases": phases_of(rows),
                "counts": {k: v for k, v in counted.items() if isinstance(v, int)},
            }
        ),
    )
