"""Where a chance that falls with x crosses one half, from trials that held or did not.

Logistic regression with a penalty: x of the crossing is unknown, and so is the logarithm of the
width of the transition, evenly between two bounds (Jeffreys' prior of a scale, cut off). So the fit
is finite where the outcomes are separated, as near a sharp border they are, and trials far from it
change nothing: under Firth's penalty (Biometrika 80, 1993) they flatten the fit. Estimate and
interval are quantiles of the posterior of the crossing, the width integrated out, as for a median
dose (Racine, Grieve, Fluehler and Smith, Applied Statistics 35, 1986).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from recording.arrays import Floats

NARROWEST, WIDEST = 0.003, 0.15
"""Scale of the logistic curve, in units of x. Of the logarithm of a load: 0.3 % to 15 % of it."""
_WIDTHS = np.geomspace(NARROWEST, WIDEST, 25)
_PLACES = 250
_BEYOND = 1.0
"""So far below and above the trials the crossing may lie."""
_LEAST = 1e-6
"""Likelihood, against the most there is, from which on a place is looked at closely."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """``x`` is where the chance is one half, ``low`` and ``high`` its interval.

    ``width`` is the scale of the logistic curve: from chance 3/4 to 1/4 it is 2.2 of them.
    """

    x: float
    low: float
    high: float
    width: float

    def chance(self, x: float) -> float:
        """The fitted one at x."""
        return 1.0 / (1.0 + exp(min(700.0, (x - self.x) / self.width)))

    def at(self, chance: float) -> float:
        """Where the fitted one is this."""
        return self.x - log(chance / (1.0 - chance)) * self.width


def crossing(x: Sequence[float], held: Sequence[bool], confidence: float = 0.95) -> Crossing:
    """Of trials at x, each of which held or not. Raises ValueError unless both were seen."""
    if len(set(held)) < 2:
        raise ValueError("a crossing needs trials that held, and trials that did not")
    at, signs = np.asarray(x, float), np.where(held, 1.0, -1.0)
    coarse = np.linspace(at.min() - _BEYOND, at.max() + _BEYOND, _PLACES)
    likely = _posterior(coarse, at, signs).sum(axis=1)
    there = np.flatnonzero(likely > _LEAST * likely.max())
    first, last = max(0, there[0] - 1), min(_PLACES - 1, there[-1] + 1)
    places = np.linspace(coarse[first], coarse[last], _PLACES)
    joint = _posterior(places, at, signs)
    tail = (1.0 - confidence) / 2.0
    low, middle, high = _quantiles(places, joint.sum(axis=1), (tail, 0.5, 1.0 - tail))
    of_widths = joint.sum(axis=0)
    width = exp(float(of_widths @ np.log(_WIDTHS) / of_widths.sum()))
    return Crossing(middle, low, high, width)


def _posterior(places: Floats, x: Floats, signs: Floats) -> Floats:
    """For each place and width, up to a factor."""
    odds = (places[:, None, None] - x) / _WIDTHS[:, None]
    logs = -np.logaddexp(0.0, -signs * odds).sum(axis=2)
    return np.asarray(np.exp(logs - logs.max()))


def _quantiles(places: Floats, density: Floats, chances: tuple[float, ...]) -> list[float]:
    grown = np.cumsum((density[1:] + density[:-1]) / 2.0)
    return [float(q) for q in np.interp(chances, np.append(0.0, grown) / grown[-1], places)]
