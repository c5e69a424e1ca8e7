"""Wires recorder and collector into Locust's events, in whatever role this process has."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from operator import attrgetter
from pathlib import Path
from typing import Any

import gevent
import locust.runners
from locust import User, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from locustfiles import process
from locustfiles.arrivals import DISPATCHER
from locustfiles.breaks import BREAKS
from locustfiles.by_hand import guard, why_refused
from locustfiles.collector import Collector
from locustfiles.intervals import EvenIntervals, Intervals, SlotIntervals
from locustfiles.levels import Levels, Orders
from locustfiles.pausing import BREAK_MESSAGE, Pausing, heed
from locustfiles.plan import PLAN
from locustfiles.recorder import Recorder
from locustfiles.seal import Strangers, seal_messages
from locustfiles.shape import PhaseShape
from locustfiles.timetable import TIMETABLE, Timetable
from locustfiles.traffic import Traffic
from recording.arrivals import arrival_times_s
from recording.errors import RefusedError
from recording.events import (
    AWAITING_WORKERS,
    LEVEL_ENDED,
    LEVEL_STARTED,
    PAUSE_ASKED,
    PHASE_STARTED,
    PHASES_ENDED,
    RESUME_ASKED,
    SLOTS_STARTED,
    STRANGERS_REFUSED,
    WORKER_JOINED,
    WORKER_LOST,
)
from recording.metric_names import ARRIVALS_PLANNED, ARRIVALS_STARTED, CPU, RSS, RUN_QUEUE_WAIT
from recording.slots import Arm

LAG_TICK_S = 0.05
USERS_TICK_S = 1.0
WORKER_LEAVES_AFTER_S = 0.5
LAST_REPORT_PATIENCE_S = 30.0
LOST_WORKER_PATIENCE_S = 5.0
"""Locust calls a worker lost after four silent seconds; on a starved machine it may yet speak."""
SLOTS_MESSAGE = "loadgate-slots"
LEVEL_MESSAGE = "loadgate-level"
LEVELS_TICK_S = 0.05
MOST_USERS = 1_000_000
"""Of one worker in one run, with a margin."""
DISK_EXIT_CODE = 74  # EX_IOERR of sysexits.h


class WorkerIdentity:
    """Which of how many workers this is; ids of carts and requests never collide, between the
    workers of a run or between runs."""

    def __init__(self, workers: int = 1) -> None:
        self.index = 0
        self.count = workers
        self._date = datetime.now(UTC).date().isoformat()
        self._requests = 0

    def follow(self, environment: Environment, runner: WorkerRunner) -> None:
        """Learn from Locust, before each test, which of its workers this is."""

        def on_test_start(**_: Any) -> None:
            self.index = max(0, runner.worker_index)
            options = environment.parsed_options
            self.count = max(1, getattr(options, "expect_workers", 1) or 1)

        environment.events.test_start.add_listener(on_test_start)

    @property
    def name(self) -> str:
        """As in the seed's X-Locust-Worker header."""
        return f"locust-worker-{self.index + 1:02d}"

    def user_number(self, own: int) -> int:
        """The number of this worker's user ``own``, which no other worker's user has.

        One that joined in place of a lost worker counts from a million of its own on.
        """
        if self.index < self.count:
            return self.index + self.count * own
        return self.index * MOST_USERS + own

    def next_request_id(self) -> str:
        """``lt-req-<date>-<run>-<worker><number>``, but for the run as in the seed's log."""
        self._requests += 1
        return f"lt-req-{self._date}-{PLAN.token}-{self.index:02d}{self._requests:07d}"

    def session_id(self, user: int, session: int) -> str:
        """``lt-<run>-<worker>-<user>-<session>``: a cart's is this with ``cart-`` before it."""
        return f"lt-{PLAN.token}-{self.index:02d}-{user:05d}-{session}"


WORKER = WorkerIdentity(PLAN.workers)
LEVELS = Levels() if PLAN.in_levels else None
"""None unless this is a search."""
requests_into: Callable[[Recorder], Callable[..., None]] = attrgetter("on_request")
"""What hears of requests; a locustfile of somebody's own sets another."""
TRAFFIC: dict[str, Traffic] = {}
"""Of this process, by the services that it is counted of."""
_recorder: Recorder | None = None
"""Of this process, where it makes requests and they are recorded."""


def begin(context: dict[str, Any]) -> None:
    """A request is about to be sent."""
    if _recorder is not None:
        _recorder.begin(context)


def cut_off(context: dict[str, Any]) -> None:
    """A request that began will never end: its user was killed."""
    if _recorder is not None:
        _recorder.cut_off(context)


def ask_again(context: dict[str, Any], wait_s: float) -> None:
    """A request that ended badly will be made once more."""
    if _recorder is not None:
        _recorder.ask_again(context, wait_s)


def give_up(context: dict[str, Any], asked: Mapping[str, Any]) -> None:
    """A client was never told of the order that it asked for."""
    if _recorder is not None:
        _recorder.give_up(context, asked)


def base_url(user: User, service: str, arm: Arm | None = None) -> str:
    """The service's url, "" where there is none; by hand ``--host`` is one gateway for all."""
    options = user.environment.parsed_options
    if not PLAN.shaped and options is not None and options.host:
        if because := why_refused(options.host):
            raise RefusedError(because)
        return str(options.host)
    return PLAN.url_of(service, arm)


process.raise_descriptor_limit()
if PLAN.recorded:
    seal_messages(os.environ["LOADGATE_TOKEN"])


@events.init.add_listener
def _on_init(environment: Environment, runner: Any, web_ui: Any = None, **_: Any) -> None:
    process.quiet_collector()
    if isinstance(runner, WorkerRunner):
        WORKER.follow(environment, runner)
    if not PLAN.recorded:
        guard(environment, web_ui)
        return
    process.end_with_parent(is_master=isinstance(runner, MasterRunner))
    # Reports carry whole intervals; every 3 s, Locust's default, would hide a stall for long.
    locust.runners.WORKER_REPORT_INTERVAL = PLAN.profile.recording.interval
    if isinstance(runner, WorkerRunner):
        _record_and_report(environment, runner)
    elif isinstance(runner, MasterRunner):
        _collect(environment, runner)


def _new_recorder(environment: Environment) -> Recorder:
    global _recorder
    recording = PLAN.profile.recording
    recorder = _recorder = Recorder(
        PLAN.clock.now_s,
        _intervals(),
        recording.slowest_per_interval,
        recording.failures_per_interval,
        PLAN.profile.load.request_timeout,
    )
    environment.events.request.add_listener(requests_into(recorder))
    gevent.spawn(_measure_lag, recorder)
    if folder := os.environ.get("LOADGATE_RAW"):
        _keep_raw_values(environment, Path(folder))
    if PLAN.profile.load.model == "arrivals":
        environment.events.test_start.add_listener(lambda **_: gevent.spawn(_let_arrive))
    return recorder


def _intervals() -> Intervals:
    if TIMETABLE is not None:
        return SlotIntervals(TIMETABLE)
    return EvenIntervals(PLAN.profile.recording.interval)


def _keep_raw_values(environment: Environment, folder: Path) -> None:
    """Every latency of this process in µs, a line each: to check the histograms against."""
    file = (folder / f"latency-{os.getpid()}.txt").open("w", buffering=1)

    def on_request(response_time: float, **_: Any) -> None:
        file.write(f"{response_time * 1000!r}\n")

    environment.events.request.add_listener(on_request)


def _let_arrive() -> None:
    profile, began_s = PLAN.profile, time.monotonic()
    if LEVELS is not None:
        began_s = PLAN.clock.epoch_s
        times_s = LEVELS.times_s(profile, WORKER.index, WORKER.count)
    else:
        times_s = arrival_times_s(profile.load, profile.seed, WORKER.index, WORKER.count)
    DISPATCHER.run((began_s + t_s for t_s in times_s), BREAKS.until)


def _measure_lag(recorder: Recorder) -> None:
    while True:
        due_s = time.monotonic() + LAG_TICK_S
        gevent.sleep(LAG_TICK_S)
        recorder.record_lag(time.monotonic() - due_s)


def _report(recorder: Recorder, *, final: bool) -> dict[str, Any]:
    return recorder.take(final=final) | {
        "t_s": PLAN.clock.now_s(),
        "name": WORKER.name,
        CPU: time.process_time(),
        RSS: float(process.resident_bytes()),
        RUN_QUEUE_WAIT: process.run_queue_wait_s(),
        ARRIVALS_PLANNED: float(DISPATCHER.planned),
        ARRIVALS_STARTED: float(DISPATCHER.started),
        "journeys": BREAKS.journeys,
        "traffic": {names: asdict(counted) for names, counted in TRAFFIC.items()},
    }


def _record_and_report(environment: Environment, runner: WorkerRunner) -> None:
    WORKER.index = runner.worker_index
    if PLAN.run is None:  # on another machine, where someone looks at what this prints
        sys.stdout.write(f"joined as worker {WORKER.index + 1} of {WORKER.count}\n")
        sys.stdout.flush()
    recorder = _new_recorder(environment)
    stopped = False

    def on_report(data: dict[str, Any], **_: Any) -> None:
        data["loadgate"] = _report(recorder, final=stopped)

    def on_test_stop(**_: Any) -> None:
        # The last report must leave before Locust tells the master that this worker stopped.
        nonlocal stopped
        stopped = True
        runner._send_stats()
        # After a stop Locust's worker stands by for as long as the stop timeout; ours is done.
        gevent.spawn_later(WORKER_LEAVES_AFTER_S, runner.quit)

    if TIMETABLE is not None:
        begin = TIMETABLE.begin
        runner.register_message(SLOTS_MESSAGE, lambda msg, **_: begin(msg.data["start_s"]))
    if LEVELS is not None:
        told = LEVELS.told
        runner.register_message(LEVEL_MESSAGE, lambda msg, **_: told(msg.data))
    heeding = BREAKS, DISPATCHER
    runner.register_message(BREAK_MESSAGE, lambda msg, **_: heed(msg.data, *heeding))
    environment.events.report_to_master.add_listener(on_report)
    environment.events.test_stop.add_listener(on_test_stop)


def _collect(environment: Environment, runner: MasterRunner) -> None:
    collector = _new_collector(environment)
    pausing = _new_pausing(environment, runner)
    names: dict[str, str] = {}

    def on_report(client_id: str, data: dict[str, Any], **_: Any) -> None:
        if report := data.get("loadgate"):
            names[client_id] = report["name"]
            pausing.heard(report["name"], report["t_s"], report["journeys"])
            _guarded(collector.add, report["name"], report)

    def watch_workers() -> None:
        lost: set[str] = set()
        strangers = 0
        while True:
            for client in runner.clients.missing:
                if client.id not in lost:
                    lost.add(client.id)
                    name = names.get(client.id, client.id)
                    collector.forget(name)
                    pausing.forget(name)
                    collector.event(PLAN.clock.now_s(), WORKER_LOST, worker=name)
            if Strangers.count > strangers:
                strangers = Strangers.count
                collector.event(PLAN.clock.now_s(), STRANGERS_REFUSED, messages=strangers)
            gevent.sleep(USERS_TICK_S)

    def on_connect(client_id: str, **_: Any) -> None:
        collector.event(PLAN.clock.now_s(), WORKER_JOINED, worker=client_id)

    environment.events.worker_connect.add_listener(on_connect)
    environment.events.worker_report.add_listener(on_report)
    environment.events.test_stop.add_listener(lambda **_: _await_last_reports(collector))
    gevent.spawn(watch_workers)
    if LEVELS is not None and PLAN.run is not None:
        orders = Orders(PLAN.run.events, LEVEL_STARTED, LEVEL_ENDED)
        gevent.spawn(_tell_levels, runner, LEVELS, orders)


def _new_pausing(environment: Environment, runner: MasterRunner) -> Pausing:
    """What lets the shape pause; in a paired run and in a search nobody asks it to."""
    assert PLAN.run is not None
    orders = Orders(PLAN.run.events, PAUSE_ASKED, RESUME_ASKED)
    tell = partial(runner.send_message, BREAK_MESSAGE)
    shape = environment.shape_class
    assert isinstance(shape, PhaseShape)
    shape.turns.pausing = Pausing(PLAN.profile, BREAKS, orders, tell)
    return shape.turns.pausing


def _tell_levels(runner: MasterRunner, levels: Levels, orders: Orders) -> None:
    while True:
        for row in orders.new():
            levels.told(row)
            runner.send_message(LEVEL_MESSAGE, row)
        gevent.sleep(LEVELS_TICK_S)


def _await_last_reports(collector: Collector) -> None:
    """Locust's master leaves once no live worker has users: maybe before their last reports."""
    for lost, patience_s in ((False, LAST_REPORT_PATIENCE_S), (True, LOST_WORKER_PATIENCE_S)):
        deadline_s = time.monotonic() + patience_s
        if lost and (waiting := collector.unfinished(lost=True)):
            collector.event(PLAN.clock.now_s(), AWAITING_WORKERS, workers=sorted(waiting))
        while collector.unfinished(lost=lost) and time.monotonic() < deadline_s:
            gevent.sleep(0.05)


def _new_collector(environment: Environment) -> Collector:
    """The files of the run, the users' series, phase events and the closing count."""
    assert PLAN.run is not None
    collector = Collector(PLAN.run, PLAN.clock.epoch_wall_s, _intervals())
    shape = environment.shape_class
    assert isinstance(shape, PhaseShape)
    shape.turns.on_phase = lambda name, t_s, measured, paused: collector.event(
        t_s, PHASE_STARTED, phase=name, measured=measured, **({"paused": True} if paused else {})
    )
    shape.on_end = lambda t_s: collector.event(t_s, PHASES_ENDED, early=shape.stopping)
    gevent.signal_handler(signal.SIGUSR1, shape.stop_early)

    def sample_users() -> None:
        while True:
            users = environment.runner.user_count if environment.runner else 0
            _guarded(collector.users, PLAN.clock.now_s(), users)
            gevent.sleep(USERS_TICK_S)

    def on_quit(**_: Any) -> None:
        total = environment.stats.total
        collector.close(PLAN.clock.now_s(), total.num_requests, total.num_failures)

    gevent.spawn(sample_users)
    if TIMETABLE is not None:
        environment.events.test_start.add_listener(
            lambda **_: _begin_slots(environment, TIMETABLE, collector)
        )
    environment.events.quit.add_listener(on_quit)
    return collector


def _begin_slots(environment: Environment, timetable: Timetable, collector: Collector) -> None:
    """The slots begin with the measured phase; the workers hear of it before their first user."""
    ramp = takewhile(lambda phase: not phase.measured, PLAN.profile.load.phases)
    start_s = PLAN.clock.now_s() + sum(phase.duration for phase in ramp)
    timetable.begin(start_s)
    if isinstance(environment.runner, MasterRunner):
        environment.runner.send_message(SLOTS_MESSAGE, {"start_s": start_s})
    collector.event(PLAN.clock.now_s(), SLOTS_STARTED, start_s=start_s)


def _guarded(write: Callable[..., None], *what: Any, **more: Any) -> None:
    """A recording that cannot be written ends the run: Locust would swallow the error."""
    try:
        write(*what, **more)
    except OSError as error:
        logging.getLogger(__name__).critical("recording cannot be written: %s", error)
        os._exit(DISK_EXIT_CODE)
