"""What a rule says of a measurement: PASS, FAIL, or why it cannot tell.

The point estimate breaks a rule, whatever its interval; it keeps one only where the measurement
could have shown that it does not. What was not measured keeps no rule and breaks none.
"""

from math import ceil, inf, isnan

from analysis.evidence.requests import MAX_ERROR_SHARE, QUANTILES, Sample, needed
from analysis.limits.rules import Rule
from analysis.words.values import NO_DATA, Measurement, Outcome, show
from recording.durations import format_duration

RULE_OF_THREE = 3.0
"""No failure among n requests excludes, at 95 %, shares above 3/n only (Hanley and Lippman-Hand,
"If Nothing Goes Wrong, Is Everything All Right?", JAMA 249, 1983)."""
ONE_SIDED = 0.90
"""Two-sided confidence of the interval whose bounds are wrong in 5 % each."""
_DAY_S = 86400.0


def decide(
    rule: Rule, measured: Measurement, measured_s: float, behind: Sample | None = None
) -> tuple[Outcome, str]:
    """The outcome and, where it is open, why. ``behind``: the requests whose latency it is."""
    if isnan(measured.value):
        return Outcome.INCONCLUSIVE, NO_DATA + (f": {measured.note}" if measured.note else "")
    if measured.n < needed(rule.metric):
        return Outcome.INCONCLUSIVE, (
            f"{measured.n} samples, {rule.metric} takes {needed(rule.metric)}"
        )
    if not rule.holds(measured.value):
        return Outcome.FAIL, ""
    doubt = _doubt(rule, measured, measured_s, behind)
    return (Outcome.INCONCLUSIVE if doubt else Outcome.PASS), doubt


def _doubt(rule: Rule, measured: Measurement, measured_s: float, behind: Sample | None) -> str:
    """Why a value within its limit does not prove the rule; "" where it does."""
    if rule.kind == "latency" and behind and behind.failure_share > MAX_ERROR_SHARE:
        return (
            f"{show(100 * behind.failure_share, '%')} of its requests failed: "
            "how fast they failed says nothing"
        )
    highest = inf if measured.highest is None else measured.highest
    if measured.at_least and not rule.holds(highest):
        return f"{measured.shown}: {measured.note}"
    if rule.metric == "error_rate":
        return _too_few(rule, measured, measured_s)
    if rule.metric not in QUANTILES:
        return ""
    bounded = behind.quantile(rule.metric, ONE_SIDED) if behind else measured
    return _straddles(rule, bounded, measured_s)


def _too_few(rule: Rule, measured: Measurement, measured_s: float) -> str:
    """Whether so few requests could have shown a rate above the limit. None at all is a count."""
    if rule.limit == 0 or rule.holds(100.0):
        return ""
    enough = ceil(RULE_OF_THREE / (rule.limit / 100))
    if measured.n >= enough:
        return ""
    longer = _longer(measured_s * (enough / measured.n - 1))
    return f"{measured.n} requests are too few for {rule.limit:g} %: it takes {enough}, {longer}"


def _straddles(rule: Rule, measured: Measurement, measured_s: float) -> str:
    """Whether the bound on the limit's side lies past it."""
    bound = measured.ci_high if rule.holds(-inf) else measured.ci_low
    if bound is None:
        return f"{measured.n} requests, as they are correlated, are too few to bound it"
    if rule.holds(bound):
        return ""
    reach, room = abs(bound - measured.value), abs(rule.limit - measured.value)
    # Half-widths shrink with the root of the time.
    longer = _longer(measured_s * ((reach / room) ** 2 - 1) if room else inf)
    return f"its 95 % bound is {show(bound, measured.unit)}: {longer} could decide"


def _longer(s: float) -> str:
    return f"about {format_duration(ceil(s))} more" if s < _DAY_S else "more than a day more"
