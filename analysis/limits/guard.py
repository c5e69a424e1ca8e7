"""``[guard]`` of ``thresholds.toml``: what is watched while a run goes on, and what is done then.

A line is a rule, as those that a run is judged by, and how long a stretch it looks at::

    metric op number [unit] [over duration]        error_rate < 1 % over 30 s

Without ``over`` it looks at the last 30 s, and a pause that it made waits for somebody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from analysis.limits.rules import Rule, parse_rule, unknown
from analysis.metrics.catalogue import METRICS
from recording.durations import FORMS, format_duration, parse_duration_s
from recording.errors import ConfigError
from recording.flow import FLOW, Services
from recording.profile import JOURNEY

Problem = Callable[..., None]
"""Takes (where, what is wrong, number of the entry in a list); reading goes on."""
Action = Literal["warn", "pause", "abort"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
OVER_S: Final = 30.0
"""Runbook RB-QA-005 names no stretch; this is three of the samples that a person looks at."""
SHORTEST_S, LONGEST_S = 1.0, 600.0
"""Of a stretch: at least a line of the recording, and no more than can be looked at again and
again."""
SECTIONS: Final = (*FLOW.subjects, JOURNEY, *FLOW.steps)
"""Whom a table of its own can be about, beside what only a shop knows; [guard] itself is about
every service."""
SETTINGS: Final = ("grace", "min_samples", "pause_limit", "stop_when_invalid")


@dataclass(frozen=True, slots=True)
class Guard:
    """What is done once a rule does not hold over a stretch of so many seconds.

    ``subject`` "" is every service that has such a metric. One that ``waits`` makes a pause that
    somebody has to end.
    """

    action: Action
    subject: str
    rule: Rule
    over_s: float
    waits: bool

    def __str__(self) -> str:
        return self.rule.text + ("" if self.waits else f" over {format_duration(self.over_s)}")

    def subjects(self, services: Services) -> tuple[str, ...]:
        """Whom it watches, among these services."""
        named = (self.subject,) if self.subject else services.subjects
        return tuple(name for name in named if self.rule.metric.of(services, name))


@dataclass(frozen=True, slots=True)
class Guards:
    """All of ``[guard]``.

    None acts in the first ``grace_s`` of load, nor as long after a pause, nor on fewer requests
    than ``min_samples``. All pauses together last ``pause_limit_s`` at most.
    """

    every: tuple[Guard, ...] = ()
    grace_s: float = 15.0
    min_samples: int = 100
    pause_limit_s: float = 600.0
    stop_when_invalid: bool = False

    def stopping(self, *, when_invalid: bool) -> Guards:
        """The same, where the command line asks for it too."""
        return replace(self, stop_when_invalid=self.stop_when_invalid or when_invalid)


def read_guards(body: Mapping[str, object], own: Mapping[str, str], problem: Problem) -> Guards:
    """The section as read from the file; every problem is handed to ``problem``.

    ``own`` are names that only a shop knows, and whom of ours each is like.
    """
    sections = (*SECTIONS, *(name for name in own if name not in SECTIONS))
    every: list[Guard] = []
    settings: dict[str, Any] = {}
    for key, value in body.items():
        where = f"guard.{key}"
        if key in ACTIONS:
            every += _guards(where, value, key, ("", ""), problem)
        elif key in SETTINGS:
            settings |= _setting(where, key, value, problem)
        elif key not in sections:
            declared = (
                "" if own else '; one of your own needs a section [steps."…"] or [services.…]'
            )
            problem(where, unknown("key", key, (*ACTIONS, *SETTINGS, *sections)) + declared)
        elif not isinstance(value, dict):
            problem(where, f"must be a section [{where}], not {value!r}")
        else:
            every += _of_subject((key, own.get(key, key)), value, problem)
    return Guards(tuple(every), **settings)


def _of_subject(
    subject: tuple[str, str], body: Mapping[str, object], problem: Problem
) -> Iterator[Guard]:
    for key, value in body.items():
        where = f"guard.{subject[0]}.{key}"
        if key in ACTIONS:
            yield from _guards(where, value, key, subject, problem)
        else:
            problem(where, unknown("key", key, ACTIONS))


def _guards(
    where: str, listed: object, action: Action, subject: tuple[str, str], problem: Problem
) -> Iterator[Guard]:
    """``subject``: its name, and whom of ours it is like."""
    if not isinstance(listed, list) or not listed:
        example = '["error_rate < 1 % over 30 s"]'
        problem(where, f"must be a list of rules like {example}, not {listed!r}")
        return
    for number, text in enumerate(listed):
        try:
            yield parse_guard(text, action, *subject)
        except ConfigError as error:
            problem(where, str(error), number)


def parse_guard(text: object, action: Action, subject: str = "", like: str = "") -> Guard:
    """Read one line. Raises ConfigError: in one line what is wrong and what is allowed.

    ``like``: whom of ours a subject resembles that only a shop knows.
    """
    if not isinstance(text, str):
        raise ConfigError(f"{text!r} is not text: write it in quotes, with its unit")
    said, *over = re.split(r"\bover\b", text, maxsplit=1)
    rule = parse_rule(said)
    if not rule.metric.live:
        known = ", ".join(name for name, metric in METRICS.items() if metric.live)
        raise ConfigError(
            f"{rule.metric.name} takes a whole run, and cannot be watched (in rule {text!r}); "
            f"allowed: {known}"
        )
    over_s = _over_s(over[0].strip(), text) if over else OVER_S
    guard = Guard(action, subject, rule, over_s, waits=not over)
    if not replace(guard, subject=like or subject).subjects(FLOW):
        raise ConfigError(f"{subject or 'no service'} has no {rule.metric.name} (in rule {text!r})")
    return guard


def _over_s(over: str, text: str) -> float:
    try:
        seconds = parse_duration_s(over)
    except ValueError:
        raise ConfigError(f"{over!r} is not a duration: {FORMS} (in rule {text!r})") from None
    if not SHORTEST_S <= seconds <= LONGEST_S:
        allowed = f"{format_duration(SHORTEST_S)} to {format_duration(LONGEST_S)}"
        raise ConfigError(f"over {over}: allowed is {allowed} (in rule {text!r})")
    return seconds


def _setting(where: str, key: str, value: object, problem: Problem) -> dict[str, Any]:
    """The field that a key sets; none where it is wrong."""
    if key == "stop_when_invalid":
        if isinstance(value, bool):
            return {key: value}
        problem(where, f"must be true or false, not {value!r}")
    elif key == "min_samples":
        if type(value) is int and value > 0:
            return {key: value}
        problem(where, f"must be a whole number above 0, not {value!r}")
    else:
        try:
            if isinstance(value, str):
                return {f"{key}_s": parse_duration_s(value)}
            problem(where, f"must be a duration in quotes: {FORMS}; not {value!r}")
        except ValueError as error:
            problem(where, f"{value!r} is {error}")
    return {}
