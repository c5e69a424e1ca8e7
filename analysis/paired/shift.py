"""How a whole distribution moved between the arms of a paired run: by quantiles, and in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recording.arrays import Floats, Ints

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999)
# The shape of the shift is read up to here; beyond it one round's accident is a tenth of the tail.
SHAPED_UPTO = 0.99
# A quantile moved when it did so by this many of its own standard errors, and by 1 %.
SURE = 3.0
_LEAST = float(np.log(1.01))
# All of it moved when this quantile and all slower ones did, and the faster ones the same way.
_BULK = 0.5
# Fewer requests beyond a quantile do not measure it.
_FEWEST_BEYOND = 10
# One bucket of the histogram, as a share: nothing is known more finely.
_BUCKET = 0.001
# A shift is "the same" percentage (or ms) throughout when no quantile departs from the mean by
# more than this share of it, or its own noise.
_ALIKE = 0.2


@dataclass(frozen=True, slots=True)
class QuantileShift:
    """One quantile in both arms, and the standard errors of its shift."""

    q: float
    base_ms: float
    head_ms: float
    error_ms: float
    error_log: float

    @property
    def name(self) -> str:
        """``p99.9``."""
        return f"p{100 * self.q:.4g}"

    @property
    def shift_ms(self) -> float:
        """Head minus base."""
        return self.head_ms - self.base_ms

    @property
    def log_ratio(self) -> float:
        """Log of head over base."""
        return float(np.log(self.head_ms / self.base_ms))

    @property
    def moved(self) -> bool:
        """Whether the shift is more than noise."""
        return abs(self.log_ratio) > max(SURE * self.error_log, _LEAST)

    def __str__(self) -> str:
        return f"{self.name} {self.shift_ms:+.3g} ms ({percent(self.log_ratio)})"


def quantile_shifts(values_us: Floats, counts: Ints) -> tuple[QuantileShift, ...]:
    """The quantiles that can be measured, from counts [arm, round, value].

    Standard errors by the jackknife over rounds, so that a round's accident counts once.
    """
    total = counts.sum(axis=1, keepdims=True)
    fewest = int(total.sum(axis=-1).min())
    measured = np.array([q for q in QUANTILES if fewest * (1 - q) >= _FEWEST_BEYOND])
    if not measured.size:
        return ()
    ms = _quantiles(values_us, total, measured)[:, 0] / 1000
    without = _quantiles(values_us, total - counts, measured) / 1000  # [arm, round, q]
    error_ms = _jackknife(without[1] - without[0])
    error_log = np.maximum(_jackknife(np.log(without[1] / without[0])), _BUCKET)
    columns = (measured, ms[0], ms[1], error_ms, error_log)
    return tuple(QuantileShift(*map(float, row)) for row in zip(*columns, strict=True))


def in_words(shifts: tuple[QuantileShift, ...]) -> str:
    """What kind of shift it is."""
    shaped = [s for s in shifts if s.q <= SHAPED_UPTO]
    moved = [s.moved for s in shaped]
    if not any(moved):
        return "no part of the distribution moved by more than its own noise"
    first = max((i + 1 for i, m in enumerate(moved) if not m), default=0)
    if len({s.shift_ms > 0 for s in shaped if s.moved}) > 1:
        return _both_ways([s for s in shaped if s.moved])
    one_way = len({s.shift_ms > 0 for s in shaped}) == 1
    if first < len(moved) and shaped[first].q <= _BULK and one_way:
        return _throughout(shaped)
    if first == len(moved):
        fast = [s for s in shaped if s.moved]
        return f"part of the distribution moved ({_span(fast)}), but {shaped[-1].name} did not"
    slow = shaped[first:]
    if fast := [s for s in shaped[:first] if s.moved]:
        return f"part of the distribution moved ({_span(fast)}, and {_span(slow)})"
    share = 100 * (1 - slow[0].q)
    still = f"up to {shaped[first - 1].name} it did not"
    return f"only the slowest {share:.3g} % moved ({_span(slow)}); {still}"


def _both_ways(moved: list[QuantileShift]) -> str:
    """Some of it got faster, some slower: it spread, drew together, or is another one."""
    faster, slower = ([s for s in moved if (s.shift_ms > 0) is up] for up in (False, True))
    said = f"faster at {_span(faster)}, slower at {_span(slower)}"
    if faster[-1].q < slower[0].q:
        return f"the distribution spread: {said}"
    if slower[-1].q < faster[0].q:
        return f"the distribution drew together: {said}"
    return f"parts of the distribution moved either way: {said}"


def percent(log_ratio: float) -> str:
    """A log ratio as ``+12 %``."""
    value = 100 * float(np.expm1(log_ratio))
    return f"{value:+.1f} %" if abs(value) < 10 else f"{value:+.0f} %"


def _throughout(shaped: list[QuantileShift]) -> str:
    """All of it moved: by a factor, by a fixed time, or unevenly."""
    logs = np.array([s.log_ratio for s in shaped])
    ms = np.array([s.shift_ms for s in shaped])
    errors_log = np.array([s.error_log for s in shaped])
    errors_ms = np.array([max(s.error_ms, _BUCKET * s.base_ms) for s in shaped])
    factor, factor_misfit = _common(logs, errors_log)
    fixed_ms, fixed_misfit = _common(ms, errors_ms)
    if min(factor_misfit, fixed_misfit) > 1:
        more = "more" if logs[-1] > logs[0] else "less"
        ends = f"{shaped[0]}, {shaped[-1]}"
        return f"the whole distribution moved, its slow end {more} than its fast end: {ends}"
    if factor_misfit <= fixed_misfit:
        return f"the whole distribution moved by about {percent(factor)}"
    return f"a fixed {fixed_ms:+.3g} ms on all requests"


def _common(shifts: Floats, errors: Floats) -> tuple[float, float]:
    """The mean shift, and the worst departure from it in units of what passes for alike."""
    mean = float(np.median(shifts))
    allowed = np.maximum(SURE * errors, _ALIKE * abs(mean))
    return mean, float((np.abs(shifts - mean) / allowed).max())


def _span(shifts: list[QuantileShift]) -> str:
    return str(shifts[0]) if len(shifts) == 1 else f"{shifts[0]} to {shifts[-1]}"


def _quantiles(values_us: Floats, counts: Ints, q: Floats) -> Floats:
    """Nearest-rank quantiles [..., q] of counts [..., value]."""
    reached = np.cumsum(counts, axis=-1)[..., np.newaxis, :]
    rank = q[:, np.newaxis] * reached[..., -1:] * (1 - 1e-12)
    at = np.minimum((reached < rank).sum(axis=-1), len(values_us) - 1)
    return np.asarray(values_us[at])


def _jackknife(without: Floats) -> Floats:
    """Standard errors from estimates [round, ...] that leave out one round each."""
    rounds = len(without)
    spread = np.square(without - without.mean(axis=0)).sum(axis=0)
    return np.asarray(np.sqrt((rounds - 1) / rounds * spread))
