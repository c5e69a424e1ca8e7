"""Latency rows: what is proven, what is excluded, and what it would take to know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, nan

from analysis.limits.regression import RegressionSettings, tail_of
from analysis.regression.data import GateData
from analysis.regression.rows import NOTHING, Bound, Row, Stakes
from analysis.statistics.crossover import counted_t
from analysis.statistics.detectable import POWER, Hurdle, smallest_found
from analysis.statistics.percentiles import quantile
from analysis.statistics.tails import recorded_step
from recording.profile import MIN_ROUNDS

# With fewer requests beyond the percentile in either arm the tail is not measured at all.
MIN_TAIL_REQUESTS = 10.0
# Chance that the raw ratio bears out what only the control says, on a host as noisy as a change of
# the others is large. At the 2.5 % of a 95 % interval 4.7 % of simulated gates FAILed wrongly,
# at 0.5 % 2.0 %.
RAW_ERROR = 0.002


@dataclass(frozen=True)
class LatencyRow(Row):
    """A percentile of one endpoint, ms. Estimates are log ratios; the interval is of head / base.

    `found` has the host taken out where `host_removed`, `raw` has not; `vouched` says that a
    declared control took it out, which may then excuse. `counted`: p is counted over orders, and
    not Student's. `step` is how far apart the recorded values lie near the percentile, as log
    ratio, where that is too far to read between them. Where the row lacks something, `more` times
    as many requests would measure it; None where more of the same would not.
    """

    is_ratio: bool = True
    n_base: int = 0
    n_head: int = 0
    raw: Bound = NOTHING
    host_removed: bool = False
    vouched: bool = False
    counted: bool = True
    step: float = 0.0
    more: float | None = None

    KEYS = (
        *("endpoint=subject", "metric", "verdict", "because", "n_base", "n_head", "base_ms=base"),
        *("shift_ms=change", "ratio", "raw_ratio", "ci_low", "ci_high", "raw_low", "raw_high"),
        *("p_value", "p_holm", "proven", "smallest_detectable", "host_removed"),
    )
    UNTESTED = "not measured"
    BETTER = "faster, and p is of being slower"

    @property
    def proven(self) -> bool:
        """Whether head is slower at all.

        What most endpoints share is taken for the host's, so one that alone stayed as it was looks
        slower than its control: the raw ratio must bear it out.
        """
        reach = (self.raw.effect - self.raw.low) / self.critical(self.stakes.beyond)
        borne_out = self.raw.effect > self._bearing_out * reach
        return self.p_holm <= self.stakes.alpha and borne_out

    @property
    def large(self) -> bool:
        """By both ratios."""
        return min(self.raw.effect, self.found.effect) >= self.minimum

    @property
    def most(self) -> float:
        """By the less favourable ratio."""
        # A change that most endpoints share looks like the host's: only the raw ratio excludes it.
        uppers = [self.found.upper] if self.vouched else [self.found.upper, self.raw.upper]
        return max(uppers) + self.step

    @property
    def ratio(self) -> float:
        """Head / base, with the host taken out where it was."""
        return exp(self.found.effect)

    @property
    def ci_low(self) -> float:
        """Lower end of the interval of `ratio`."""
        return exp(self.found.low - self.step)

    @property
    def ci_high(self) -> float:
        """Upper end of the interval of `ratio`."""
        return exp(self.found.high + self.step)

    @property
    def raw_ratio(self) -> float:
        """Head / base as measured."""
        return exp(self.raw.effect)

    @property
    def raw_low(self) -> float:
        """Lower end of the interval of `raw_ratio`."""
        return exp(self.raw.low - self.step)

    @property
    def raw_high(self) -> float:
        """Upper end of the interval of `raw_ratio`."""
        return exp(self.raw.high + self.step)

    @cached_property
    def smallest_detectable(self) -> float:
        """The regression called FAIL with probability POWER, as a fraction (0.08 = +8 %)."""
        if self.lacks:
            return nan
        return exp(smallest_found(self._hurdles, self.degrees, self.minimum) + self.step) - 1

    @property
    def growth(self) -> float | None:
        """Times as many requests for a verdict with probability POWER, were this the truth."""
        if self.lacks:
            return self.more
        raw, ratio, power = self.raw.effect, self.found.effect, self.critical(1 - POWER)
        room = self.tolerated - self.step - max(raw, ratio)
        excess = min(raw, ratio) - self.minimum
        ways = []
        if room > 0:
            margin = self.most - self.step - max(raw, ratio)
            ways.append(margin * (1 + power / self.critical(self.stakes.pass_error)) / room)
        if excess > 0:
            proof = smallest_found(self._hurdles, self.degrees) / min(raw, ratio)
            ways.append(max(proof, power * self.raw.error / excess))
        return min(ways) ** 2 if ways else float("inf")

    @property
    def _worse(self) -> str:
        return f"slower by {self.text(self.found.effect)}{self._coarse}"

    @property
    def _undecided(self) -> str:
        if self.proven:
            least, limit = self.text(self.minimum), self.text(self.tolerated)
            return f"slower, but not surely by {least}, nor surely by less than {limit}"
        limit = self.text(self.tolerated)
        return (
            f"no slow-down is proven, but it could be {self.text(self.most)}{self._coarse} where a "
            f"PASS takes less than {limit}"
        )

    @property
    def _unproven(self) -> str:
        if self.p_holm > self.stakes.alpha:
            return ""
        low, high = self.text(self.raw.low), self.text(self.raw.high)
        return f"; slower than the others only, before taking the host out {low} to {high}"

    @property
    def _coarse(self) -> str:
        step_ms = self._in_unit(self.step)
        return f" (recorded in steps of {step_ms:.3g} ms there)" if self.step else ""

    @property
    def _hurdles(self) -> tuple[Hurdle, ...]:
        """What a FAIL takes: proof by the adjusted ratio, and the raw one must bear it out."""
        proof = self.critical(self.stakes.of_one)
        if self.counted:
            proof = counted_t(proof, self.degrees)
        if not self.host_removed:
            return (Hurdle(self.raw.error, max(proof, self._bearing_out)),)
        return Hurdle(self.found.error, proof), Hurdle(self.raw.error, self._bearing_out)

    @property
    def _bearing_out(self) -> float:
        """Standard errors above 1 at which the raw ratio bears a proof out."""
        return self.critical(min(RAW_ERROR, self.stakes.beyond))


def counted(
    data: GateData, name: str, metric: str, settings: RegressionSettings, stakes: Stakes
) -> LatencyRow:
    """What was counted of an endpoint, or what is missing; nothing is estimated yet."""
    at, tail = data.endpoints.index(name), tail_of(metric)
    arms = data.base[:, at], data.head[:, at]
    base, head = (arm.sum(axis=0) for arm in arms)
    n_base, n_head = int(base.sum()), int(head.sum())
    empty = sum(int((arm.sum(axis=1) == 0).sum()) for arm in arms)
    beyond = min(n_base, n_head) * tail
    lacks, more = "", None
    if empty:
        lacks = f"no requests in {empty} of {2 * data.rounds} slots"
    elif data.rounds < MIN_ROUNDS:
        lacks, more = f"{data.rounds} rounds, need {MIN_ROUNDS}", MIN_ROUNDS / data.rounds
    elif beyond < MIN_TAIL_REQUESTS:
        lacks = f"{beyond:.1f} requests beyond {metric}, need {MIN_TAIL_REQUESTS:.0f}"
        more = MIN_TAIL_REQUESTS / beyond
    row = LatencyRow(name, metric, "ms", stakes, lacks=lacks, more=more, vouched=bool(data.control))
    row = replace(row, n_base=n_base, n_head=n_head)
    if lacks:
        return row
    base_ms, head_ms = (quantile(data.values_us, arm, 1 - tail) / 1000 for arm in (base, head))
    minimum, tolerated = settings.limits(base_ms)
    step = recorded_step(data.values_us, base + head, tail)
    return replace(row, base=base_ms, head=head_ms, minimum=minimum, tolerated=tolerated, step=step)
