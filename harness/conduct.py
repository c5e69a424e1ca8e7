"""One run from start to end: checks, services, sampler, Locust, and the two manifests."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import host, preflight
from harness.generator import Workers, plan_json, processes_for, start_generator
from harness.handshake import PLAN_PORT_OFFSET, PlanServer
from harness.live import LiveView
from harness.paths import PROJECT
from harness.progress import Progress
from harness.sampler import Sampler
from harness.services import Services, service_settings, start_services
from harness.watch import End, Interrupt, Watch
from mock_services.settings import SUBJECTS
from recording.clock import RunClock
from recording.errors import LoadgateError, StorageError
from recording.jsonl import JsonLinesWriter, read_json_lines
from recording.manifest import Manifest, write_manifest
from recording.phases import phases_of
from recording.profile import Profile
from recording.rundir import RunDir, create_run_dir

REMOTE_PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to run, from where, and where it is recorded."""

    profile: Profile
    settings: Mapping[str, Mapping[str, Any]]
    workers: Workers
    processes: int
    run: RunDir
    clock: RunClock


def conduct(
    profile: Profile,
    where: str,
    overrides: Sequence[str],
    runs: Path,
    view: LiveView,
    workers: Workers,
) -> RunDir:
    """Execute ``profile`` and record it; returns the run directory, however the run ended.

    Raises ConfigError or RefusedError before anything is started, and StorageError when the run
    directory cannot be created.
    """
    preflight.check_safety(profile)
    settings = service_settings(profile.services, where)
    preflight.check_answers(profile.target.urls)
    limit = preflight.raise_descriptor_limit()
    processes = workers.expected or processes_for(profile, limit)
    run = create_run_dir(runs, profile.name)
    clock = RunClock.start()
    manifest = _manifest(run, profile, overrides, clock)
    write_manifest(run.manifest, manifest)
    if short := preflight.shortages(profile, processes, limit):
        end = End("aborted", "; ".join(short))
    else:
        for text in preflight.doubts(profile):
            view.note(text)
        end = _execute(Job(profile, settings, workers, processes, run, clock), view)
    try:
        _close(run, manifest, end, clock)
    except StorageError as error:
        view.note(str(error))  # the first manifest stands: the run is INVALID, and is still judged
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


def _execute(job: Job, view: LiveView) -> End:
    """Everything between the two manifests; never raises a LoadgateError or OSError."""
    services: Services | None = None
    interrupt = Interrupt()
    try:
        with interrupt.installed():
            if not job.profile.target.urls:
                services = start_services(
                    job.settings, job.clock, job.run, host=job.workers.host_for_services
                )
            urls = services.urls if services else _urls(job.profile)
            return _under_load(job, services, urls, interrupt, view)
    except LoadgateError as error:
        return End("aborted", str(error))
    except OSError as error:
        return End("aborted", f"{job.run.root}: {error.strerror or error}")
    finally:
        if services is not None:
            services.stop()


def _urls(profile: Profile) -> dict[str, str]:
    lock = {"inventory_lock": profile.target.inventory_lock}
    return profile.target.urls | {name: url for name, url in lock.items() if url}


def _under_load(
    job: Job,
    services: Services | None,
    urls: Mapping[str, str],
    interrupt: Interrupt,
    view: LiveView,
) -> End:
    sampler = Sampler(job.run, urls, SUBJECTS, job.profile.sampling, job.clock)
    sampler.start()
    server: PlanServer | None = None
    try:
        if job.workers.remote:
            plan = plan_json(job.profile, urls, None)
            port = job.workers.port + PLAN_PORT_OFFSET
            server = PlanServer(job.workers.host, port, plan, job.clock)
        generator = start_generator(
            job.profile, job.run, urls, job.clock, job.processes, job.workers
        )
        patience_s = REMOTE_PATIENCE_S if job.workers.remote else 0.0
        watch = Watch(generator, services, sampler, interrupt, patience_s)
        progress = Progress(job.run, job.profile)
        return watch.until_end(job.profile.load, progress, view, job.clock)
    finally:
        sampler.stop()
        if server is not None:
            server.close()


def _close(run: RunDir, manifest: Manifest, end: End, clock: RunClock) -> None:
    """The last event and the second manifest. Raises StorageError when the disk is full."""
    rows, _ = read_json_lines(run.events)
    row = {"t_s": round(clock.now_s(), 3), "source": "harness", "event": "run_ended"}
    try:
        events = JsonLinesWriter(run.events)
        events.write({**row, "how": end.how, "because": end.because})
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
