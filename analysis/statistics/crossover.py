"""The paired test: the effect of the arm on differences between two slots of a round.

With ``y[r]`` the difference head minus base in round r and ``s[r]`` +1 when base ran first, the
model is ``y = effect + order*s + beta*control + noise``: a crossover trial, in which ``order``
takes up what drift does to every second slot, and ``control`` what the host did to all endpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np

from analysis.statistics.looks import random_orders
from recording.arrays import Bools, Floats

# The control is used unless it moved with the arm itself: beyond this many standard errors the
# "host's" shift is head's own, and taking it out would hide a regression or invent one.
CONTROL_LIMIT = 3.0
# Draws of the order for the p-values come in batches; a row drops out once ENOUGH draws have
# matched it (Besag & Clifford 1991), so only small p-values cost all of them. Their number lets
# the first of two looks call 40 rows: 0.0003 / 40 is above 1 / 252,001.
BATCHES = (2_000, *(25_000,) * 10)
ENOUGH = 40
# Orders whose t differs by rounding only count as ties, against the alarm.
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Fit:
    """Effects of the arm for many rows (and many orders): raw, adjusted, and which holds."""

    raw: Floats
    raw_t: Floats
    adjusted: Floats
    adjusted_t: Floats
    use_control: Bools

    @property
    def t(self) -> Floats:
        """The studentised effect: adjusted where the control may be used, else raw."""
        return np.where(self.use_control, self.adjusted_t, self.raw_t)


def fit(differences: Floats, control: Floats, signs: Floats) -> Fit:
    """Least squares of second-minus-first on arm, order and control, in closed form.

    `differences` and `control` are second slot minus first, [rows, rounds]; `signs` [orders,
    rounds] is +1 where the second slot is head's. All zero control means none. Results are
    [orders, rows].
    """
    rounds = differences.shape[1]
    y = differences - differences.mean(axis=1, keepdims=True)
    c = control - control.mean(axis=1, keepdims=True)
    yy, cc, yc = (y * y).sum(1), (c * c).sum(1), (y * c).sum(1)
    sy, sc = signs @ y.T, signs @ c.T
    rest_y = np.maximum(yy - sy**2 / rounds, 0.0)
    rest_c = np.maximum(cc - sc**2 / rounds, 0.0)
    rest_yc = yc - sy * sc / rounds
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = np.where(rest_c > 0, rest_yc / rest_c, 0.0)
        left = np.maximum(rest_y - beta * rest_yc, 0.0)
        raw, adjusted = sy / rounds, (sy - beta * sc) / rounds
        raw_var = rest_y / (rounds - 2) / rounds
        spread = np.where(rest_c > 0, 1 + sc**2 / rounds / rest_c, 1.0)
        adjusted_var = left / (rounds - 3) / rounds * spread
        control_t = np.abs(sc / rounds) / np.sqrt(rest_c / (rounds - 2) / rounds)
        use = control_t < CONTROL_LIMIT  # False for 0/0: no control
        return Fit(raw, _ratio(raw, raw_var), adjusted, _ratio(adjusted, adjusted_var), use)


def p_values(
    differences: Floats,
    control: Floats,
    signs: Floats,
    stretches: tuple[int, ...],
    seed: int,
    batches: tuple[int, ...] = BATCHES,
) -> Floats:
    """One-sided p of "head is no slower" for each row, from the randomisation alone.

    Had the loader drawn another order, the same slots would have been labelled differently: the
    share of orders whose studentised effect is at least the observed one is an exact p-value
    when the arms are equal, whatever the host did (Fisher 1935; studentised: Chung & Romano
    2013; with a covariate: Zhao & Ding 2021). Draws count the observed order too, so p is
    never 0 (Phipson & Smyth 2010).
    """
    observed = fit(differences, control, signs[np.newaxis]).t[0]
    hits, p = np.zeros(len(differences)), np.ones(len(differences))
    open_rows, drawn = np.arange(len(differences)), 0
    for batch, draws in enumerate(batches):
        orders = np.where(_orders(stretches, draws, seed, batch), -1.0, 1.0)
        t = fit(differences[open_rows], control[open_rows], orders).t
        hits[open_rows] += (t >= observed[open_rows] - TIE).sum(axis=0)
        drawn += draws
        p[open_rows] = (1 + hits[open_rows]) / (1 + drawn)
        open_rows = open_rows[hits[open_rows] < ENOUGH]
        if not len(open_rows):
            break
    return p


def counted_t(t: float, degrees: float) -> float:
    """The t at which a p counted over orders stands where Student's stands at `t`.

    The few rounds of a gate have only so many orders that look as bad. Simulated tail counts, 160
    runs each: 1.007 and 1.012 times as large at p 0.0023 and 0.00033 of 40 rounds, 1.02 and 1.07
    times at 0.00015 and 0.000021 of 24.
    """
    return t * (1 + 0.05 * (t / sqrt(degrees)) ** 3)


def holm(p: Floats) -> Floats:
    """Holm's (1979) step-down adjusted p-values."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


_orders = lru_cache(maxsize=64)(random_orders)


def _ratio(effect: Floats, variance: Floats) -> Floats:
    """effect / standard error, 0 for nothing over nothing and infinite for something."""
    return np.where(effect == 0.0, 0.0, effect / np.sqrt(variance))
