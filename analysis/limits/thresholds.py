"""``thresholds.toml``: which rules hold for whom. The only place where SLA numbers live.

Every section that names a subject (a service, a step, the journey, the orders) holds lists of
rules by kind; ``[steps."GET /cart/*"]`` and ``[services.shop]`` do for such that only a shop knows.
``[regression]`` says which change matters, ``[guard]`` what is watched while a run
goes on; both may name what has a section here. All problems of a file are reported at once, and
a file that could never fail a run is itself an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from analysis.limits.guard import Guards, read_guards
from analysis.limits.regression import GateSettings, read_regression
from analysis.limits.rules import Rule, parse_rule, unknown
from analysis.metrics.catalogue import METRICS, kinds_of
from recording.errors import ConfigError
from recording.flow import FLOW
from recording.given_files import parse_toml, read_given_text
from recording.profile import RULE_KINDS, SUBJECTS
from recording.toml_lines import line_of

OF_ANY_NAME: Final = {"steps": FLOW.steps[0], "services": FLOW.subjects[0]}
"""Sections of such that only a shop knows, and whom of ours they are like."""
_SECTIONS: Final = (*SUBJECTS, *OF_ANY_NAME, "regression", "guard")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A whole checked file. `source` is its name, for messages and the manifest."""

    source: str
    rules: Mapping[str, tuple[Rule, ...]]
    regression: GateSettings | None
    sha256: str = ""
    """Of the file."""
    guards: Guards = field(default_factory=Guards)
    named: frozenset[str] = frozenset()
    """Subjects that only a shop knows."""

    @property
    def gate(self) -> GateSettings:
        """``[regression]``; its documented defaults where the file has none."""
        return self.regression or GateSettings()

    def __iter__(self) -> Iterator[tuple[str, Rule]]:
        """Every (subject, rule), in the order of the file."""
        return ((subject, rule) for subject, rules in self.rules.items() for rule in rules)


def load_thresholds(path: Path) -> Thresholds:
    """Read and check a file. Raises ConfigError: it cannot be read, or as `parse_thresholds`."""
    return parse_thresholds(read_given_text(path), str(path))


def parse_thresholds(text: str, source: str = "thresholds.toml") -> Thresholds:
    """Check the text of a thresholds file.

    Raises ConfigError: every problem, one per line, each with file, section, key, the offending
    text and what is allowed.
    """
    found = _Reader(source, text).read(parse_toml(text, source))
    return replace(found, sha256=hashlib.sha256(text.encode()).hexdigest())


class _Reader:
    """Builds Thresholds and collects problems on the way."""

    def __init__(self, source: str, text: str) -> None:
        self.source, self.text = source, text
        self.problems: list[str] = []
        self.names: set[str] = set()

    def read(self, document: Mapping[str, object]) -> Thresholds:
        rules: dict[str, tuple[Rule, ...]] = {}
        regression: GateSettings | None = None
        guards = Guards()
        known = {kind: _names(document.get(kind)) for kind in OF_ANY_NAME}
        for name, body in document.items():
            if name not in _SECTIONS:
                self.problem(f"[{name}]", unknown("section", name, _SECTIONS))
            elif not isinstance(body, dict):
                self.problem(name, f"must be a section [{name}], not {body!r}")
            elif name in OF_ANY_NAME:
                for own, table in body.items():
                    rules[own] = (*rules.get(own, ()), *self.named(f"{name}.{own}", table, name))
            elif name == "regression":
                regression = read_regression(body, known["steps"], self.problem)
            elif name == "guard":
                like = {one: OF_ANY_NAME[kind] for kind in known for one in known[kind]}
                guards = read_guards(body, like, self.problem)
            else:
                rules[name] = (*rules.get(name, ()), *self.subject(name, body, name))
        if not self.problems and not any(rules.values()):
            self.problem(
                "no rules",
                "a gate without rules never fails; add for example "
                '[journey] latency = ["p99 < 1000 ms"]',
            )
        if self.problems:
            raise ConfigError("\n".join(self.problems))
        names = frozenset(self.names)
        return Thresholds(
            self.source, MappingProxyType(rules), regression, guards=guards, named=names
        )

    def problem(self, where: str, what: str, *entry: int) -> None:
        """``where`` is a key, or a ``[section]``, and ``entry`` the number of one in its list."""
        line = line_of(self.text, (*where.strip("[]").split("."), *entry))
        place = f"{self.source}:{line}" if line else self.source
        # One line per problem, whatever the offending text holds.
        self.problems.append(f"{place}: {where}: {what}".replace("\n", "\\n"))

    def named(self, where: str, body: object, kind: str) -> tuple[Rule, ...]:
        if not isinstance(body, dict):
            self.problem(where, f"must be a section [{where}], not {body!r}")
            return ()
        own, like = where.removeprefix(f"{kind}."), OF_ANY_NAME[kind]
        if not own or (own in SUBJECTS and kinds_of(own) != kinds_of(like)):
            meant = f"write [{own}], which is what this name means" if own else "write a name"
            self.problem(f"[{where}]", f"no request or service can be called that: {meant}")
            return ()
        self.names |= {own} - {*SUBJECTS}
        return self.subject(where, body, like)

    def subject(self, name: str, body: Mapping[str, object], like: str) -> tuple[Rule, ...]:
        """Rules of a section that may have what the subject ``like`` has."""
        allowed = kinds_of(like)
        rules: list[Rule] = []
        for key, listed in body.items():
            if key not in RULE_KINDS:
                self.problem(f"{name}.{key}", unknown("kind of rule", key, allowed))
            elif key not in allowed:
                self.problem(
                    f"{name}.{key}", f"{name} has no {key} rules; allowed: {', '.join(allowed)}"
                )
            else:
                rules += self.rules(f"{name}.{key}", listed, key)
        return tuple(rules)

    def rules(self, where: str, listed: object, kind: str) -> Iterator[Rule]:
        if not isinstance(listed, list) or not listed:
            self.problem(where, f'must be a list of rules like ["p99 < 1000 ms"], not {listed!r}')
            return
        for number, text in enumerate(listed):
            try:
                yield _rule(text, kind)
            except ConfigError as problem:
                self.problem(where, str(problem), number)


def _names(body: object) -> tuple[str, ...]:
    """What the tables of a section are called."""
    return tuple(body) if isinstance(body, dict) else ()


def _rule(text: object, kind: str) -> Rule:
    """Raises ConfigError for what is no rule of this kind."""
    if not isinstance(text, str):
        raise ConfigError(f"{text!r} is not text: write it in quotes, with its unit")
    rule = parse_rule(text)
    if rule.metric.kind != kind:
        known = ", ".join(m.name for m in METRICS.values() if m.kind == kind)
        raise ConfigError(
            f"{rule.metric.name!r} is a {rule.metric.kind} metric, not a {kind} one "
            f"(in rule {rule.text!r}); known: {known}"
        )
    return rule
