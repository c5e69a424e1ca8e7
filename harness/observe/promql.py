"""A rule of thresholds.toml as a PromQL expression that yields something where it does not hold.

The judge measures over the whole run and asks whether it could have seen a breach; an alert looks
at the last few minutes and is for whoever watches. Where PromQL cannot say what a rule says, there
is a reason in its place: no rule is left out in silence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from analysis.limits.rules import Rule
from harness.observe import names
from recording import metric_names as service
from recording.events import OOM_KILLED
from recording.flow import FLOW
from recording.profile import JOURNEY, SUBJECTS

MEMORY_WINDOW = "1h"
"""Over which growth is fitted, and for how long it must last."""
_BREACH: Final[Mapping[str, str]] = {"<": ">=", "<=": ">", "==": "!=", ">": "<=", ">=": "<"}


class InexpressibleError(Exception):
    """PromQL cannot say this; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule about a subject, over a window as PromQL writes it (``5m``)."""

    subject: str
    rule: Rule
    window: str

    @property
    def clients(self) -> str:
        """Matchers of what clients measured: a service's, a step's, or all of the journey."""
        found = 'measured="true"'
        if self.subject == JOURNEY:
            return found
        kind = "service" if self.subject in FLOW.subjects else "step"
        return f'{kind}="{self.subject}",{found}'

    @property
    def by(self) -> str:
        """What is told apart: the steps, which must not hide in a sum; of the journey nothing."""
        return "" if self.subject == JOURNEY else "step"

    @property
    def is_called(self) -> bool:
        """Whether users call it, and not only other services."""
        return self.subject not in FLOW.subjects or bool(FLOW.steps_of(self.subject))

    def of(self, metric: str, *more: str) -> str:
        """A series that the service exports itself."""
        return f"{metric}{{{','.join((f'service={chr(34)}{self.subject}{chr(34)}', *more))}}}"

    def breach(self, value: str) -> str:
        """Where a value, in the rule's base unit, does not keep the rule."""
        return f"{value} {_BREACH[self.rule.op]} {self.rule.limit:g}"


def breach_of(subject: str, rule: Rule, window: str) -> str:
    """The expression. Raises InexpressibleError."""
    asked = Asked(subject, rule, window)
    metric = rule.metric
    if subject not in SUBJECTS:
        raise InexpressibleError("which series a name of the shop's own means, only a run tells")
    if rule.op in (">", ">=") and metric.name != "time_to_limit":
        raise InexpressibleError("too little of it is also what every pause of the load shows")
    if metric.kind == "latency":
        return _latency(asked)
    made = _BY_METRIC.get(metric.name)
    if made is None:
        raise InexpressibleError(_REASONS.get(metric.kind, "nothing on /metrics says it"))
    return made(asked)


def _latency(asked: Asked) -> str:
    name, where, by = names.DURATION, asked.clients, asked.by
    grouped = f"sum by (le{',' if by else ''}{by})"
    rate = f"(rate({name}_bucket{{{where}}}[{asked.window}]))"
    if asked.rule.metric.name == "max":  # the bound above the longest: its own where it is below
        longest = f"1000 * histogram_quantile(1, {grouped} ({name}_bucket{{{where}}}))"
        return f"{longest} > {asked.rule.limit:g}"
    if asked.rule.metric.name == "mean":
        took, n = (f"sum by ({by}) (rate({name}_{part}{{{where}}}[{asked.window}]))"
                   for part in ("sum", "count"))  # fmt: skip
        return asked.breach(f"1000 * {took} / {n}")
    share = f"{float(asked.rule.metric.name[1:]) / 100:g}"
    return asked.breach(f"1000 * histogram_quantile({share}, {grouped} {rate})")


def _error_rate(asked: Asked) -> str:
    by, window = (asked.by if asked.is_called else "service"), asked.window
    rates = (f"sum by ({by}) (rate({each}[{window}]))" for each in _failed_and_all(asked))
    return asked.breach("100 * " + " / ".join(rates))


def _failed_and_all(asked: Asked) -> tuple[str, str]:
    """The counters: clients' own, else those of a service that users never call."""
    if asked.is_called:
        return f"{names.FAILED}{{{asked.clients}}}", f"{names.REQUESTS}{{{asked.clients}}}"
    return asked.of(service.HTTP_REQUESTS, 'status=~"5.."'), asked.of(service.HTTP_REQUESTS)


def _failures(asked: Asked) -> str:
    """Clients' are counted from the run's beginning on."""
    failed, _ = _failed_and_all(asked)
    return (
        asked.breach(f"sum by ({asked.by}) ({failed})") if asked.is_called else _any(asked, failed)
    )


def _any(asked: Asked, *counters: str, change: str = "increase") -> str:
    """Where a counter has grown at all: of when the run began, PromQL knows nothing."""
    if asked.rule.holds(1) or not asked.rule.holds(0):
        raise InexpressibleError("a service counts from its own start, and not from the run's")
    return " or ".join(f"{change}({each}[{asked.window}]) > 0" for each in counters)


def _exhausted(asked: Asked) -> str:
    if asked.rule.holds(1) or not asked.rule.holds(0):
        raise InexpressibleError("PromQL sees that a pool is exhausted, and counts no stretches")
    waiting, active, size = map(
        asked.of, (service.POOL_WAITING, service.POOL_ACTIVE, service.POOL_MAX)
    )
    return f"({waiting} > 0 and {active} >= {size}) or {_timeouts(asked)}"


def _timeouts(asked: Asked) -> str:
    return _any(asked, asked.of(service.POOL_TIMEOUTS))


def _utilization(asked: Asked) -> str:
    active, size = asked.of(service.POOL_ACTIVE), asked.of(service.POOL_MAX)
    return asked.breach(f"100 * {active} / ({size} > 0)")


def _acquire_wait(asked: Asked) -> str:
    bucket = asked.of(service.POOL_ACQUIRE_BUCKET)
    rate = f"sum by (le, service) (rate({bucket}[{asked.window}]))"
    return asked.breach(f"1000 * histogram_quantile(0.99, {rate})")


def _growth(asked: Asked) -> str:
    """Bytes per second, by a line through the window."""
    return f"deriv({asked.of(service.RSS)}[{MEMORY_WINDOW}])"


def _time_to_limit(asked: Asked) -> str:
    left = f"({asked.of(service.MEMORY_LIMIT)} - {asked.of(service.RSS)})"
    return asked.breach(f"{left} / ({_growth(asked)} > 0) / 3600")


def _killed(asked: Asked) -> str:
    """By the kernel's counter, or by the event that a mock writes."""
    told = f'{names.EVENTS}{{event="{OOM_KILLED}",source="{asked.subject}"}} > 0'
    return f"{_any(asked, asked.of(service.OOM_EVENTS))} or {told}"


def _restarts(asked: Asked) -> str:
    by_clock = _any(asked, asked.of(service.STARTED), change="changes")
    return f"{by_clock} or {_any(asked, asked.of(service.CPU), change='resets')}"


_BY_METRIC: Final[Mapping[str, Callable[[Asked], str]]] = {
    "error_rate": _error_rate,
    "failures": _failures,
    "exhausted_windows": _exhausted,
    "timeouts": _timeouts,
    "utilization": _utilization,
    "acquire_wait_p99": _acquire_wait,
    "peak_waiting": lambda asked: asked.breach(asked.of(service.POOL_WAITING)),
    "slope": lambda asked: asked.breach(f"{_growth(asked)} * 3600 / 2^20"),
    "time_to_limit": _time_to_limit,
    "peak_rss": lambda asked: asked.breach(f"{asked.of(service.RSS)} / 2^20"),
    "oom_killed": _killed,
    "restarts": _restarts,
}
"""But for those of latency, which are alike. One that is not here is told so, with a reason."""
_REASONS: Final[Mapping[str, str]] = {
    "orders": "the ledgers of shop, payment and clients are held together once the load is over",
}
