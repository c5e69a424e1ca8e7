"""From where on every rule holds: the least of a setting that is enough.

Rules on latency: their margins, made monotone (isotonic regression: Barlow et al., 1972), cross
zero. Rules that only hold or do not: the share of slots that break them, made monotone likewise,
crosses one half. How full a pool is: `demand.py`. The last of all rules to hold decides. The
interval is the wider of the jackknife's over slots (Miller, 1974), for what is smooth, and the
bootstrap's (Efron, 1979), for what is not. A rule that only holds or does not says nothing of what
lies between two levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isfinite, isinf, log, nan, sqrt

import numpy as np
import scipy  # its parts load when they are used

from analysis.statistics.distributions import t_quantile
from analysis.statistics.jackknife import jackknife_reach
from analysis.tuning.asked import Setting
from analysis.tuning.demand import fills_until
from analysis.tuning.slot import Slot
from recording.arrays import Floats, Ints

FEWEST = 3
"""Slots; with fewer there is no interval."""
DRAWS, LEAST_FOUND = 400, 0.8
"""Of the bootstrap, and the share that must have a border; where fewer do there is no interval."""


@dataclass(frozen=True, slots=True)
class Border:
    """``value`` is the least that holds, with a 95 % interval; ``rule`` is the last to hold.

    ``edge``: "" where it was found between levels, "below" where all hold, "above" where none.
    ``again`` is the level from which on rules break again; nan where none does.
    """

    value: float
    low: float
    high: float
    rule: str
    edge: str
    again: float = nan


def border(slots: Sequence[Slot], setting: Setting, run_s: float) -> Border:
    """Of slots at several levels of one setting. A run has this length."""
    x = _x(slots, setting)
    kept = _until_worse(slots, x)
    again = _of(min((at for at in x if at > kept), default=inf), setting)
    slots = [slot for slot, at in zip(slots, x, strict=True) if at <= kept]
    x = x[x <= kept]
    at, rule = _last_to_hold(slots, x, run_s)
    if at > x.max():
        return Border(nan, nan, nan, rule, "above", again)
    if at <= x.min():
        value = _of(float(x.min()), setting)
        return Border(value, value, value, rule, "below", again)
    reach = _reach(slots, x, run_s)
    low, high = at - reach, at + reach
    if rule in _all_broken(slots):
        low, high = min(low, float(x[x <= at].max())), max(high, float(x[x >= at].min()))
    ends = [_of(end, setting) for end in (low, high)]
    least, most = ends if setting.cheaper == "less" else ends[::-1]
    return Border(_of(at, setting), least, most, rule, "", again)


def _x(slots: Sequence[Slot], setting: Setting) -> Floats:
    sign = 1.0 if setting.cheaper == "less" else -1.0
    return np.array([sign * log(slot.levels[0]) for slot in slots])


def _of(x: float, setting: Setting) -> float:
    if isinf(x):
        return nan
    return exp(x) if setting.cheaper == "less" else exp(-x)


def _until_worse(slots: Sequence[Slot], x: Floats) -> float:
    """The end of the longest row of levels at which most slots hold; the last where none does."""
    at = np.unique(x)
    broken = np.array([bool(slot.all_broken) for slot in slots])
    bad = [bool(broken[x == one].mean() > 0.5) for one in at]
    best, length, run = float(at[-1]), 0, 0
    for place, is_bad in enumerate(bad):
        run = 0 if is_bad else run + 1
        if run >= length and run:
            best, length = float(at[place]), run
    return best


def _last_to_hold(slots: Sequence[Slot], x: Floats, run_s: float) -> tuple[float, str]:
    found = {
        **{f"{of} is full": fills_until(slots, x, of, run_s) for of in _named(slots, "full")},
        **{rule: _margin_border(slots, x, rule) for rule in _named(slots, "margins")},
        **{rule: _broken_border(slots, x, rule) for rule in sorted(_all_broken(slots))},
    }
    rule = max(found, key=lambda name: found[name], default="")
    return (found[rule], rule) if rule else (-inf, "")


def _named(slots: Sequence[Slot], of: str) -> list[str]:
    return sorted({name for slot in slots for name in getattr(slot, of)})


def _all_broken(slots: Sequence[Slot]) -> set[str]:
    known = set(_named(slots, "margins"))
    return {rule for slot in slots for rule in slot.broken} - known


def _margin_border(slots: Sequence[Slot], x: Floats, rule: str) -> float:
    y = np.array([slot.margins.get(rule, nan) for slot in slots])
    return _crosses(x[np.isfinite(y)], y[np.isfinite(y)])


def _broken_border(slots: Sequence[Slot], x: Floats, rule: str) -> float:
    return _crosses(x, np.array([float(rule in slot.broken) for slot in slots]) - 0.5)


def _crosses(x: Floats, y: Floats) -> float:
    """Where the monotone fit to y falls to zero; -inf where it lies below, inf where above."""
    if not x.size:
        return -inf
    at = np.unique(x)
    means = np.array([y[x == one].mean() for one in at])
    weights = np.array([float((x == one).sum()) for one in at])
    fitted = scipy.optimize.isotonic_regression(means, weights=weights, increasing=False).x
    if fitted[-1] > 0:
        return inf
    if fitted[0] <= 0:
        return -inf
    after = int(np.argmax(fitted <= 0))
    before, here = fitted[after - 1], fitted[after]
    return float(at[after - 1] + (at[after] - at[after - 1]) * before / (before - here))


def _reach(slots: Sequence[Slot], x: Floats, run_s: float) -> float:
    """Half the width of the interval; inf where it is not known."""
    n, rng = len(slots), np.random.default_rng(0)
    if n < FEWEST:
        return inf
    left_out = np.array([_border_of(slots, x, np.delete(np.arange(n), i), run_s) for i in range(n)])
    drawn = [_border_of(slots, x, rng.integers(0, n, n), run_s) for _ in range(DRAWS)]
    anew = [at for at in drawn if isfinite(at)]
    if not np.isfinite(left_out).all() or len(anew) < LEAST_FOUND * DRAWS:
        return inf
    # Of few slots a draw scatters less than a search would.
    of_draws = t_quantile(0.975, n - 1) * sqrt(n / (n - 1)) * float(np.std(anew))
    return max(jackknife_reach(left_out), of_draws)


def _border_of(slots: Sequence[Slot], x: Floats, chosen: Ints, run_s: float) -> float:
    return _last_to_hold([slots[i] for i in chosen], x[chosen], run_s)[0]
