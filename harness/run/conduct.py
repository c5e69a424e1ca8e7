"""One run from start to end: scene, sampler, Locust, and the two manifests."""

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.limits.guard import Guards
from harness.generator.generator import (
    Generator,
    Workers,
    plan_json,
    processes_for,
    start_generator,
)
from harness.generator.handshake import PLAN_PORT_OFFSET, PlanServer
from harness.observe.exporter import Exporter
from harness.run.afterwards import ask_afterwards
from harness.run.events import write_event
from harness.run.faults import planted
from harness.run.guarded import guarded
from harness.run.reads import reads_of
from harness.run.retold import retold
from harness.run.search import Search, Searcher, searching
from harness.run.watch import STOPPED, End, Interrupt, Watch
from harness.sampling.sampler import Read, Sampler
from harness.scene import preflight
from harness.scene.orders_db import OrdersDb, check_orders_db
from harness.scene.phases import check_phases
from harness.scene.scene import OpenScene, Scene, by_subject, services_of, single, target_urls
from harness.scene.seeds import seeded_load, seeded_services
from harness.scene.services import service_settings
from harness.scene.shop import Checkout, check_checkout, check_shop, repository
from harness.scene.shop_metrics import check_metrics
from harness.screen.live import LiveView
from harness.screen.progress import Progress
from harness.system import git, host
from harness.system.held import held
from recording.clock import RunClock
from recording.closing import close_run
from recording.errors import LoadgateError, StorageError
from recording.events import GENERATOR_ENDED, LEDGER_LEFT, NOT_SAMPLED, RUN_ENDED
from recording.files import why
from recording.flow import Service, Services
from recording.jsonl import read_json_lines
from recording.ledgers import settle_ledger
from recording.manifest import Manifest, PairedRun, write_manifest
from recording.profile import Profile
from recording.rundir import RunDir, create_run_dir
from recording.secrets import redact_file
from recording.slots import ARMS
from recording.text import plain
from recording.timetable import phases_of
from recording.written import Written

if TYPE_CHECKING:
    from harness.sampling.postgres import PostgresFigures


@dataclass(frozen=True, slots=True)
class Order:
    """What to run, against what, and from where.

    ``enough`` is asked all the time whether the run may end before its plan does; it answers with
    the reason, or "". Without ``guards`` nothing is watched but that it goes on.
    """

    profile: Profile
    open_scene: OpenScene
    overrides: Sequence[str] = ()
    workers: Workers = field(default_factory=Workers)
    seed: int | None = None
    paired: PairedRun | None = None
    search: Search | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    enough: Callable[[RunDir, RunClock], str] | None = None
    guards: Guards | None = None
    exporter: Exporter | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """An order that is being carried out."""

    order: Order
    processes: int
    run: RunDir
    clock: RunClock


@dataclass(frozen=True, slots=True)
class Bench:
    """What loads and what measures; ``refused`` say why a worker takes no part."""

    generator: Generator
    sampler: Sampler
    refused: Sequence[Callable[[], str]]
    interrupt: Interrupt


def conduct(
    profile: Profile,
    settings: Mapping[str, dict[str, Any]],
    overrides: Sequence[str],
    runs: Path,
    view: LiveView,
    workers: Workers,
    seed: int,
    labels: Mapping[str, str],
    guards: Guards | None = None,
    exporter: Exporter | None = None,
) -> RunDir:
    """Execute a profile that was ``checked`` and record it; returns the run directory.

    It does so however the run ended. What the profile does not seed itself draws from ``seed``.
    Raises StorageError when the run directory cannot be created.
    """
    settings = seeded_services(settings, seed)
    where = (workers.host_for_services, workers.ports_for_services)
    scene = single(profile, settings, *where)
    resolved = seeded_load(profile, seed)
    if profile.starts_mocks:
        resolved = resolved.model_copy(update={"services": settings})
    order = Order(
        resolved, scene, overrides, workers, seed, labels=labels, guards=guards, exporter=exporter
    )
    return record(order, runs, view)


def checked(profile: Profile, where: Written | str) -> dict[str, dict[str, Any]]:
    """What the services are to be told. Raises ConfigError or RefusedError for what cannot run."""
    preflight.check_safety(profile)
    if profile.arm is not None:
        check_shop(profile.arm, profile)
        check_checkout(Checkout(profile.arm, repository(profile)))
    settings = service_settings(profile.services, where)
    check_phases(profile.load, settings, where)
    preflight.check_answers(profile.target.reached, access=profile.target.access)
    if profile.target.reached:
        check_metrics(profile, by_subject(target_urls(profile), profile.flow))
    if profile.starts_mocks:
        check_orders_db(settings, profile.target.allowed_hosts, where)
    return settings


def record(order: Order, runs: Path, view: LiveView) -> RunDir:
    """Carry out an order whose profile was checked; returns the run directory, however it ended.

    Raises StorageError when the run directory cannot be created.
    """
    profile = order.profile
    limit = preflight.raise_descriptor_limit()
    processes = order.workers.expected or processes_for(profile, limit)
    run = create_run_dir(runs, profile.name)
    job = Job(order, processes, run, RunClock.start())
    interrupt = Interrupt()
    with held(run.root), interrupt.installed():
        manifest = _manifest(job)
        write_manifest(run.manifest, manifest)
        view.follow(run, job.clock)
        end = _end_of(job, limit, interrupt, view)
        try:
            _close(run, manifest, end, job.clock)
        except StorageError as error:
            # The first manifest stands: the run is INVALID, and is still judged.
            view.note(str(error))
    return run


def unloaded(order: Order, runs: Path) -> RunDir:
    """The run directory of a gate that has nothing to load. Raises StorageError."""
    job = Job(order, 0, create_run_dir(runs, order.profile.name), RunClock.start())
    close_run(job.run, _manifest(job).model_copy(update={"ended": "completed"}))
    return job.run


def _end_of(job: Job, limit: int, interrupt: Interrupt, view: LiveView) -> End:
    profile = job.order.profile
    if short := preflight.shortages(profile, job.processes, limit, job.run.root):
        return End("aborted", "; ".join(short))
    for text in preflight.doubts(profile):
        view.note(text)
    if _has_theirs(job.order) and (unheeded := preflight.proxies_unheeded(profile.target.proxy)):
        view.note(unheeded)
    return _execute(job, interrupt, view)


def _manifest(job: Job) -> Manifest:
    return Manifest(
        run_id=job.run.root.name,
        profile=job.order.profile,
        seed=job.order.seed,
        overrides=tuple(job.order.overrides),
        labels=job.order.labels,
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        epoch_wall_s=job.clock.epoch_wall_s,
        git=git.facts(repository(job.order.profile)),
        versions=host.versions(),
        host=host.host_facts(),
        command=plain(shlex.join(sys.argv[1:])),
        paired=job.order.paired,
        search=job.order.search.facts if job.order.search else None,
        services=_services(job.order),
        steps=job.order.profile.flow.order,
        workers=job.processes,
    )


def _services(order: Order) -> tuple[Service, ...]:
    """Of a paired run those of either arm."""
    flow = order.profile.flow
    if order.paired is None:
        return services_of(order.profile)
    arms = (order.paired.base, order.paired.head)
    return flow.with_others(service for arm in arms for service in arm.services or ()).all


def _has_theirs(order: Order) -> bool:
    """Whether any of the services is somebody else's."""
    if order.paired is None:
        return not order.profile.starts_mocks
    return not all(order.paired.facts_of(arm).ours for arm in ARMS)


def _arms(paired: PairedRun, scene: Scene, flow: Services) -> dict[str, object]:
    """What the load must know of the arms: their order, urls, and steps."""
    own = {arm: paired.facts_of(arm).services for arm in ARMS}
    steps = {
        arm: flow.steps if s is None else Services(s, flow.order).steps for arm, s in own.items()
    }
    return {"arms": scene.arms, "head_first": paired.head_first, "steps": steps}


def _execute(job: Job, interrupt: Interrupt, view: LiveView) -> End:
    """Everything between the two manifests; never raises a LoadgateError or OSError."""
    scene: Scene | None = None
    try:
        with interrupt.at_once():
            scene = job.order.open_scene(job.run, job.clock)
        _tell_unsampled(job, scene, view)
        if interrupt.count:
            return End("interrupted", STOPPED)
        return _under_load(job, scene, interrupt, view)
    except KeyboardInterrupt:
        return End("interrupted", STOPPED)
    except LoadgateError as error:
        return End("aborted", str(error))
    except OSError as error:
        return End("aborted", f"{job.run.root}: {error.strerror or error}")
    finally:
        if scene is not None and scene.services is not None:
            scene.services.stop()
            _settle(job, scene.services.databases, view)


def _settle(job: Job, databases: Sequence[OrdersDb], view: LiveView) -> None:
    """Copy their orders into the run; of those that could not be, the run says where they are."""
    for database in databases:
        if because := database.settle():
            schema, subject = database.schema, database.subject
            view.note(f"{subject}: schema {schema} is left ({because})")
            details = {"subject": subject, "schema": schema, "because": because}
            write_event(job.run, job.clock, LEDGER_LEFT, **details)


def _tell_unsampled(job: Job, scene: Scene, view: LiveView) -> None:
    for subject in scene.unsampled:
        view.note(f"{subject} exports no /metrics: pools, memory and CPU of it will not be known")
        write_event(job.run, job.clock, NOT_SAMPLED, subject=subject)


def _under_load(job: Job, scene: Scene, interrupt: Interrupt, view: LiveView) -> End:
    """Everything while there is load; sampler and servers are gone with it."""
    order, run, workers = job.order, job.run, job.order.workers
    profile, paired = order.profile, order.paired
    if order.exporter is not None:
        order.exporter.attach(run, job.clock, profile, scene.sampled)
    arms = _arms(paired, scene, profile.flow) if paired else None
    levels = order.search is not None
    theirs = _has_theirs(order)
    plan = plan_json(profile, run.token, scene.urls, arms, job.processes, levels, theirs)
    with _sampling(job, scene) as sampler, _serving(job, plan) as refused:
        generator = start_generator(profile, run, plan(run), job.clock, job.processes, workers)
        end = _watched(job, scene, Bench(generator, sampler, refused, interrupt), view)
    ask_afterwards(scene, job.run, job.clock, view, lambda: interrupt.count > 0)
    return end


@contextlib.contextmanager
def _sampling(job: Job, scene: Scene) -> Iterator[Sampler]:
    profile, databases = job.order.profile, _database_figures(job, scene)
    access = profile.target.access
    others: dict[str, Read] = {**databases, **reads_of(scene, profile)}
    sampler = Sampler(job.run, scene.sampled, profile.sampling, job.clock, access, others)
    sampler.start()
    try:
        yield sampler
    finally:
        sampler.stop()
        for figures in databases.values():
            figures.close()


@contextlib.contextmanager
def _serving(
    job: Job, plan: Callable[[RunDir | None], str]
) -> Iterator[Sequence[Callable[[], str]]]:
    """The plan, to workers on other machines."""
    workers = job.order.workers
    if not workers.remote:
        yield ()
        return
    port = workers.port + PLAN_PORT_OFFSET
    server = PlanServer(workers.host, port, plan(None), job.clock, workers.token.text)
    try:
        yield (server.refusal_so_far,)
    finally:
        server.close()


def _watched(job: Job, scene: Scene, bench: Bench, view: LiveView) -> End:
    order, run, sampler = job.order, job.run, bench.sampler
    profile, patience_s = order.profile, order.workers.within_s
    progress = Progress(run, profile, order.paired, job.processes)
    newest = lambda: dict(sampler.latest)  # noqa: E731
    with (
        planted(profile.faults, scene.services, run, job.clock) as unplanted,
        retold(profile.load, scene.services, run, job.clock) as untold,
        searching(order.search, profile, scene, newest, run, job.clock) as searcher,
        guarded(order.guards, run, job.clock, scene.urls) as guards,
    ):
        searched = [lambda: searcher.problem] if searcher else []
        stops = (*bench.refused, unplanted, untold, *searched)
        asked, watched = _enough(job, searcher), (bench.generator, scene.services, sampler)
        watch = Watch(*watched, bench.interrupt, patience_s, asked, stops, guards)
        end = watch.until_end(profile.load, progress, view, job.clock)
        cools = end == End("completed") and not (order.paired or order.search)
        return watch.cool_down(run, profile.load, progress, view, job.clock) if cools else end


def _database_figures(job: Job, scene: Scene) -> "dict[str, PostgresFigures]":
    """How each PostgreSQL of the run is read."""
    asked = {*scene.reads, *(scene.after_load.wanted if scene.after_load else ())}
    databases = [
        db for db in (scene.services.databases if scene.services else ()) if db.subject not in asked
    ]
    if not databases:
        return {}
    from harness.sampling.postgres import PostgresFigures  # its driver is an extra

    how = job.order.profile.sampling
    return {
        db.subject: PostgresFigures(db.url, how.timeout, how.slow_statement) for db in databases
    }


def _enough(job: Job, searcher: Searcher | None) -> Callable[[], str] | None:
    if searcher is not None:
        return lambda: searcher.finished
    enough = job.order.enough
    return (lambda: enough(job.run, job.clock)) if enough else None


def _seen(manifest: Manifest, counted: Mapping[str, Any]) -> dict[str, object]:
    """The steps that only the run could tell."""
    steps = counted.get("begun", ())
    if manifest.paired is not None:
        steps = {name.rpartition("@")[0] for name in steps}
    flow = manifest.flow().of_steps_seen(steps)
    return {"services": flow.all, "steps": flow.order}


def _close(run: RunDir, manifest: Manifest, end: End, clock: RunClock) -> None:
    """The last event, and the second manifest, which has the digests of all files.

    Whatever cuts this short leaves the first manifest: INVALID. Raises StorageError (disk full).
    """
    try:
        for log in run.logs.glob("*.log"):  # of Locust and the mocks, which know nothing of secrets
            redact_file(log)
        rows, _ = read_json_lines(run.events)
        write_event(run, clock, RUN_ENDED, how=end.how, because=end.because)
        for arm in ("", *ARMS):
            settle_ledger(run.orders_of(arm))
            settle_ledger(run.payments_of(arm))
    except OSError as error:
        raise StorageError(f"{run.root}: cannot be closed: {why(error)}") from error
    counted = next((row for row in rows if row.get("event") == GENERATOR_ENDED), {})
    how_it_ended = {
        "ended": end.how,
        "ended_because": end.because,
        "phases": phases_of(rows),
        "counts": {k: v for k, v in counted.items() if isinstance(v, int)},
        **_seen(manifest, counted),
    }
    close_run(run, manifest.model_copy(update=how_it_ended))
