"""``thresholds.toml``: which rules hold for whom. The only place where SLA numbers live.

Every section that names a subject (a service, a step, the journey, the orders) holds lists of
rules by kind; ``[regression]`` says which change matters, ``[guard]`` what is watched while
the test runs. All problems of a file are reported at once, and a file that could never fail
a run is itself an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from analysis.limits.regression import GateSettings, read_regression
from analysis.limits.rules import Rule, parse_rule, unknown
from analysis.metrics.catalogue import KINDS, METRICS, kinds_of
from analysis.metrics.subjects import SUBJECTS
from recording.errors import ConfigError
from recording.given_files import parse_toml, read_given_text

_SECTIONS: Final = (*SUBJECTS, "regression", "guard")
_GUARD_KEYS: Final = ("warn", "pause", "abort")


@dataclass(frozen=True, slots=True)
class Guard:
    """Rules watched while the test runs, for every service, by what a breach does."""

    warn: tuple[Rule, ...] = ()
    pause: tuple[Rule, ...] = ()
    abort: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A whole checked file. `source` is its name, for messages and the manifest."""

    source: str
    rules: Mapping[str, tuple[Rule, ...]]
    regression: GateSettings | None
    guard: Guard

    @property
    def gate(self) -> GateSettings:
        """``[regression]``; its documented defaults where the file has none."""
        return self.regression or GateSettings()

    def rules_for(self, subject: str) -> tuple[Rule, ...]:
        """The rules of a subject, none when the file has no section for it."""
        return self.rules.get(subject, ())

    def __iter__(self) -> Iterator[tuple[str, Rule]]:
        """Every (subject, rule), in the order of the file."""
        return ((subject, rule) for subject, rules in self.rules.items() for rule in rules)


def load_thresholds(path: Path) -> Thresholds:
    """Read and check a thresholds file.

    Raises:
        ConfigError: the file cannot be read, or any of the problems `parse_thresholds` names.
    """
    return parse_thresholds(read_given_text(path), str(path))


def parse_thresholds(text: str, source: str = "thresholds.toml") -> Thresholds:
    """Check the text of a thresholds file.

    Raises:
        ConfigError: every problem, one per line, each with file, section, key, the offending
            text and what is allowed.
    """
    return _Reader(source).read(parse_toml(text, source))


class _Reader:
    """Builds Thresholds and collects problems on the way."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def read(self, document: Mapping[str, object]) -> Thresholds:
        rules: dict[str, tuple[Rule, ...]] = {}
        regression: GateSettings | None = None
        guard = Guard()
        for name, body in document.items():
            if name not in _SECTIONS:
                self.problem(f"[{name}]", unknown("section", name, _SECTIONS))
            elif not isinstance(body, dict):
                self.problem(name, f"must be a section [{name}], not {body!r}")
            elif name == "regression":
                regression = read_regression(body, self.problem)
            elif name == "guard":
                guard = self.guard(body)
            else:
                rules[name] = self.subject(name, body)
        if not self.problems and not any(rules.values()):
            self.problem(
                "no rules",
                "a gate without rules never fails; add for example "
                '[journey] latency = ["p99 < 1000 ms"]',
            )
        if self.problems:
            raise ConfigError("\n".join(self.problems))
        return Thresholds(self.source, MappingProxyType(rules), regression, guard)

    def problem(self, where: str, what: str) -> None:
        # One line per problem, whatever the offending text holds.
        self.problems.append(f"{self.source}: {where}: {what}".replace("\n", "\\n"))

    def subject(self, name: str, body: Mapping[str, object]) -> tuple[Rule, ...]:
        allowed = kinds_of(name)
        rules: list[Rule] = []
        for key, listed in body.items():
            if key not in KINDS:
                self.problem(f"{name}.{key}", unknown("kind of rule", key, allowed))
            elif key not in allowed:
                self.problem(
                    f"{name}.{key}", f"{name} has no {key} rules; allowed: {', '.join(allowed)}"
                )
            else:
                rules += self.rules(f"{name}.{key}", listed, _sla_rule(key))
        return tuple(rules)

    def guard(self, body: Mapping[str, object]) -> Guard:
        for key in body:
            if key not in _GUARD_KEYS:
                self.problem(f"guard.{key}", unknown("action", key, _GUARD_KEYS))
        return Guard(
            **{
                key: self.rules(f"guard.{key}", body[key], _live_rule)
                for key in _GUARD_KEYS
                if key in body
            }
        )

    def rules(self, where: str, listed: object, check: Callable[[Rule], None]) -> tuple[Rule, ...]:
        if not isinstance(listed, list) or not listed:
            self.problem(where, f'must be a list of rules like ["p99 < 1000 ms"], not {listed!r}')
            return ()
        rules = []
        for text in listed:
            try:
                rule = parse_rule(_string(text))
                check(rule)
            except ConfigError as problem:
                self.problem(where, str(problem))
            else:
                rules.append(rule)
        return tuple(rules)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{value!r} is not text: write it in quotes, with its unit")
    return value


def _sla_rule(kind: str) -> Callable[[Rule], None]:
    """A check for rules on the whole measured phase, of one kind."""

    def check(rule: Rule) -> None:
        if rule.metric.kind != kind:
            known = ", ".join(m.name for m in METRICS.values() if m.kind == kind)
            raise ConfigError(
                f"{rule.metric.name!r} is a {rule.metric.kind} metric, not a {kind} one "
                f"(in rule {rule.text!r}); known: {known}"
            )
        if rule.window_s is not None:
            # The verdict judges the measured phase as a whole: a window would be ignored.
            raise ConfigError(f"'over' belongs to [guard] only (in rule {rule.text!r})")

    return check


def _live_rule(rule: Rule) -> None:
    if not rule.metric.live:
        known = ", ".join(m.name for m in METRICS.values() if m.live)
        raise ConfigError(
            f"{rule.metric.name!r} is known only when the test is over "
            f"(in rule {rule.text!r}); a guard can watch: {known}"
        )
    if rule.window_s is None and rule.metric.windowed:
        raise ConfigError(f"rule {rule.text!r} needs a window, for example '{rule.text} over 30 s'")
