"""From estimates to rows: what is proven, what is excluded, and what it would take to know."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

from scipy.special import stdtrit

from analysis.regression.data import GateData, GateRow, GateVerdict, RegressionSettings
from analysis.statistics.percentiles import quantile
from analysis.units import as_change

# Fewer rounds reach no useful p-value and support no t interval.
MIN_ROUNDS = 8
# With fewer requests beyond the percentile in either arm the tail is not measured at all.
MIN_TAIL_REQUESTS = 10.0
# "Could have seen" and "would take" mean: with this probability.
POWER = 0.80


@dataclass(frozen=True, slots=True)
class Stakes:
    """What this look may decide: its share of the errors, spread over `tests` rows."""

    settings: RegressionSettings
    alpha: float
    pass_error: float
    tests: int

    def fail_from(self, base_ms: float) -> float:
        """The smallest change that may FAIL, as log ratio: the minimum effect or the floor."""
        return log(1 + max(self.settings.min_effect, self.settings.floor_ms / base_ms))

    def pass_below(self, base_ms: float) -> float:
        """The change a PASS must exclude, as log ratio: what is tolerated, or the floor."""
        return log(1 + max(self.settings.tolerated, self.settings.floor_ms / base_ms))


@dataclass(frozen=True, slots=True)
class Subject:
    """One endpoint and metric, what was counted of it, and why it cannot be measured, if so.

    `growth` is how many times as many requests would measure it, None where more of the same
    would not.
    """

    endpoint: str
    metric: str
    tail: float
    n_base: int
    n_head: int
    base_ms: float
    lacks: str = ""
    growth: float | None = None

    def unmeasured(self) -> GateRow:
        """The row of a subject that lacks something: never PASS, never FAIL."""
        return GateRow(
            self.endpoint,
            self.metric,
            GateVerdict.INCONCLUSIVE,
            f"not measured: {self.lacks}",
            self.n_base,
            self.n_head,
        )


def subject_of(data: GateData, endpoint: str, metric: str, tail: float) -> Subject:
    """Count, and say what is missing."""
    at = data.endpoints.index(endpoint)
    base, head = data.base[:, at], data.head[:, at]
    counts = int(base.sum()), int(head.sum())
    base_ms = quantile(data.values_us, base.sum(axis=0), 1 - tail) / 1000 if counts[0] else 0.0
    empty = int((base.sum(axis=1) == 0).sum() + (head.sum(axis=1) == 0).sum())
    beyond = min(counts) * tail
    lacks, growth = "", None
    if empty:
        lacks = f"no requests in {empty} of {2 * data.rounds} slots"
    elif data.rounds < MIN_ROUNDS:
        lacks, growth = f"{data.rounds} rounds, need {MIN_ROUNDS}", MIN_ROUNDS / data.rounds
    elif beyond < MIN_TAIL_REQUESTS:
        lacks = f"{beyond:.1f} requests beyond {metric}, need {MIN_TAIL_REQUESTS:.0f}"
        growth = MIN_TAIL_REQUESTS / beyond
    return Subject(endpoint, metric, tail, *counts, base_ms, lacks, growth)


@dataclass(frozen=True, slots=True)
class Measured:
    """The estimates of one subject: log ratios, and p-values."""

    subject: Subject
    stakes: Stakes
    raw: float
    raw_upper: float  # one-sided bound of `raw`; that of `ratio` where a declared control vouches
    ratio: float
    low: float
    high: float
    upper: float  # one-sided bound of `ratio` at this look's share of the error
    error: float
    degrees: float
    host_removed: bool
    p_value: float
    p_holm: float

    @property
    def verdict(self) -> GateVerdict:
        """FAIL needs proof and size by both ratios, PASS exclusion by the less favourable."""
        if self._significant and self._large:
            return GateVerdict.FAIL
        if self._bound < self.stakes.pass_below(self.subject.base_ms):
            return GateVerdict.PASS
        return GateVerdict.INCONCLUSIVE

    @property
    def smallest_detectable(self) -> float:
        """The regression called FAIL with probability POWER, as a fraction (0.08 = +8 %)."""
        proven = (self._critical(self._test_error) + self._power) * self.error
        large = self.stakes.fail_from(self.subject.base_ms) + self._power * self.error
        return exp(max(proven, large)) - 1

    @property
    def growth(self) -> float:
        """Times as many requests for a verdict with probability POWER, were this the truth."""
        room = self.stakes.pass_below(self.subject.base_ms) - max(self.raw, self.ratio)
        excess = min(self.raw, self.ratio) - self.stakes.fail_from(self.subject.base_ms)
        ways = []
        if room > 0:
            critical = self._critical(self.stakes.pass_error)
            margin = self._bound - max(self.raw, self.ratio)
            ways.append(margin * (1 + self._power / critical) / room)
        if excess > 0:
            proof = (self._critical(self._test_error) + self._power) / self.ratio
            ways.append(max(proof, self._power / excess) * self.error)
        return min(ways) ** 2 if ways else float("inf")

    def row(self) -> GateRow:
        """The row as reported."""
        subject = self.subject
        return GateRow(
            subject.endpoint,
            subject.metric,
            self.verdict,
            self._because,
            subject.n_base,
            subject.n_head,
            base_ms=subject.base_ms,
            shift_ms=subject.base_ms * (exp(self.ratio) - 1),
            ratio=exp(self.ratio),
            raw_ratio=exp(self.raw),
            ci_low=exp(self.low),
            ci_high=exp(self.high),
            p_value=self.p_value,
            p_holm=self.p_holm,
            smallest_detectable=self.smallest_detectable,
            host_removed=self.host_removed,
        )

    @property
    def _significant(self) -> bool:
        return self.p_holm <= self.stakes.alpha

    @property
    def _large(self) -> bool:
        return min(self.raw, self.ratio) >= self.stakes.fail_from(self.subject.base_ms)

    @property
    def _bound(self) -> float:
        # A change that most endpoints share looks like the host's: only the raw ratio excludes it.
        return max(self.upper, self.raw_upper)

    @property
    def _because(self) -> str:
        limit = _percent(self.stakes.pass_below(self.subject.base_ms))
        if self.verdict is GateVerdict.FAIL:
            return f"slower by {_percent(self.ratio)}, p {self.p_holm:.2g} after Holm"
        if self.verdict is GateVerdict.PASS:
            return f"at most {_percent(self._bound)}, below the tolerated {limit}"
        if self._significant:
            least = _percent(self.stakes.fail_from(self.subject.base_ms))
            return f"slower, but not surely by {least}, nor surely by less than {limit}"
        return f"could be up to {_percent(self._bound)}, and no slow-down is proven"

    @property
    def _test_error(self) -> float:
        return self.stakes.alpha / self.stakes.tests

    @property
    def _power(self) -> float:
        return self._critical(1 - POWER)

    def _critical(self, error: float) -> float:
        return float(stdtrit(self.degrees, 1 - error))


def _percent(log_ratio: float) -> str:
    return as_change(exp(log_ratio))
