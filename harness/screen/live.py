"""Draws a running test: a live panel on a terminal, plain lines everywhere else."""

import contextlib
import select
from collections.abc import Callable, Iterator, Mapping
from math import isnan
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from analysis.words.units import counted
from harness.screen.plain import Screen
from harness.screen.progress import Now
from harness.system.streams import wait_for_readers, warn
from recording.clock import RunClock
from recording.durations import format_duration
from recording.metric_names import POOL_ACTIVE, POOL_MAX, POOL_WAITING, RSS, UP
from recording.rundir import RunDir
from recording.secrets import redact

PLAIN_EVERY_S = 10.0
Follow = Callable[[RunDir, RunClock], None]


class LiveView:
    """``show`` takes one frame after the other; use as a context manager."""

    def __init__(self, console: Screen, title: str, follow: Follow | None = None) -> None:
        """``follow`` shows the run elsewhere too, from the moment that it has a directory."""
        self._console = console
        self._follow = follow
        self._title = title
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._failed = False
        self._last_plain_s = -PLAIN_EVERY_S
        self._last_phase = ""

    def __enter__(self) -> Self:
        wait_for_readers(False)
        with self.harmless():
            if self._console.is_redrawn:
                self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.harmless():
            if self._console.is_redrawn:
                self._live.stop()
        wait_for_readers(True)

    @contextlib.contextmanager
    def harmless(self) -> Iterator[None]:
        """A picture that cannot be drawn ends no run; it is said once."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is
            if not self._failed:
                warn(f"the live view failed: {type(error).__name__}: {error}")
            self._failed = True

    def follow(self, run: RunDir, clock: RunClock) -> None:
        """There is a run to be seen."""
        if self._follow is not None:
            with self.harmless():
                self._follow(run, clock)

    def note(self, text: str) -> None:
        """Say something once, before the run."""
        self._console.print(redact(f"note: {text}"), style="yellow", soft_wrap=True)

    def say(self, text: str) -> None:
        """A line of what is found on the way; lost where nobody reads."""
        with self.harmless():
            if _takes_more(self._console):
                self._console.print(redact(text), soft_wrap=True)

    def show(self, now: Now) -> None:
        """Draw a frame, or print a line when it is due or the phase changed.

        Nothing where nobody reads what was printed before: a run does not wait for its audience.
        """
        if not _takes_more(self._console):
            return
        if self._console.is_redrawn:
            self._live.update(_panel(self._title, now), refresh=True)
        elif now.phase != self._last_phase or now.t_s - self._last_plain_s >= PLAIN_EVERY_S:
            self._last_phase = now.phase
            self._last_plain_s = now.t_s
            self._console.print(_line(now), soft_wrap=True)


def _takes_more(console: Console) -> bool:
    """Whether a line can be written at once."""
    try:
        return bool(select.select([], [console.file.fileno()], [], 0)[1])
    except (OSError, ValueError):  # no descriptor, so nobody who could be slow
        return True


def _line(now: Now) -> str:
    worst = max((step for step in now.steps if step.p99_ms == step.p99_ms),
                key=lambda step: step.p99_ms, default=None)  # fmt: skip
    slowest = f", slowest p99 {worst.name} {worst.p99_ms:.0f} ms" if worst else ""
    measured = " (measured)" if now.measured else ""
    return (
        f"{now.clock:<8} {now.turn or now.phase}{measured}: "
        f"{counted(now.users, 'user')}, {now.rate_per_s:,.0f} req/s, "
        f"{counted(now.failures, 'failure')}{slowest}, "
        f"{format_duration(round(now.left_s))} left"
    )


def _panel(title: str, now: Now) -> Group:
    head = Text.assemble(
        (title, "bold"),
        f"   {now.turn or now.phase}",
        (" measured" if now.measured else "", "green"),
        f"   {now.clock}, {format_duration(round(now.left_s))} left\n"
        f"{counted(now.users, 'user')}   {now.rate_per_s:,.0f} req/s   ",
        (counted(now.failures, "failure"), "red" if now.failures else "dim"),
    )
    return Group(head, _steps(now), _services(now), Text("Ctrl-C stops in good order", "dim"))


def _table(name: str, *numbers: str) -> Table:
    """Its columns do not jump while their numbers change."""
    table = Table(box=None, pad_edge=False)
    table.add_column(name)
    for number in numbers:
        table.add_column(number, justify="right", min_width=8)
    return table


def _steps(now: Now) -> Table:
    arms = tuple(now.steps[0].p95_ms) if now.steps else ()
    by_arm = (f"{arm} p95 ms" for arm in arms)
    table = _table("step", "req/s", "p50 ms", "p99 ms", *by_arm, "failures")
    for step in now.steps:
        table.add_row(
            step.name,
            f"{step.rate_per_s:.1f}",
            f"{step.p50_ms:.0f}",
            f"{step.p99_ms:.0f}",
            *("·" if isnan(step.p95_ms[arm]) else f"{step.p95_ms[arm]:.0f}" for arm in arms),
            str(step.failures) if step.failures else "·",
        )
    return table


def _services(now: Now) -> Table:
    table = _table("service", "memory MB", "pool in use", "waiting")
    for subject, values in now.services.items():
        pool = (POOL_ACTIVE, POOL_MAX, POOL_WAITING)
        active, size, waiting = (_sum(values, name) for name in pool)
        table.add_row(
            subject if values.get(UP) else f"{subject} (no answer)",
            f"{values[RSS] / 2**20:.0f}" if RSS in values else "·",
            f"{active:.0f}/{size:.0f}" if size else "·",
            f"{waiting:.0f}" if waiting else "·",
        )
    return table


def _sum(values: Mapping[str, float], metric: str) -> float:
    return sum(value for name, value in values.items() if name.partition("/")[0] == metric)
