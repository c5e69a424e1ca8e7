"""From estimates to rows: what is proven, what is excluded, and what it would take to know."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log

from scipy.special import stdtrit

from analysis.regression.data import GateData, GateRow, GateVerdict, RegressionSettings
from analysis.statistics.crossover import counted_t
from analysis.statistics.detectable import POWER, Hurdle, smallest_found
from analysis.statistics.percentiles import quantile
from analysis.statistics.tails import recorded_step
from analysis.words.units import as_change
from recording.profile import MIN_ROUNDS

# With fewer requests beyond the percentile in either arm the tail is not measured at all.
MIN_TAIL_REQUESTS = 10.0
# Chance that the raw ratio bears out what only the control says, on a host as noisy as a change of
# the others is large. At the 2.5 % of a 95 % interval 4.7 % of simulated gates FAILed wrongly,
# at 0.5 % 2.0 %.
RAW_ERROR = 0.002


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
    would not. `step` is how far apart the recorded values lie near the percentile, as log ratio,
    where that is too far to read between them.
    """

    endpoint: str
    metric: str
    tail: float
    n_base: int
    n_head: int
    base_ms: float
    lacks: str = ""
    growth: float | None = None
    step: float = 0.0

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
    step = 0.0 if lacks else recorded_step(data.values_us, (base + head).sum(axis=0), tail)
    return Subject(endpoint, metric, tail, *counts, base_ms, lacks, growth, step)


@dataclass(frozen=True, slots=True)
class Bound:
    """One ratio of one row, as log ratios: with its two-sided interval, and its one-sided bound
    at this look's share of the error.

    `error` is the standard error of a regression of about the size that can be proven.
    """

    ratio: float
    low: float
    high: float
    upper: float
    error: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The estimates of one subject, and its p-values.

    `adjusted` has the host taken out where `host_removed`; `vouched` says that a declared control
    took it out, which may then excuse. `counted`: p is counted over orders, and not Student's.
    """

    subject: Subject
    stakes: Stakes
    raw: Bound
    adjusted: Bound
    degrees: float
    p_value: float
    p_holm: float
    host_removed: bool = False
    vouched: bool = False
    counted: bool = True

    @property
    def verdict(self) -> GateVerdict:
        """FAIL needs proof and size by both ratios, PASS exclusion by the less favourable."""
        if self.proven and self._large:
            return GateVerdict.FAIL
        if self._bound < self.stakes.pass_below(self.subject.base_ms):
            return GateVerdict.PASS
        return GateVerdict.INCONCLUSIVE

    @property
    def proven(self) -> bool:
        """Whether head is slower at all.

        What most endpoints share is taken for the host's, so one that alone stayed as it was looks
        slower than its control: the raw ratio must bear it out.
        """
        reach = (self.raw.ratio - self.raw.low) / self._critical(self._beyond)
        borne_out = self.raw.ratio > self._bearing_out * reach
        return self.p_holm <= self.stakes.alpha and borne_out

    @property
    def smallest_detectable(self) -> float:
        """The regression called FAIL with probability POWER, as a fraction (0.08 = +8 %)."""
        least = self.stakes.fail_from(self.subject.base_ms)
        return exp(smallest_found(self._hurdles, self.degrees, least) + self.subject.step) - 1

    @property
    def growth(self) -> float:
        """Times as many requests for a verdict with probability POWER, were this the truth."""
        raw, ratio = self.raw.ratio, self.adjusted.ratio
        tolerated = self.stakes.pass_below(self.subject.base_ms) - self.subject.step
        room = tolerated - max(raw, ratio)
        excess = min(raw, ratio) - self.stakes.fail_from(self.subject.base_ms)
        ways = []
        if room > 0:
            critical = self._critical(self.stakes.pass_error)
            margin = self._bound - self.subject.step - max(raw, ratio)
            ways.append(margin * (1 + self._power / critical) / room)
        if excess > 0:
            proof = smallest_found(self._hurdles, self.degrees) / min(raw, ratio)
            ways.append(max(proof, self._power * self.raw.error / excess))
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
            shift_ms=subject.base_ms * (exp(self.adjusted.ratio) - 1),
            ratio=exp(self.adjusted.ratio),
            raw_ratio=exp(self.raw.ratio),
            ci_low=exp(self.adjusted.low - subject.step),
            ci_high=exp(self.adjusted.high + subject.step),
            raw_low=exp(self.raw.low - subject.step),
            raw_high=exp(self.raw.high + subject.step),
            p_value=self.p_value,
            p_holm=self.p_holm,
            proven=self.proven,
            smallest_detectable=self.smallest_detectable,
            host_removed=self.host_removed,
        )

    @property
    def _large(self) -> bool:
        least = self.stakes.fail_from(self.subject.base_ms)
        return min(self.raw.ratio, self.adjusted.ratio) >= least

    @property
    def _bound(self) -> float:
        # A change that most endpoints share looks like the host's: only the raw ratio excludes it.
        uppers = [self.adjusted.upper] if self.vouched else [self.adjusted.upper, self.raw.upper]
        return max(uppers) + self.subject.step

    @property
    def _because(self) -> str:
        limit = _percent(self.stakes.pass_below(self.subject.base_ms))
        if self.verdict is GateVerdict.FAIL:
            by = f"slower by {_percent(self.adjusted.ratio)}{self._coarse}"
            return f"{by}, p {self.p_holm:.2g} after Holm"
        if self.verdict is GateVerdict.PASS:
            return f"at most {_percent(self._bound)}, below the tolerated {limit}{self._beside}"
        if self.proven:
            least = _percent(self.stakes.fail_from(self.subject.base_ms))
            return f"slower, but not surely by {least}, nor surely by less than {limit}"
        most = f"could be up to {_percent(self._bound)}"
        return f"{most}{self._coarse}, and no slow-down is proven{self._beside}"

    @property
    def _coarse(self) -> str:
        step_ms = self.subject.base_ms * (exp(self.subject.step) - 1)
        return f" (recorded in steps of {step_ms:.3g} ms there)" if self.subject.step else ""

    @property
    def _beside(self) -> str:
        """Why an interval without 0 stands beside a p-value that proves nothing."""
        if self.adjusted.high < 0:
            return "; faster, and p is of being slower"
        if self.adjusted.low <= 0 or self.proven:
            return ""
        if self.p_holm > self.stakes.alpha:
            return (
                f"; its interval is that of one row alone, p {self.p_holm:.2g} after Holm that of "
                f"the most different of {self.stakes.tests}"
            )
        low, high = _percent(self.raw.low), _percent(self.raw.high)
        return f"; slower than the others only, before taking the host out {low} to {high}"

    @property
    def _hurdles(self) -> tuple[Hurdle, ...]:
        """What a FAIL takes: proof by the adjusted ratio, and the raw one must bear it out."""
        proof = self._critical(self.stakes.alpha / self.stakes.tests)
        if self.counted:
            proof = counted_t(proof, self.degrees)
        if not self.host_removed:
            return (Hurdle(self.raw.error, max(proof, self._bearing_out)),)
        return Hurdle(self.adjusted.error, proof), Hurdle(self.raw.error, self._bearing_out)

    @property
    def _beyond(self) -> float:
        """What lies beyond either end of an interval."""
        return (1 - self.stakes.settings.confidence) / 2

    @property
    def _bearing_out(self) -> float:
        """Standard errors above 1 at which the raw ratio bears a proof out."""
        return self._critical(min(RAW_ERROR, self._beyond))

    @property
    def _power(self) -> float:
        return self._critical(1 - POWER)

    def _critical(self, error: float) -> float:
        return float(stdtrit(self.degrees, 1 - error))


def _percent(log_ratio: float) -> str:
    return as_change(exp(log_ratio))
