"""What a shop's own scenario is made of: frozen values, and small functions of a visit.

A module beside a profile imports this, and nothing else of loadgate, and has a `SCENARIO`. It can
be imported by itself: a step's function takes a `Visit` and returns a `Request`.
"""

import itertools
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

Check = Callable[[Any, Any], bool]
"""Whether a value is good, given what the request sent under the same key."""
LONGEST_ID = 1000
"""Characters: what is longer names nothing, and fills the recording."""
SHORTEST_SECRET = 4
"""Characters: what is shorter stands in every text, and cannot be kept out of one."""
_STEP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,59}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TAKEN = ("generator", "journey", "orders", "orders_db")
"""Subjects of reports that are neither steps nor services."""


class ScenarioError(ValueError):
    """A scenario that cannot be played, in words for whoever wrote it."""


class UnaskableError(Exception):
    """A step needs what an earlier one did not bring: it is left out."""


class Request(NamedTuple):
    """What a step asks.

    ``body`` is sent as JSON, a text or bytes as they are; ``form`` as a form. ``sent`` is what an
    answer is to echo, where that is not the body or the form. ``declines``: the shop is to decline
    it (402), as planned. ``again`` makes what is asked in its place when it is asked once more.
    """

    path: str = "/"
    body: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = {}
    sent: Mapping[str, Any] = {}
    declines: bool = False
    again: "Callable[[Request], Request] | None" = None


@dataclass(slots=True)
class Visit:
    """A journey of one user: who it is, and what it knows from the answers so far.

    ``user`` is its row of the data, ``number`` its own; ``session_id`` is that of no other session,
    of no other run. Draws are to come from ``random``: then a seed repeats them.
    """

    random: Random = field(default_factory=Random)
    user: Mapping[str, Any] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    session: int = 0
    session_id: str = "lt"
    numbers: Iterator[int] = field(default_factory=itertools.count)
    hits: Callable[[str, float, Random], bool] = lambda _what, share, draw: draw.random() < share
    asked: bool = False
    """Whether it has sent anything."""

    def unique(self, name: str) -> str:
        """An id that is never made twice."""
        return f"{name}-{self.session_id}-{next(self.numbers)}"

    def chance(self, what: str, share: float) -> bool:
        """Whether this time the answer is yes, which it is in such a share of all visits."""
        return self.hits(what, share, self.random)

    def of(self, *keys: str) -> dict[str, Any]:
        """What it knows under these keys; where it does not, the step is left out."""
        if missing := [key for key in keys if key not in self.known]:
            raise UnaskableError(missing[0])
        return {key: self.known[key] for key in keys}


def given(value: object, _sent: object = None) -> bool:
    """Anything but null."""
    return value is not None


def text(value: object, _sent: object = None) -> bool:
    """Something that is not blank: an id."""
    return isinstance(value, str) and bool(value.strip()) and len(value) <= LONGEST_ID


def number(value: object, _sent: object = None) -> bool:
    """A number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def positive(value: object, _sent: object = None) -> bool:
    """A number of things that are there."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def some(value: object, _sent: object = None) -> bool:
    """A list of things, none of them empty."""
    return isinstance(value, list) and bool(value) and all(value)


def same(value: object, sent: object) -> bool:
    """What was sent under this key."""
    return value == sent


def one_of(*values: object) -> Check:
    """One of these."""
    return lambda value, _sent: value in values


@dataclass(frozen=True, slots=True)
class maybe:  # noqa: N801 - reads as the checks beside it
    """A check of what an answer may leave out."""

    check: Check

    def __call__(self, value: object, sent: object) -> bool:
        return self.check(value, sent)


@dataclass(frozen=True, slots=True)
class Step:
    """A request by name. ``ask`` makes it, or is it.

    A good answer has ``status`` and, by key of its JSON, what ``good`` says; ``good`` can be one
    check of the whole JSON value, or None: any body. Later steps know what is under ``takes``.
    ``share`` is that of users who go on to it, of those who took the step before (None: all); who
    does not take an ``optional`` one goes on to the next. ``retries`` and ``redirects`` are the
    profile's where they are None. ``repeated`` is the status of a good answer to who asks again for
    what was done; ``order`` the key of an answer that names an order.
    """

    name: str
    method: str
    ask: Callable[[Visit], Request] | Request
    good: Mapping[str, Check] | Check | None = None
    takes: tuple[str, ...] = ()
    share: float | None = None
    service: str = ""
    status: int = 200
    optional: bool = False
    retries: int | None = None
    redirects: int | None = None
    repeated: int = 0
    order: str = ""

    def __post_init__(self) -> None:
        _named(f"step {self.name!r}", self.name, _STEP)
        if not (self.method.isalpha() and self.method.isupper()):
            raise ScenarioError(f"step {self.name}: method {self.method!r}: write GET, POST, …")
        if not (callable(self.ask) or isinstance(self.ask, Request)):
            raise ScenarioError(f"step {self.name}: ask is a function of a visit, or a Request")
        if self.share is not None and not 0 <= self.share <= 1:
            raise ScenarioError(f"step {self.name}: share {self.share}: write 0 to 1")
        if isinstance(self.takes, str):
            raise ScenarioError(f'step {self.name}: takes is a tuple: ("{self.takes}",)')
        if needed := [key for key in (*self.takes, self.order) if key]:
            if callable(self.good):
                raise ScenarioError(f"step {self.name}: takes and order need good by key")
            good = dict.fromkeys(needed, given) | dict(self.good or {})
            object.__setattr__(self, "good", good)


@dataclass(frozen=True, slots=True)
class Service:
    """``key`` is that of its url in a profile, ``name`` what reports call it."""

    key: str
    name: str = ""

    def __post_init__(self) -> None:
        _named(f"service {self.key!r}", self.key, _KEY)
        object.__setattr__(self, "name", self.name or self.key)
        _named(f"service {self.key}: name {self.name!r}", self.name, _SERVICE)


@dataclass(frozen=True, slots=True)
class Users:
    """Who they are.

    ``data`` is a CSV file beside the module, a row each, or a function of a user's number and its
    session's. No two users have a row at once while there are enough; ``unique``: a run with fewer
    is refused. ``log_in`` is taken once a session, ``headers`` go with every request after it.
    ``cookies`` are kept for a session.
    """

    data: str | Callable[[int, int], Mapping[str, Any]] = ""
    log_in: Step | None = None
    headers: Callable[[Visit], Mapping[str, str]] | None = None
    cookies: bool = False
    unique: bool = False

    def __post_init__(self) -> None:
        if self.log_in and (self.log_in.share is not None or self.log_in.optional):
            raise ScenarioError(f"step {self.log_in.name}: every user logs in: it has no share")
        if self.unique and not isinstance(self.data, str):
            raise ScenarioError("users: unique is about the rows of a file")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Whom users ask, and what, in this order."""

    services: tuple[Service, ...]
    steps: tuple[Step, ...]
    users: Users = Users()

    def __post_init__(self) -> None:
        if not self.services or not self.steps:
            raise ScenarioError("a scenario has services and steps")
        _once("service", [service.key for service in self.services])
        names = [*(service.name for service in self.services), *(s.name for s in self.every)]
        _once("name", names)
        first = self.steps[0]
        if first.share is not None or first.optional:
            raise ScenarioError(f"step {first.name}: all take the first one: it has no share")
        keys = [service.key for service in self.services]
        for step in self.every:
            if not (step.service in keys or (not step.service and len(keys) == 1)):
                raise ScenarioError(
                    f"step {step.name}: service {step.service!r}: write one of {', '.join(keys)}"
                )

    @property
    def every(self) -> tuple[Step, ...]:
        """All steps, the log-in first."""
        return (self.users.log_in, *self.steps) if self.users.log_in else self.steps

    def service_of(self, step: Step) -> str:
        """The key of the service that a step asks."""
        return step.service or self.services[0].key


class _Variables:
    """Those of the environment that were asked for."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.closed = False


_VARIABLES = _Variables()


def env(name: str) -> str:
    """The value of a variable, which nothing that is recorded ever shows.

    For the top of a module: whoever reads it before a load has to meet it. Raises ScenarioError.
    """
    value = os.environ.get(name, "")
    if not value:
        raise ScenarioError(f"{name} is not set: export it")
    if len(value) < SHORTEST_SECRET:
        raise ScenarioError(f"{name} is too short to be kept out of what is recorded")
    if _VARIABLES.closed and name not in _VARIABLES.values:
        raise ScenarioError(f'env("{name}") in a function: take it at the top of the module')
    _VARIABLES.values[name] = value
    return value


def close_env() -> Mapping[str, str]:
    """The variables that were asked for; from now on there are no others."""
    _VARIABLES.closed = True
    return _VARIABLES.values


def _named(what: str, name: str, allowed: re.Pattern[str]) -> None:
    if not allowed.fullmatch(name) or name in _TAKEN:
        raise ScenarioError(
            f"{what}: write letters, digits, dots, dashes and underscores, "
            f"and none of {', '.join(_TAKEN)}"
        )


def _once(what: str, names: list[str]) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ScenarioError(f"{what} {twice[0]!r} is there twice")
